// Counting the matching rows of a segment, by totals and cardinalities where they are exact.
#pragma once

#include <cstdint>

#include "engine/result.hpp"
#include "query/execution.hpp"

namespace docket::query {

// Error: cancelled.
[[nodiscard]] Result<std::uint64_t> count_rows(Execution& execution, SegmentScan& scan);

}  // namespace docket::query
