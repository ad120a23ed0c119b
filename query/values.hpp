// A field's value as typed -> what is compared. Internal to query/.
#pragma once

#include <vector>

#include "engine/result.hpp"
#include "query/expression.hpp"
#include "query/lexer.hpp"

namespace docket::query {

// The matches that one value of `field` stands for: one, or two where EDIT and UPDATE find each
// other. Not for text and time. Error: invalid_argument with the place of the value.
[[nodiscard]] Result<std::vector<Match>> parse_value(Field field, const Value& value);

}  // namespace docket::query
