#include "query/other_filters.hpp"

#include <algorithm>
#include <memory>

namespace docket::query {

namespace {

using Kind = Expression::Kind;

bool is_about(const Expression& expression, Field field) {
  if (expression.kind == Kind::negation) {
    return is_about(*expression.children.front(), field);
  }
  return expression.kind == Kind::condition && expression.field == field;
}

}  // namespace

ExpressionPtr without_conditions_on(const ExpressionPtr& where, Field field) {
  if (is_about(*where, field)) {
    return std::make_shared<const Expression>();
  }
  const auto about = [field](const ExpressionPtr& child) { return is_about(*child, field); };
  if (where->kind != Kind::conjunction || std::ranges::none_of(where->children, about)) {
    return where;
  }
  Expression rest = *where;
  std::erase_if(rest.children, about);
  if (rest.children.empty()) {
    return std::make_shared<const Expression>();
  }
  if (rest.children.size() == 1) {
    return rest.children.front();
  }
  return std::make_shared<const Expression>(std::move(rest));
}

}  // namespace docket::query
