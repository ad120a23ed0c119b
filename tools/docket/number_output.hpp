// How counts per value and per span of time look.
#pragma once

#include <string>
#include <vector>

#include "query/searcher.hpp"
#include "query/time_zone.hpp"
#include "tools/docket/answer_reader.hpp"
#include "tools/docket/output.hpp"
#include "tools/docket/table.hpp"

namespace docket::cli {

// What --top has cut off; empty where it has not.
[[nodiscard]] std::string facet_cut_text(const FacetAnswer& facet);

// A table of its own for each field, with what is not listed below it.
[[nodiscard]] std::string facets_text(const std::vector<FacetAnswer>& facets,
                                      const Terminal& terminal, const query::TimeZone& zone);

// A row per span; split `by` a field, for people in one row, else one for each value.
[[nodiscard]] Table histogram_table(const std::vector<query::HistogramBucket>& buckets, bool by,
                                    bool for_people);

}  // namespace docket::cli
