#include "tools/api/position.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>

#include "engine/event.hpp"
#include "tools/api/units.hpp"

namespace docket::api {

namespace {

// What stood between what was seen and the first that is still there. Nothing but retirement takes
// events from the front of a log.
void add_retired(LogSnapshot& log, Seq seen) {
  Seq first(log.last_seq.value + 1);
  if (!log.segments.empty()) {
    first = std::min(first, log.segments.front()->info().first_seq);
  }
  if (!log.gaps.empty()) {
    first = std::min(first, log.gaps.front().first_seq);
  }
  if (first.value > seen.value + 1) {
    log.gaps.insert(log.gaps.begin(), Gap{log.log, Seq(seen.value + 1), Seq(first.value - 1),
                                          "retired before it was looked at"});
  }
}

query::ExpressionPtr group(query::Expression::Kind kind,
                           std::vector<query::ExpressionPtr> children) {
  query::Expression expression;
  expression.kind = kind;
  expression.children = std::move(children);
  return std::make_shared<const query::Expression>(std::move(expression));
}

}  // namespace

std::optional<Position> parse_position(std::string_view text) {
  Position position;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    const std::size_t colon = std::min(item.find(':'), item.size());
    const std::string_view log = item.substr(0, colon);
    const auto seq = parse_number<std::uint64_t>(item.substr(std::min(colon + 1, item.size())));
    if (!is_log_name(log) || !seq) {
      return std::nullopt;
    }
    position[std::string(log)] = *seq;
  }
  return position;
}

std::string to_string(const Position& position) {
  std::string text;
  for (const auto& [log, seq] : position) {
    fmt::format_to(std::back_inserter(text), "{}{}:{}", text.empty() ? "" : ",", log, seq);
  }
  return text;
}

Result<void> check_reached(const Position& seen, const Position& reached, std::string_view name) {
  for (const auto& [log, seq] : seen) {
    const auto found = reached.find(log);
    const std::uint64_t last = found == reached.end() ? 0 : found->second;
    if (last < seq) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("{}: {} ends at {} here, before {}: this is another store, or an "
                              "older copy",
                              name, log, last, seq));
    }
  }
  return {};
}

query::ExpressionPtr between(const std::string& log, std::uint64_t first, std::uint64_t last) {
  query::Expression in_log;
  in_log.kind = query::Expression::Kind::condition;
  in_log.field = query::Field::log;
  in_log.matches.emplace_back().text = log;
  query::Expression in_range;
  in_range.kind = query::Expression::Kind::condition;
  in_range.field = query::Field::seq;
  query::Match& range = in_range.matches.emplace_back();
  range.seq_first = first;
  range.seq_last = last;
  return group(query::Expression::Kind::conjunction,
               {std::make_shared<const query::Expression>(std::move(in_log)),
                std::make_shared<const query::Expression>(std::move(in_range))});
}

Since since(StoreSnapshot snapshot, const query::Query& query, const Position& seen) {
  Since result{{}, query};
  if (seen.empty()) {
    result.snapshot = std::move(snapshot);
    return result;
  }
  std::vector<query::ExpressionPtr> any;
  for (LogSnapshot& log : snapshot.logs) {
    const auto found = seen.find(log.log);
    const Seq last(found == seen.end() ? 0 : found->second);
    if (log.last_seq <= last) {
      continue;
    }
    std::erase_if(log.segments, [last](const auto& s) { return s->info().last_seq <= last; });
    std::erase_if(log.gaps, [last](const Gap& gap) { return gap.last_seq <= last; });
    add_retired(log, last);
    any.push_back(between(log.log, last.value + 1, log.last_seq.value));
    result.snapshot.logs.push_back(std::move(log));
  }
  if (!any.empty()) {
    result.query.where =
        group(query::Expression::Kind::conjunction,
              {query.where, group(query::Expression::Kind::disjunction, std::move(any))});
  }
  return result;
}

}  // namespace docket::api
