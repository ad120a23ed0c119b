// What a query has to say for the system's own log to be part of its answer. Internal to query/ and
// the API's scopes.
#pragma once

#include <string_view>

#include "query/expression.hpp"

namespace docket::query {

// What the system says of itself is not part of an answer unless it is asked for by name: else
// reading the log, which it records, would change the next answer.
inline constexpr std::string_view system_log = "docket";

// Whether a log: condition stands anywhere, other than under a NOT.
[[nodiscard]] bool names_log(const Expression& where);

// The same expression for all other logs. Of the system's own, it leaves those events that none of
// the log: conditions finds by name: `log:api OR outcome:denied` is not about its denials. Under a
// NOT it is the other way round, as of its terms then any is enough.
[[nodiscard]] ExpressionPtr with_system_log_named(const ExpressionPtr& where);

}  // namespace docket::query
