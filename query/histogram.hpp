// Counting events by time.
#pragma once

#include <optional>

#include "engine/result.hpp"
#include "query/execution.hpp"

namespace docket::query {

// See Searcher::histogram().
[[nodiscard]] Result<HistogramAnswer> take_histogram(Execution& execution, BucketWidth width,
                                                     const TimeZone& zone, std::optional<Field> by);

}  // namespace docket::query
