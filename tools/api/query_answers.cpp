// Answers with the content of events, or with numbers taken from it.
#include <fmt/format.h>

#include <algorithm>

#include "engine/timestamp.hpp"
#include "query/parser.hpp"
#include "query/render.hpp"
#include "tools/api/service.hpp"
#include "tools/api/units.hpp"

namespace docket::api {

namespace {

// Events are fetched in small pages, so that memory is bounded by this many of the largest events.
constexpr std::uint32_t fetch_rows = 200;

// A cursor of ours is the time at which the first page was asked, in hexadecimal, a dot, and the
// searcher's own cursor: `since:7d` must mean the same instant on every page of a walk. The time is
// 0 where the query does not depend on it, so that the same question has the same cursor.
struct WalkPosition {
  Nanos now = 0;
  std::string cursor;
};

// Whether the query means something else at another time. In a year and a half from `now` every
// word for a time means another instant: the clock and the date both differ.
Result<bool> depends_on_clock(const Parameters& parameters, Nanos now) {
  constexpr Nanos later = (547 * Nanos{24} + 7) * 3'600'000'000'000 + 777;
  DOCKET_ASSIGN(const Question asked, Service::question(parameters, now, {}));
  DOCKET_ASSIGN(const Question then, Service::question(parameters, now + later, {}));
  return query::print(*then.query.where) != query::print(*asked.query.where);
}

Result<WalkPosition> parse_walk(std::string_view text) {
  WalkPosition position;
  if (text.empty()) {
    position.now = now_ns();
    return position;
  }
  const std::size_t dot = text.find('.');
  const auto now = parse_number<std::uint64_t>(text.substr(0, dot), 16);
  if (dot == std::string_view::npos || dot + 1 == text.size() || !now ||
      *now > static_cast<std::uint64_t>(now_ns())) {
    return fail(ErrorCode::invalid_argument, "cursor: is damaged");
  }
  position.now = static_cast<Nanos>(*now);
  position.cursor = text.substr(dot + 1);
  return position;
}

void append_facet_values(std::string& out, const std::vector<query::FacetValue>& values) {
  out += '[';
  const char* separator = "";
  for (const query::FacetValue& value : values) {
    out += separator;
    out += "{\"value\":";
    query::append_json_string(out, value.value);
    fmt::format_to(std::back_inserter(out), ",\"count\":{}}}", value.count);
    separator = ",";
  }
  out += ']';
}

// A page as text, up to the end of its last event.
struct FoundPage {
  std::string body = "{\"events\":[";
  std::uint64_t rows = 0;
  std::vector<Gap> gaps;
  std::string next;
};

Result<FoundPage> find_page(query::Searcher& searcher, const query::Query& query,
                            query::Order order, const std::string& cursor, std::uint64_t wanted) {
  FoundPage found;
  query::PageRequest request;
  request.order = order;
  request.cursor = cursor;
  do {
    request.limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, fetch_rows));
    const std::uint64_t before = found.rows;
    DOCKET_ASSIGN(query::Page page,
                  searcher.search(query, request, [&found](const query::StoredView& event) {
                    if (found.rows++ != 0) {
                      found.body += ',';
                    }
                    query::append_json(found.body, event, query::PayloadForm::as_sent);
                  }));
    wanted -= found.rows - before;
    found.gaps.insert(found.gaps.end(), page.gaps.begin(), page.gaps.end());
    request.cursor = std::move(page.next);
  } while (wanted > 0 && !request.cursor.empty() && found.body.size() < page_bytes_max);
  merge_gaps(found.gaps);
  found.next = std::move(request.cursor);
  return found;
}

// One event by its name. What is not in the scope is as if it had never been stored.
Result<Event> find_event(query::Searcher& searcher, const query::Query& query,
                         const std::string& log, Seq seq, const Scope& scope) {
  if (scope.is_everything()) {
    return searcher.event(log, seq);
  }
  DOCKET_ASSIGN(query::Page page, searcher.search(query, {}));
  if (!page.events.empty()) {
    return std::move(page.events.front());
  }
  if (!page.gaps.empty()) {
    DOCKET_TRY(searcher.event(log, seq));  // says where it is damaged
  }
  return fail(ErrorCode::not_found,
              fmt::format("there is no event {}:{} in the scope of this token", log, seq.value));
}

// Ends the body with its gaps.
Answer answer_of(std::string body, std::string operation, const Parameters& parameters,
                 std::uint64_t rows, std::vector<Gap> gaps) {
  query::append_json_gaps(body, gaps);
  body += '}';
  Answer answer;
  answer.body = std::move(body);
  answer.read =
      ReadRecord{std::move(operation), std::string(parameters.value("q")), rows, std::move(gaps)};
  return answer;
}

void append_condition_plan(std::string& out, const query::ConditionPlan& plan) {
  out += "{\"condition\":";
  query::append_json_string(out, plan.condition);
  fmt::format_to(std::back_inserter(out),
                 ",\"segments\":{},\"without\":{},\"every_row\":{},\"scanned\":{},\"bitmaps\":{},"
                 "\"bitmap_rows\":{},\"rare_values\":{},\"rare_rows\":{}}}",
                 plan.segments, plan.without, plan.every_row, plan.scanned, plan.bitmaps,
                 plan.bitmap_rows, plan.rare_values, plan.rare_rows);
}

void append_explained_counters(std::string& out, const query::Explanation& explained) {
  const query::ExecutionCounters& counters = explained.counters;
  fmt::format_to(
      std::back_inserter(out),
      "\"count\":{},\"segments\":{},\"segments_outside\":{},\"segments_ruled_out\":{},"
      "\"segments_left\":{},\"blocks\":{},\"blocks_ruled_out\":{},\"blocks_left\":{},"
      "\"postings_read\":{},\"columns_scanned\":{},\"payload_rows_scanned\":{},\"bytes_read\":{},",
      explained.count, counters.segments, counters.segments_outside,
      counters.segments_pruned - counters.segments_outside,
      counters.segments - counters.segments_pruned, counters.blocks, counters.blocks_pruned,
      counters.blocks - counters.blocks_pruned, counters.postings_read, counters.columns_scanned,
      counters.payload_rows_scanned, explained.bytes_read);
}

void append_plan(std::string& out, const query::Explanation& explained) {
  append_explained_counters(out, explained);
  out += "\"conditions\":[";
  const char* separator = "";
  for (const query::ConditionPlan& plan : explained.conditions) {
    out += separator;
    append_condition_plan(out, plan);
    separator = ",";
  }
  fmt::format_to(std::back_inserter(out), "],\"conditions_left_out\":{},",
                 explained.conditions_left_out);
}

Result<std::vector<query::Field>> parse_fields(std::string_view list) {
  std::vector<query::Field> fields;
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), name.size() + 1));
    DOCKET_ASSIGN(const query::Field field, query::parse_facet_field(name));
    if (std::ranges::find(fields, field) == fields.end()) {
      fields.push_back(field);
    }
  }
  if (fields.empty()) {
    return fail(ErrorCode::invalid_argument, "by: must name at least one field");
  }
  return fields;
}

}  // namespace

Result<Answer> Service::search(const Parameters& parameters, const std::atomic<bool>* cancel,
                               const Scope& scope) const {
  DOCKET_TRY(parameters.expect_only({"q", "tz", "limit", "cursor", "oldest"}));
  DOCKET_ASSIGN(const auto limit, parameters.number("limit", 1, query::page_limit_max));
  DOCKET_ASSIGN(const bool oldest, parameters.flag("oldest"));
  DOCKET_ASSIGN(WalkPosition position, parse_walk(parameters.value("cursor")));
  DOCKET_ASSIGN(Question asked, question(parameters, position.now, scope));
  if (position.cursor.empty()) {
    DOCKET_ASSIGN(const bool depends, depends_on_clock(parameters, position.now));
    position.now = depends ? position.now : 0;
  }
  // The text is a cursor's identity: with these in it, a cursor only goes with its own clock and
  // time zone.
  asked.query.text += fmt::format("\n{}\n{}", asked.zone.name(), position.now);

  const std::uint64_t wanted = limit.value_or(search_limit_default);
  const auto order = oldest ? query::Order::oldest_first : query::Order::newest_first;
  DOCKET_ASSIGN(FoundPage page, ask(asked, cancel, [&](query::Searcher& searcher) {
                  return find_page(searcher, asked.query, order, position.cursor, wanted);
                }));
  std::string body = std::move(page.body);
  body += "],\"next\":";
  if (page.next.empty()) {
    body += "null";
  } else {
    query::append_json_string(
        body, fmt::format("{:x}.{}", static_cast<std::uint64_t>(position.now), page.next));
  }
  body += ',';
  return answer_of(std::move(body), "search", parameters, page.rows, std::move(page.gaps));
}

Result<Answer> Service::count(const Parameters& parameters, const std::atomic<bool>* cancel,
                              const Scope& scope) const {
  DOCKET_TRY(parameters.expect_only({"q", "tz"}));
  DOCKET_ASSIGN(const Question asked, question(parameters, now_ns(), scope));
  DOCKET_ASSIGN(
      const query::CountAnswer counted,
      ask(asked, cancel, [&](query::Searcher& searcher) { return searcher.count(asked.query); }));
  std::string body = fmt::format("{{\"count\":{},", counted.count);
  return answer_of(std::move(body), "count", parameters, counted.count, counted.gaps);
}

Result<Answer> Service::facets(const Parameters& parameters, const std::atomic<bool>* cancel,
                               const Scope& scope) const {
  DOCKET_TRY(parameters.expect_only({"q", "tz", "by", "top", "others"}));
  DOCKET_ASSIGN(const auto top, parameters.number("top", 1, facet_top_max));
  DOCKET_ASSIGN(const auto fields,
                parse_fields(parameters.find("by").value_or(facet_fields_default)));
  DOCKET_ASSIGN(const bool others, parameters.flag("others"));
  const auto counted = others ? query::FacetScope::other_filters : query::FacetScope::query;
  DOCKET_ASSIGN(const Question asked, question(parameters, now_ns(), scope));
  const auto top_values = static_cast<std::uint32_t>(top.value_or(facet_top_default));
  DOCKET_ASSIGN(const query::FacetsAnswer found, ask(asked, cancel, [&](query::Searcher& searcher) {
                  return searcher.facets(asked.query, fields, top_values, counted);
                }));
  std::string body = "{\"facets\":{";
  const char* separator = "";
  for (const query::Facet& facet : found.facets) {
    body += separator;
    query::append_json_string(body, query::field_name(facet.field));
    body += ":{\"values\":";
    append_facet_values(body, facet.values);
    fmt::format_to(std::back_inserter(body), ",\"distinct\":{},\"other\":{}}}", facet.distinct,
                   facet.other);
    separator = ",";
  }
  body += "},";
  return answer_of(std::move(body), "facets", parameters, found.count, found.gaps);
}

Result<Answer> Service::histogram(const Parameters& parameters, const std::atomic<bool>* cancel,
                                  const Scope& scope) const {
  DOCKET_TRY(parameters.expect_only({"q", "tz", "every", "by"}));
  if (!parameters.find("every")) {
    return fail(ErrorCode::invalid_argument, "every: is required, for example every=1h");
  }
  DOCKET_ASSIGN(const query::BucketWidth width,
                query::parse_bucket_width(parameters.value("every")));
  std::optional<query::Field> by;
  if (const auto name = parameters.find("by")) {
    DOCKET_ASSIGN(by, query::parse_facet_field(*name));
  }
  DOCKET_ASSIGN(const Question asked, question(parameters, now_ns(), scope));
  DOCKET_ASSIGN(const query::HistogramAnswer found,
                ask(asked, cancel, [&](query::Searcher& searcher) {
                  return searcher.histogram(asked.query, width, asked.zone, by);
                }));
  std::string body = fmt::format("{{\"every\":\"{}{}\",", width.count, width.unit);
  if (by) {
    body += "\"by\":";
    query::append_json_string(body, query::field_name(*by));
    body += ',';
  }
  body += "\"buckets\":[";
  std::uint64_t rows = 0;
  const char* separator = "";
  for (const query::HistogramBucket& bucket : found.buckets) {
    body += separator;
    body += "{\"start\":\"";
    append_rfc3339(body, bucket.start);
    fmt::format_to(std::back_inserter(body), "\",\"count\":{}", bucket.count);
    if (by) {
      body += ",\"by\":";
      append_facet_values(body, bucket.by);
    }
    body += '}';
    rows += bucket.count;
    separator = ",";
  }
  body += "],";
  return answer_of(std::move(body), "histogram", parameters, rows, found.gaps);
}

Result<Answer> Service::explain(const Parameters& parameters, const std::atomic<bool>* cancel,
                                const Scope& scope) const {
  DOCKET_TRY(parameters.expect_only({"q", "tz"}));
  const Nanos now = now_ns();
  DOCKET_ASSIGN(const Question own, question(parameters, now, {}));
  DOCKET_ASSIGN(const Question asked, question(parameters, now, scope));
  DOCKET_ASSIGN(
      const query::Explanation explained,
      ask(asked, cancel, [&](query::Searcher& searcher) { return searcher.explain(asked.query); }));
  std::string body = "{\"query\":";
  // What the asker's token leaves out is not part of what they asked.
  query::append_json_string(
      body, scope.is_everything() ? explained.query : query::print(*own.query.where));
  body += ",\"logs\":[";
  const char* separator = "";
  for (const std::string& log : explained.logs) {
    body += separator;
    query::append_json_string(body, log);
    separator = ",";
  }
  body += "],";
  if (scope.is_everything()) {
    append_plan(body, explained);
  } else {
    // What was looked at to find it tells of events that are not in the scope: how many have a
    // value, and in which segments one occurs.
    fmt::format_to(std::back_inserter(body), "\"count\":{},\"scoped\":true,\"conditions\":[],",
                   explained.count);
  }
  return answer_of(std::move(body), "explain", parameters, explained.count, explained.gaps);
}

Result<Answer> Service::event(const Route& route, const Parameters& parameters,
                              const std::atomic<bool>* cancel, const Scope& scope) const {
  DOCKET_TRY(parameters.expect_only({}));
  if (!is_log_name(route.log)) {
    return fail(ErrorCode::invalid_argument,
                "log: must be a lower-case letter and up to 31 of a-z 0-9 _ -");
  }
  const std::uint64_t seq = parse_number<std::uint64_t>(route.seq).value_or(0);
  if (seq == 0) {
    return fail(ErrorCode::invalid_argument, "seq: must be a whole number from 1");
  }
  Question one;
  one.query.where = between(route.log, seq, seq);
  one.query.names_log = true;
  DOCKET_ASSIGN(one, scope.narrow(std::move(one), now_ns()));
  DOCKET_ASSIGN(const Event found, ask(one, cancel, [&](query::Searcher& searcher) {
                  return find_event(searcher, one.query, route.log, Seq(seq), scope);
                }));
  Answer answer;
  query::append_json(answer.body, found, query::PayloadForm::as_sent);
  answer.read = ReadRecord{"event", fmt::format("{}:{}", route.log, seq), 1, {}};
  return answer;
}

}  // namespace docket::api
