// The field-level diff inside a payload, as the conditions changed:, old: and new: see it.
//
// Two forms are a diff: {"changes":[{"field":…,"old":…,"new":…}…]}, taken as it stands (a missing
// `old` or `new` means that the field was not there), and {"before":{…},"after":{…}}, compared leaf
// by leaf; null on one side is a thing created or deleted. A container whose path is longer than
// 255 bytes is compared as one value. Any other payload has an empty diff.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/expression.hpp"

namespace docket::query {

// One changed field. Values are plain text: a JSON string without its quotes and escapes, the JSON
// text of anything else (`500`, `true`, `null`, `[1,2]`). nullopt: the field was not there.
struct DiffEntry {
  std::string field;  // as given in `changes`; a path (`limits.hourly`, `tags[2]`) otherwise
  std::optional<std::string> old_value;
  std::optional<std::string> new_value;
  // True for {"before","after"}, where `field` is a path whose leading parts are names, too.
  bool is_path = false;

  friend bool operator==(const DiffEntry&, const DiffEntry&) = default;
};

// Reads diffs one after another and keeps its buffers. Not thread-safe; make one per thread.
class DiffReader {
 public:
  DiffReader();
  ~DiffReader();
  DiffReader(DiffReader&&) noexcept;
  DiffReader& operator=(DiffReader&&) noexcept;

  // In the payload's order (removed and changed fields as `before` has them, then added ones as
  // `after` has them). Valid until the next call. Empty for a payload that is no diff or no JSON.
  [[nodiscard]] const std::vector<DiffEntry>& read(std::string_view payload);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The names that `changed:` finds, each once: every entry's field and, for a path, each of its
// leading parts: `limits.per.hour` is also found as `limits.per` and as `limits`, `tags[2]` as
// `tags`.
[[nodiscard]] std::vector<std::string> changed_fields(const std::vector<DiffEntry>& diff);
[[nodiscard]] std::vector<std::string> changed_fields(std::string_view payload);

// Whether one value of a `changed:`, `old:` or `new:` condition is met by some entry. Names and
// values are compared with their case, whole or by prefix. DOCKET_ASSERT: `field` is one of the
// three.
[[nodiscard]] bool diff_matches(Field field, const Match& match,
                                const std::vector<DiffEntry>& diff);

}  // namespace docket::query
