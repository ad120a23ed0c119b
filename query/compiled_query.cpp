#include "query/compiled_query.hpp"

#include <algorithm>

namespace docket::query {
namespace {

// What binding a condition to a set of dictionaries costs: nothing, a small dictionary, the actor
// table, the target table, every string.
[[nodiscard]] int bind_cost_of(Field field) {
  switch (field) {
    case Field::log:
    case Field::seq:
    case Field::time:
      return 0;
    case Field::verb:
    case Field::outcome:
    case Field::actor_kind:
    case Field::target_type:
    case Field::node:
    case Field::reason:
      return 1;
    case Field::ip:
    case Field::actor:
    case Field::actor_id:
    case Field::actor_name:
    case Field::actor_role:
      return 2;
    case Field::session:
    case Field::request:
    case Field::target:
    case Field::target_id:
    case Field::target_name:
      return 3;
    case Field::payload:
    case Field::changed:
    case Field::old_value:
    case Field::new_value:
      return 4;
    case Field::text:
      return 5;
  }
  return 5;
}

[[nodiscard]] CompiledNode compile_condition(const Expression& expression) {
  CompiledNode node;
  node.kind = expression.kind;
  node.field = expression.field;
  node.matches = expression.matches;
  node.bind_cost = bind_cost_of(expression.field);
  if (expression.field == Field::text) {
    for (const Match& match : expression.matches) {
      node.needles.emplace_back(match.text);
    }
  }
  if (PayloadMatcher::reads(expression.field)) {
    node.payload = std::make_shared<const PayloadMatcher>(expression.field, expression.matches);
  }
  return node;
}

}  // namespace

CompiledNode compile(const Expression& expression) {
  if (expression.kind == Expression::Kind::condition) {
    return compile_condition(expression);
  }
  CompiledNode node;
  node.kind = expression.kind;
  for (const ExpressionPtr& child : expression.children) {
    node.children.push_back(compile(*child));
    node.bind_cost = std::max(node.bind_cost, node.children.back().bind_cost);
  }
  std::stable_sort(
      node.children.begin(), node.children.end(),
      [](const CompiledNode& a, const CompiledNode& b) { return a.bind_cost < b.bind_cost; });
  return node;
}

}  // namespace docket::query
