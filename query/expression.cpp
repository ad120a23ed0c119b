#include "query/expression.hpp"

#include <algorithm>

namespace docket::query {

bool operator==(const Expression& a, const Expression& b) {
  return a.kind == b.kind && a.field == b.field && a.matches == b.matches &&
         std::equal(
             a.children.begin(), a.children.end(), b.children.begin(), b.children.end(),
             [](const ExpressionPtr& x, const ExpressionPtr& y) { return x == y || *x == *y; });
}

}  // namespace docket::query
