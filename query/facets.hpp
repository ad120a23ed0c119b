// Counting values: how many of the matching events have each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/result.hpp"
#include "query/execution.hpp"

namespace docket::query {

// What the counts of a question's segments may take until they are merged: some 30 million distinct
// values, each in each segment that has it. More are counted in several passes over the rows, each
// for a part of the alphabet.
inline constexpr std::size_t facet_bytes_max = std::size_t{32} << 20;

// See Searcher::facets().
[[nodiscard]] Result<FacetsAnswer> take_facets(Execution& execution,
                                               const std::vector<Field>& fields, std::uint32_t top,
                                               std::size_t bytes_max = facet_bytes_max);

// The same under FacetScope::other_filters: fields without conditions of their own in one pass, and
// one more for each field with some.
[[nodiscard]] Result<FacetsAnswer> facets_under_others(SearcherParts& parts, const Query& query,
                                                       const std::vector<Field>& fields,
                                                       std::uint32_t top);

}  // namespace docket::query
