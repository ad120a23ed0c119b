// Counting the matching rows of a segment, by totals and cardinalities where they are exact.
#pragma once

#include <cstdint>

#include "engine/result.hpp"
#include "query/execution.hpp"

namespace docket::query {

// Whether every row of the unit, which is a whole chunk of a sealed segment, matches.
[[nodiscard]] bool matches_whole_chunk(const SegmentScan& scan, const Unit& unit);
// Whether every row of the sealed segment matches.
[[nodiscard]] bool matches_whole_segment(const SegmentScan& scan);

// Error: cancelled.
[[nodiscard]] Result<std::uint64_t> count_rows(Execution& execution, SegmentScan& scan);

}  // namespace docket::query
