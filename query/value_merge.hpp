// Adding up the counts of equal values from many dictionaries, in the order of the values and
// without holding them all: a store may have millions of distinct targets.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/result.hpp"
#include "query/field_values.hpp"

namespace docket::query {

struct CountedValue {
  FieldValue value;
  std::uint64_t count = 0;
};

// Gives out values in order, each once. Not thread-safe.
class ValueSource {
 public:
  explicit ValueSource(std::uint32_t scan) : scan_(scan) {}
  virtual ~ValueSource() = default;
  // The next value; false at the end.
  [[nodiscard]] virtual Result<bool> next(CountedValue& into) = 0;
  // Which segment's rows it is about.
  [[nodiscard]] std::uint32_t scan() const { return scan_; }

 private:
  std::uint32_t scan_;
};

// Pairs of a number and how many rows have it; ascending.
using Tally = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

// Sources that give out what `tally` counted, read from the dictionaries as they go where those are
// in order, else from memory. `values` must outlive them. Error: dictionaries cannot be read.
[[nodiscard]] Result<void> add_sources(const FieldValues& values, Tally tally, std::uint32_t scan,
                                       std::vector<std::unique_ptr<ValueSource>>& into);

// Puts values in order and adds up equal ones.
void sort_values(std::vector<CountedValue>& values);
// A source of values from memory, in any order, also with equal ones.
[[nodiscard]] std::unique_ptr<ValueSource> memory_source(std::vector<CountedValue> values,
                                                         std::uint32_t scan);

// What could not be read, and of which segment.
struct MergeFailure {
  std::uint32_t scan = 0;
  Error error;
};

// Calls `emit` for each distinct value with the sum of its counts, in the order of values.
[[nodiscard]] tl::expected<void, MergeFailure> merge_values(
    std::vector<std::unique_ptr<ValueSource>> sources,
    const std::function<void(const CountedValue& value)>& emit);

}  // namespace docket::query
