// Searching sorted string tables, and passing over unsorted ones.
#pragma once

#include <string_view>
#include <vector>

#include "engine/result.hpp"
#include "engine/segment_reader.hpp"
#include "query/expression.hpp"
#include "query/id_set.hpp"

namespace docket::query {

// First id of `range` whose string is not less than `text`. Precondition: the strings of the range
// ascend bytewise.
[[nodiscard]] Result<std::uint32_t> lower_bound(const StringTable& strings, IdRange range,
                                                std::string_view text);
// The ids whose string is `text`, or starts with it. Same precondition.
[[nodiscard]] Result<IdRange> matching_range(const StringTable& strings, IdRange range,
                                             std::string_view text, bool prefix);

// Whether `text`, which is present (not empty), is what one of `matches` asks for.
[[nodiscard]] bool any_match(const std::vector<Match>& matches, std::string_view text);
[[nodiscard]] bool any_match_ignoring_case(const std::vector<Match>& matches,
                                           std::string_view text);

// Ids of the strings for which `wanted(text)` holds; entry 0 (absent) and empty ones never match.
template <typename Wanted>
[[nodiscard]] Result<IdSet> select_strings(const StringTable& strings, Wanted&& wanted) {
  IdSet ids;
  if (strings.size() > 1) {
    DOCKET_TRY(strings.scan(1, strings.size(), [&](std::uint32_t id, std::string_view text) {
      if (!text.empty() && wanted(text)) {
        ids.add(id);
      }
      return true;
    }));
  }
  ids.close(strings.size());
  return ids;
}

// Ids of the strings that match with their case: by search where `sorted`, else by one pass.
[[nodiscard]] Result<IdSet> matching_strings(const StringTable& strings, bool sorted,
                                             const std::vector<Match>& matches);

}  // namespace docket::query
