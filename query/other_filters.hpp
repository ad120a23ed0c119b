// A query without its own conditions on one field: what a row of filters counts that field's values
// under, so that another value can be chosen instead.
#pragma once

#include "query/expression.hpp"

namespace docket::query {

// Without the conditions on `field` that hold for the whole query, negated ones included; those
// within an OR or a parenthesis with others are part of something else and stay. The same
// expression where there are none.
[[nodiscard]] ExpressionPtr without_conditions_on(const ExpressionPtr& where, Field field);

}  // namespace docket::query
