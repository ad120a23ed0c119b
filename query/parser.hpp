// The query language (docket help query): text -> Query.
#pragma once

#include <string>
#include <string_view>

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
[[nodiscard]] Result<Query> parse(std::string_view text, const ParseContext& context);

// Text that parses to the same expression (times as RFC 3339 UTC).
[[nodiscard]] std::string print(const Expression& expression);

// The name as typed in a query ("target.type"), and back.
[[nodiscard]] std::string_view field_name(Field field);

// The help page of the language, with examples that a test runs.
[[nodiscard]] std::string_view language_help();

}  // namespace docket::query
