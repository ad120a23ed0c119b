// The values that the rows of one segment have in a field, counted, in their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.hpp"
#include "query/field_values.hpp"
#include "query/tally.hpp"

namespace docket::query {

struct CountedValue {
  FieldValue value;
  std::uint64_t count = 0;
};

// From `from` on and before `until`; all values where neither is set.
struct ValueRange {
  std::optional<FieldValue> from;
  std::optional<FieldValue> until;
};

// Ids of one kind with their counts, ascending. The same id may stand there several times.
struct IdBatch {
  struct Entry {
    std::uint32_t begin = 0;  // of its text
    std::uint32_t bytes = 0;
    std::uint64_t count = 0;
  };
  std::string text;
  std::vector<Entry> entries;

  [[nodiscard]] std::string_view id(std::size_t i) const {
    return std::string_view(text).substr(entries[i].begin, entries[i].bytes);
  }
  void add(std::string_view id, std::uint64_t count);
  void clear();
};

// Gives out its values once. Not thread-safe.
class ValueSource {
 public:
  // `scan` says which segment's rows it is about.
  explicit ValueSource(std::uint32_t scan) : scan_(scan) {}
  virtual ~ValueSource() = default;

  // Before anything is given out: leaves out the values beyond the range.
  [[nodiscard]] virtual Result<void> keep(const ValueRange& range) = 0;
  // Before anything is given out: a value behind the first that about half of the values stand
  // before; nothing where there is but one.
  [[nodiscard]] virtual Result<std::optional<FieldValue>> middle() const = 0;
  [[nodiscard]] virtual std::size_t memory_bytes() const = 0;

  // Goes on to the next kind, past what is left of this one; nothing at the end. Kinds ascend; a
  // field without kinds has the empty one. The view holds until the next call.
  [[nodiscard]] virtual Result<std::optional<std::string_view>> next_kind() = 0;
  // Replaces `into` by the next ids of the kind; by none at its end.
  [[nodiscard]] virtual Result<void> next_ids(IdBatch& into) = 0;

  [[nodiscard]] std::uint32_t scan() const { return scan_; }

 private:
  std::uint32_t scan_;
};

// The values that `tally` counted. Read from the dictionaries as they go where those are in order,
// else from memory. Error: dictionaries cannot be read.
[[nodiscard]] Result<std::unique_ptr<ValueSource>> tally_source(const FieldValues& values,
                                                                Tally tally, std::uint32_t scan);

// Puts values in order and adds up equal ones.
void sort_values(std::vector<CountedValue>& values);
// A source of values from memory, in any order, also with equal ones.
[[nodiscard]] std::unique_ptr<ValueSource> memory_source(std::vector<CountedValue> values,
                                                         std::uint32_t scan);

}  // namespace docket::query
