// Counting values: how many of the matching events have each.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/result.hpp"
#include "query/execution.hpp"

namespace docket::query {

// See Searcher::facets().
[[nodiscard]] Result<FacetsAnswer> take_facets(Execution& execution,
                                               const std::vector<Field>& fields, std::uint32_t top);

}  // namespace docket::query
