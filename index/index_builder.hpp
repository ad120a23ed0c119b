// Makes the index of a sealed segment from its columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "engine/result.hpp"
#include "engine/segment_reader.hpp"
#include "index/dimension.hpp"

namespace docket::index {

// The values that the rows of a segment have in one dimension: entry i says that row rows[i] (or,
// where `rows` is empty, row i) has value values[i]. Rows ascend; a row has a value once.
struct DimensionEntries {
  std::uint32_t universe = 0;  // values are below it
  std::vector<std::uint32_t> values;
  std::vector<std::uint32_t> rows;
};

// Reads the columns of all blocks once and gives out the entries of each dimension in turn.
// Errors: io, corrupt (an unreadable column, or an id outside its dictionary).
[[nodiscard]] Result<void> for_each_dimension(
    const SegmentReader& segment,
    const std::function<Result<void>(Dimension, const DimensionEntries&)>& visit);

// From how many rows on a value of a segment with `rows` rows has a row bitmap.
[[nodiscard]] std::uint32_t bitmap_rows_min(std::uint32_t rows);

// The bytes of the index file. The same segment always gives the same bytes.
// Precondition: the segment is sealed. Errors: io, corrupt.
[[nodiscard]] Result<std::vector<std::byte>> build_index(const SegmentReader& segment);

}  // namespace docket::index
