// The changed fields in the payloads of a segment: what `changed:` finds (index/FORMAT.md,
// "Changed fields").
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.hpp"
#include "engine/segment_reader.hpp"
#include "index/dimension_entries.hpp"

namespace docket::index {

// A segment with more is not indexed by changed field. Senders choose the names: a platform has
// some hundreds, and whatever else somebody sends must cost neither memory nor time without bound.
inline constexpr std::uint32_t changed_names_max = 16'384;
inline constexpr std::size_t changed_names_bytes_max = std::size_t{1} << 20;
// Names of rows, 8 bytes each while the index is built: on average of all rows, and some more so
// that small segments need not be average.
inline constexpr std::size_t changed_entries_per_row = 4;
inline constexpr std::size_t changed_entries_more = 65'536;

// The names, ascending bytewise, each once. Name i is value i + 1 of Dimension::changed. Immutable;
// thread-safe.
class ChangedNames {
 public:
  // `names` ascend. At most changed_names_max, changed_names_bytes_max together.
  static void encode(const std::vector<std::string>& names, std::vector<std::byte>& out);
  // Error: corrupt.
  [[nodiscard]] static Result<ChangedNames> parse(std::vector<std::byte> bytes,
                                                  std::uint32_t count);

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(starts_.size()); }
  [[nodiscard]] std::string_view name(std::uint32_t i) const;
  // The values of the names that are `text`, or start with it.
  [[nodiscard]] IdRange values(std::string_view text, bool prefix) const;
  [[nodiscard]] std::size_t memory_bytes() const {
    return bytes_.size() + starts_.size() * sizeof(std::uint32_t);
  }

 private:
  std::vector<std::byte> bytes_;
  std::vector<std::uint32_t> starts_;  // of the lengths before the names
};

struct ChangedFields {
  std::vector<std::string> names;  // ascending
  // Each row has its names, or value 0. A universe of 0: too many, the segment is not indexed.
  DimensionEntries entries;
};

// Collects the names of row after row. Not thread-safe.
class ChangedFieldsCollector {
 public:
  // `rows`: of the segment.
  explicit ChangedFieldsCollector(std::size_t rows);
  ~ChangedFieldsCollector();
  ChangedFieldsCollector(const ChangedFieldsCollector&) = delete;
  ChangedFieldsCollector& operator=(const ChangedFieldsCollector&) = delete;

  // Rows ascend, none is left out; `payload` is empty where there is none. Once there are too many
  // names it does nothing.
  void add_row(std::uint32_t row, std::string_view payload);
  // To be called once.
  [[nodiscard]] ChangedFields finish();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace docket::index
