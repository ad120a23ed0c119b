// A query prepared once for all segments: its conditions with their needles, in the order in which
// binding them is cheapest.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "query/expression.hpp"
#include "query/payload_match.hpp"
#include "query/text_match.hpp"

namespace docket::query {

struct CompiledNode {
  Expression::Kind kind = Expression::Kind::all;
  Field field = Field::text;
  std::vector<Match> matches;
  std::vector<Needle> needles;                    // of a `text` condition
  std::shared_ptr<const PayloadMatcher> payload;  // of a condition that reads payloads
  int bind_cost = 0;                              // a rank, not a unit
  std::vector<CompiledNode> children;             // of a con- or disjunction: cheapest first
};

[[nodiscard]] CompiledNode compile(const Expression& expression);

}  // namespace docket::query
