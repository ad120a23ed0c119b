// What a question comes to: what could be left out, which postings decide, what was read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/result.hpp"
#include "engine/snapshot.hpp"
#include "query/execution.hpp"
#include "query/searcher.hpp"

namespace docket::query {

// Counts the matching events and tells how. Then each condition is bound and planned once more by
// itself, whether or not the whole query had to look at it. Error: cancelled.
[[nodiscard]] Result<Explanation> explain_query(SearcherParts& parts, const Query& query);

}  // namespace docket::query
