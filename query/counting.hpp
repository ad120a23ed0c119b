// Counting the matching rows of a segment, by totals and cardinalities where they are exact.
#pragma once

#include <cstdint>

#include "engine/result.hpp"
#include "query/execution.hpp"

namespace docket::query {

// The unit without the blocks of a sealed segment of which every row matches.
[[nodiscard]] Unit without_whole_blocks(const SegmentScan& scan, const Unit& unit);
// Whether every row of the sealed segment matches.
[[nodiscard]] bool matches_whole_segment(const SegmentScan& scan);

// Error: cancelled.
[[nodiscard]] Result<std::uint64_t> count_rows(Execution& execution, SegmentScan& scan);

}  // namespace docket::query
