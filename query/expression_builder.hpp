// How the parser puts expressions together, in the canonical form that expression.hpp describes.
// Internal to query/.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <unordered_set>
#include <vector>

#include "query/expression.hpp"
#include "query/time_terms.hpp"

namespace docket::query {

using ExpressionPtrs = std::vector<ExpressionPtr>;

[[nodiscard]] ExpressionPtr make_all();
[[nodiscard]] ExpressionPtr make_condition(Field field, std::vector<Match> matches);
[[nodiscard]] ExpressionPtr make_time(TimeRange range);
[[nodiscard]] ExpressionPtr make_negation(ExpressionPtr child);
// Not for no children. One child is returned as it is.
[[nodiscard]] ExpressionPtr make_disjunction(ExpressionPtrs children);
// Every event is left out, and time conditions become their intersection where the first stood.
[[nodiscard]] ExpressionPtr make_conjunction(ExpressionPtrs children);

[[nodiscard]] bool is_time(const Expression& expression);

// The terms that stand side by side between operators. The values of one field that is named more
// than once are gathered in one condition, where the field stood first, and so are days.
class Run {
 public:
  void add(ExpressionPtr term);
  // Whole days, of which an event is in any: on: is a field like others.
  void add_days(const std::vector<TimeRange>& days);
  // The number of values that were not there yet.
  std::size_t add_values(Field field, const std::vector<Match>& matches);
  [[nodiscard]] bool empty() const { return places_.empty(); }
  // The terms in order; the run is of no more use.
  [[nodiscard]] ExpressionPtrs take();

 private:
  struct Place {
    ExpressionPtr term;  // null: a condition that is still being gathered
    std::vector<Match> matches;
    std::vector<TimeRange> days;
    std::unordered_set<std::string> keys;
    Field field;
  };
  // Where the values of the field are gathered; made where there are none yet.
  Place& place_of(Field field);

  static constexpr std::size_t field_count = static_cast<std::size_t>(Field::time) + 1;

  std::vector<Place> places_;
  std::array<std::size_t, field_count> place_of_field_{};  // 1 + index in places_; 0: not yet
};

}  // namespace docket::query
