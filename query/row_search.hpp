// Finding the first rows in an order without looking at all: blocks are visited by the bound of
// their time, and the rest is left once nothing in it can come earlier.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "engine/result.hpp"
#include "query/segment_scan.hpp"
#include "query/top_rows.hpp"

namespace docket::query {

using Scans = std::vector<std::unique_ptr<SegmentScan>>;

// The first `limit` matching rows behind `after`, in order. Times may be in any order against seqs:
// only the blocks' bounds are relied on. Error: cancelled.
[[nodiscard]] Result<std::vector<FoundRow>> find_rows(QueryContext& context, Scans& scans,
                                                      Order order,
                                                      const std::optional<Position>& after,
                                                      std::size_t limit);

}  // namespace docket::query
