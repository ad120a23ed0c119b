// A page of a dimension's values: how many rows each has, and for a rare one the strips they are in
// (index/FORMAT.md, "Value page").
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/result.hpp"

namespace docket::index {

inline constexpr std::uint32_t page_values = 4096;
// Rare values are located to a strip of so many rows: few enough to be scanned in less time than it
// takes to fetch their column, and a number of three bits more than that of a block.
inline constexpr std::uint32_t strip_rows = 1024;

// What the pages of one file have in common.
struct PageShape {
  std::uint32_t rows = 0;             // of the segment
  std::uint32_t bitmap_rows_min = 0;  // a value with so many rows has a row bitmap, no strips

  [[nodiscard]] std::uint32_t strips() const { return (rows + strip_rows - 1) / strip_rows; }
  friend bool operator==(const PageShape&, const PageShape&) = default;
};

// One value's postings as the writer has them.
struct ValuePostings {
  std::uint32_t rows = 0;
  std::span<const std::uint32_t> strips;  // ascending, distinct; unused for a frequent value
};

// Immutable; thread-safe.
class ValuePage {
 public:
  // Decodes `values` values. Error: corrupt.
  [[nodiscard]] static Result<ValuePage> parse(std::vector<std::byte> bytes, std::uint32_t values,
                                               const PageShape& shape);
  // Appends how many rows each of the values has, without a look at where they are. Error: corrupt.
  [[nodiscard]] static Result<void> read_rows(std::vector<std::byte> bytes, std::uint32_t values,
                                              const PageShape& shape,
                                              std::vector<std::uint32_t>& into);
  static void encode(std::span<const ValuePostings> values, const PageShape& shape,
                     std::vector<std::byte>& out);

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(rows_.size()); }
  // Rows that have value `i` of the page.
  [[nodiscard]] std::uint32_t rows(std::uint32_t i) const { return rows_[i]; }
  [[nodiscard]] bool frequent(std::uint32_t i) const { return rows_[i] >= shape_.bitmap_rows_min; }
  // Appends the strips of a rare value, ascending.
  void strips(std::uint32_t i, std::vector<std::uint32_t>& into) const;
  [[nodiscard]] std::size_t memory_bytes() const {
    return bytes_.size() + rows_.size() * sizeof(std::uint32_t) * 3;
  }

 private:
  PageShape shape_;
  std::vector<std::uint32_t> rows_;
  std::vector<std::uint32_t> strip_counts_;
  std::vector<std::uint32_t> positions_;  // bit where a rare value's strips stand
  std::vector<std::byte> bytes_;          // with padding behind
};

}  // namespace docket::index
