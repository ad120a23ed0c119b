#include "query/system_log.hpp"

#include <algorithm>
#include <string>

#include "query/expression_builder.hpp"

namespace docket::query {
namespace {

using Kind = Expression::Kind;

ExpressionPtr as_it_stands(const ExpressionPtr& expression, bool negated) {
  return negated ? make_negation(expression) : expression;
}

// Whether all that it finds, it finds by a log's name.
bool always_names(const Expression& expression, bool negated) {
  const auto names = [&](const ExpressionPtr& child) { return always_names(*child, negated); };
  switch (expression.kind) {
    case Kind::condition:
      return expression.field == Field::log && !negated;
    case Kind::negation:
      return always_names(*expression.children.front(), !negated);
    case Kind::conjunction:
    case Kind::disjunction:
      return (expression.kind == Kind::conjunction) != negated
                 ? std::ranges::any_of(expression.children, names)
                 : std::ranges::all_of(expression.children, names);
    case Kind::all:
      return false;
  }
  return false;
}

// What it finds by a log's name; null: nothing.
ExpressionPtr named_part(const ExpressionPtr& expression, bool negated) {
  if (always_names(*expression, negated)) {
    return as_it_stands(expression, negated);
  }
  if (expression->kind == Kind::negation) {
    return named_part(expression->children.front(), !negated);
  }
  ExpressionPtrs parts;
  for (const ExpressionPtr& child : expression->children) {
    if (ExpressionPtr part = named_part(child, negated)) {
      parts.push_back(std::move(part));
    }
  }
  if (parts.empty()) {
    return nullptr;
  }
  ExpressionPtr any = make_disjunction(std::move(parts));
  return (expression->kind == Kind::conjunction) != negated
             ? make_conjunction({as_it_stands(expression, negated), std::move(any)})
             : any;
}

}  // namespace

bool names_log(const Expression& where) {
  // The pointer does not own: nothing of what is made here outlives this.
  return named_part(ExpressionPtr(ExpressionPtr(), &where), false) != nullptr;
}

ExpressionPtr with_system_log_named(const ExpressionPtr& where) {
  if (always_names(*where, false)) {
    return where;
  }
  Match own;
  own.text = system_log;
  ExpressionPtrs parts = {
      make_conjunction({where, make_negation(make_condition(Field::log, {std::move(own)}))})};
  if (ExpressionPtr named = named_part(where, false)) {
    parts.push_back(std::move(named));
  }
  return make_disjunction(std::move(parts));
}

}  // namespace docket::query
