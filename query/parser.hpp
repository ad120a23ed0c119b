// The query language (docket help query): text -> Query.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/counts.hpp"
#include "engine/result.hpp"
#include "query/expression.hpp"
#include "query/time_zone.hpp"

namespace docket::query {

struct ParseContext {
  Nanos now = 0;                    // what `7d`, `today` and `now` are relative to
  TimeZone zone = TimeZone::utc();  // whose days and clock times are meant
};

// Error: invalid_argument whose message is, over three lines, what was expected, the query and a
// caret under the column; an unknown field lists near names. `Error::offset` is the byte offset.
// The query's line is safe to show on a terminal and cut around the place where it is long.
[[nodiscard]] Result<Query> parse(std::string_view text, const ParseContext& context);

// Text that parses to the same expression (times as RFC 3339 UTC) where it keeps to the bounds of a
// query: relative times and EDIT grow when they are written out. `*` is every event.
[[nodiscard]] std::string print(const Expression& expression);

// The name as typed in a query ("target.type"); "text" and "time" for the two that have none.
[[nodiscard]] std::string_view field_name(Field field);
// And back; since, until and on are `time`. nullopt for anything else.
[[nodiscard]] std::optional<Field> find_field(std::string_view name);

// What can stand before a colon, as typed: "actor.kind", "since".
[[nodiscard]] std::vector<std::string_view> field_names();

// The help page of the language, with examples that a test runs.
[[nodiscard]] std::string_view language_help();

}  // namespace docket::query
