// How far each log has been seen: what a tail and a resumed export go on from.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "engine/result.hpp"
#include "engine/snapshot.hpp"
#include "query/expression.hpp"

namespace docket::api {

// The last seq seen, per log. A log that is not named has not been looked at.
using Position = std::map<std::string, std::uint64_t>;

// "activity:17,api:3"; empty is no log at all. nullopt for anything else.
[[nodiscard]] std::optional<Position> parse_position(std::string_view text);
[[nodiscard]] std::string to_string(const Position& position);

// Whether logs that go as far as `reached` can be those that were seen as far as `seen`. Error:
// invalid_argument, naming the parameter `name` and the log that ends before what was seen of it.
[[nodiscard]] Result<void> check_reached(const Position& seen, const Position& reached,
                                         std::string_view name);

// Holds for the events of one log with a seq of first..last.
[[nodiscard]] query::ExpressionPtr between(const std::string& log, std::uint64_t first,
                                           std::uint64_t last);

// A part of the store, and the query that finds in it what `query` finds.
struct Since {
  StoreSnapshot snapshot;
  query::Query query;
};
// What `snapshot` has beyond `seen`, damage included; what was retired unseen is a gap, too, unless
// `seen` names no log at all.
[[nodiscard]] Since since(StoreSnapshot snapshot, const query::Query& query, const Position& seen);

}  // namespace docket::api
