// From a segment's columns to the values of each row.
#pragma once

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

// Reads the columns of all blocks once and gives out the entries of each dimension in turn,
// but those of Dimension::changed, which has no column.
// Errors: io, corrupt (an unreadable column, or an id outside its dictionary).
[[nodiscard]] Result<void> for_each_dimension(
    const SegmentReader& segment,
    const std::function<Result<void>(Dimension, const DimensionEntries&)>& visit);

}  // namespace docket::index
