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

// The same under FacetScope::other_filters: fields without conditions of their own in one pass, and
// one more for each field with some.
[[nodiscard]] Result<FacetsAnswer> facets_under_others(SearcherParts& parts, const Query& query,
                                                       const std::vector<Field>& fields,
                                                       std::uint32_t top);

}  // namespace docket::query
