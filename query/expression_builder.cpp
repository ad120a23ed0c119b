#include "query/expression_builder.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

namespace docket::query {

namespace {

using Kind = Expression::Kind;

ExpressionPtr make_group(Kind kind, ExpressionPtrs children) {
  auto group = std::make_shared<Expression>();
  group->kind = kind;
  group->children = std::move(children);
  return group;
}

// Replaces children of the group's own kind by their children.
ExpressionPtrs flattened(Kind kind, ExpressionPtrs children) {
  ExpressionPtrs flat;
  for (ExpressionPtr& child : children) {
    if (child->kind == kind) {
      flat.insert(flat.end(), child->children.begin(), child->children.end());
    } else {
      flat.push_back(std::move(child));
    }
  }
  return flat;
}

// What tells one match of a field from another.
std::string match_key(const Match& match) {
  std::string key(match.prefix ? "*" : "=");
  key += match.text;
  key.append(reinterpret_cast<const char*>(match.ip.bytes.data()), match.ip.bytes.size());
  for (const std::uint64_t number :
       {std::uint64_t{match.ip_bits}, match.seq_first, match.seq_last}) {
    key += ' ' + std::to_string(number);
  }
  return key;
}

}  // namespace

ExpressionPtr make_all() {
  return std::make_shared<Expression>();
}

ExpressionPtr make_condition(Field field, std::vector<Match> matches) {
  auto condition = std::make_shared<Expression>();
  condition->kind = Kind::condition;
  condition->field = field;
  condition->matches = std::move(matches);
  return condition;
}

ExpressionPtr make_time(TimeRange range) {
  Match match;
  match.since = range.since;
  match.until = range.until;
  return make_condition(Field::time, {match});
}

ExpressionPtr make_negation(ExpressionPtr child) {
  return make_group(Kind::negation, {std::move(child)});
}

bool is_time(const Expression& expression) {
  return expression.kind == Kind::condition && expression.field == Field::time;
}

ExpressionPtr make_disjunction(ExpressionPtrs children) {
  ExpressionPtrs flat = flattened(Kind::disjunction, std::move(children));
  return flat.size() == 1 ? flat.front() : make_group(Kind::disjunction, std::move(flat));
}

ExpressionPtr make_conjunction(ExpressionPtrs children) {
  ExpressionPtrs kept;
  std::size_t time_place = 0;
  std::optional<TimeRange> time;
  for (ExpressionPtr& child : flattened(Kind::conjunction, std::move(children))) {
    if (child->kind == Kind::all) {
      continue;
    }
    if (is_time(*child)) {
      const Match& match = child->matches.front();
      if (time.has_value()) {
        time->since = std::max(time->since, match.since);
        time->until = std::min(time->until, match.until);
        kept[time_place] = make_time(*time);
        continue;
      }
      time = TimeRange{match.since, match.until};
      time_place = kept.size();
    }
    kept.push_back(std::move(child));
  }
  if (kept.empty()) {
    return make_all();
  }
  return kept.size() == 1 ? kept.front() : make_group(Kind::conjunction, std::move(kept));
}

void Run::add(ExpressionPtr term) {
  places_.push_back({std::move(term), {}, {}, {}, Field::text});
}

Run::Place& Run::place_of(Field field) {
  std::size_t& place = place_of_field_[static_cast<std::size_t>(field)];
  if (place == 0) {
    places_.push_back({nullptr, {}, {}, {}, field});
    place = places_.size();
  }
  return places_[place - 1];
}

void Run::add_days(const std::vector<TimeRange>& days) {
  Place& condition = place_of(Field::time);
  for (const TimeRange& day : days) {
    if (std::find(condition.days.begin(), condition.days.end(), day) == condition.days.end()) {
      condition.days.push_back(day);
    }
  }
}

std::size_t Run::add_values(Field field, const std::vector<Match>& matches) {
  Place& condition = place_of(field);
  std::size_t added = 0;
  for (const Match& match : matches) {
    if (condition.keys.insert(match_key(match)).second) {
      condition.matches.push_back(match);
      ++added;
    }
  }
  return added;
}

ExpressionPtrs Run::take() {
  ExpressionPtrs terms;
  for (Place& place : places_) {
    if (place.term != nullptr) {
      terms.push_back(std::move(place.term));
    } else if (!place.days.empty()) {
      ExpressionPtrs days;
      std::transform(place.days.begin(), place.days.end(), std::back_inserter(days), make_time);
      terms.push_back(make_disjunction(std::move(days)));
    } else {
      terms.push_back(make_condition(place.field, std::move(place.matches)));
    }
  }
  return terms;
}

}  // namespace docket::query
