// The field-level diff inside a payload, as the conditions changed:, old: and new: see it.
//
// Two forms are a diff: {"changes":[{"field":…,"old":…,"new":…}…]}, taken as it stands (a missing
// `old` or `new` means that the field was not there), and {"before":{…},"after":{…}}, compared leaf
// by leaf; null on one side is a thing created or deleted. A container whose path is longer than
// 255 bytes is compared as one value. Any other payload has an empty diff.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/payload_tree.hpp"

namespace docket::index {

// One long key above very many leaves would otherwise multiply a payload's size by its length.
inline constexpr std::size_t container_path_bytes_max = 255;

// Called for every changed field in order; a null node: the field was not there. `is_path` is that
// of DiffEntry.
using VisitChange = std::function<void(std::string_view field, bool is_path,
                                       const PayloadNode* before, const PayloadNode* after)>;
// Visits the diff in a payload that has been read; none where it is no diff.
void visit_diff(const PayloadTree& tree, const VisitChange& visit);

// Calls `take` with the names that `changed:` finds a field by, until it returns true: for a path
// its leading parts, then the field itself. Returns whether it did.
template <typename Take>
bool any_changed_name(std::string_view field, bool is_path, Take take) {
  if (is_path) {
    const std::size_t end = std::min(field.size(), container_path_bytes_max + 1);
    for (std::size_t i = 1; i < end; ++i) {
      if ((field[i] == '.' || field[i] == '[') && take(field.substr(0, i))) {
        return true;
      }
    }
  }
  return take(field);
}

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

}  // namespace docket::index
