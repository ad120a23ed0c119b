// Answers about the store itself: logs, segments, statistics, senders, retention.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/quarantine.hpp"
#include "engine/store_layout.hpp"
#include "engine/timestamp.hpp"
#include "query/parser.hpp"
#include "query/render.hpp"
#include "tools/api/quarantine_json.hpp"
#include "tools/api/service.hpp"
#include "tools/api/units.hpp"

namespace docket::api {

namespace {

std::string time_or_null(Nanos time) {
  return time == 0 ? "null" : fmt::format("\"{}\"", format_rfc3339(time));
}

std::vector<Gap> gaps_of(const StoreSnapshot& snapshot) {
  std::vector<Gap> gaps;
  for (const LogSnapshot& log : snapshot.logs) {
    gaps.insert(gaps.end(), log.gaps.begin(), log.gaps.end());
  }
  return gaps;
}

// Exact numbers of events per log since `ago`, by their own time.
Result<std::map<std::string, std::uint64_t>> events_since(query::Searcher& searcher, Nanos now,
                                                          std::string_view ago) {
  query::ParseContext context;
  context.now = now;
  DOCKET_ASSIGN(const query::Query recent,
                query::parse(fmt::format("log:* since:{}", ago), context));
  DOCKET_ASSIGN(
      const query::FacetsAnswer found,
      searcher.facets(recent, {query::Field::log}, static_cast<std::uint32_t>(limits::logs_max)));
  std::map<std::string, std::uint64_t> counts;
  for (const query::FacetValue& value : found.facets.front().values) {
    counts[value.value] = value.count;
  }
  return counts;
}

}  // namespace

Result<Answer> Service::logs(const Parameters& parameters) const {
  DOCKET_TRY(parameters.expect_only({}));
  DOCKET_TRY(store_.snapshot());  // A read-only store looks for what is new.
  Answer answer;
  answer.body = "{\"logs\":[";
  const char* separator = "";
  for (const Log* log : store_.logs()) {
    const LogStats stats = log->stats();
    fmt::format_to(std::back_inserter(answer.body),
                   "{}{{\"log\":\"{}\",\"events\":{},\"first_seq\":{},\"last_seq\":{}}}", separator,
                   stats.log, stats.events, stats.first_seq.value, stats.last_seq.value);
    separator = ",";
  }
  answer.body += "]}";
  return answer;
}

Result<Answer> Service::segments(const Parameters& parameters) const {
  DOCKET_TRY(parameters.expect_only({"log"}));
  DOCKET_ASSIGN(const StoreSnapshot snapshot, store_.snapshot());
  const auto only = parameters.find("log");
  if (only && std::ranges::find(snapshot.logs, *only, &LogSnapshot::log) == snapshot.logs.end()) {
    return fail(ErrorCode::not_found, fmt::format("log: there is no log '{}'", *only));
  }
  Answer answer;
  answer.body = "{\"segments\":[";
  const char* separator = "";
  for (const LogSnapshot& log : snapshot.logs) {
    if (only && log.log != *only) {
      continue;
    }
    for (const auto& segment : log.segments) {
      const SegmentInfo& info = segment->info();
      fmt::format_to(
          std::back_inserter(answer.body),
          "{}{{\"log\":\"{}\",\"segment\":{},\"sealed\":{},\"first_seq\":{},\"last_seq\":{},"
          "\"events\":{},\"bytes\":{},\"ts_min\":{},\"ts_max\":{},\"received_max\":{}}}",
          separator, info.log, info.id.value, info.sealed, info.first_seq.value,
          info.last_seq.value, info.rows, info.bytes, time_or_null(info.ts_min),
          time_or_null(info.ts_max), time_or_null(info.received_max));
      separator = ",";
    }
  }
  answer.body += "],\"quarantine\":[";
  separator = "";
  for (const LogSnapshot& log : snapshot.logs) {
    if (only && log.log != *only) {
      continue;
    }
    DOCKET_ASSIGN(const Quarantine quarantine,
                  read_quarantine(posix_disk(), log_directory(store_.directory(), log.log)));
    for (const QuarantineRecord& record : quarantine.records) {
      answer.body += separator;
      append_json_quarantine(answer.body, log.log, record);
      separator = ",";
    }
  }
  answer.body += "],";
  query::append_json_gaps(answer.body, gaps_of(snapshot));
  answer.body += '}';
  return answer;
}

Result<Answer> Service::stats(const Parameters& parameters) const {
  DOCKET_TRY(parameters.expect_only({}));
  Question all;
  DOCKET_ASSIGN(all.query, query::parse("log:*", {}));
  DOCKET_ASSIGN(query::Searcher searcher, this->searcher(all, nullptr));
  const Nanos now = now_ns();
  DOCKET_ASSIGN(auto last_hour, events_since(searcher, now, "1h"));
  DOCKET_ASSIGN(auto last_day, events_since(searcher, now, "24h"));
  Answer answer;
  answer.body = "{\"logs\":[";
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  const char* separator = "";
  for (const Log* log : store_.logs()) {
    const LogStats stats = log->stats();
    fmt::format_to(
        std::back_inserter(answer.body),
        "{}{{\"log\":\"{}\",\"events\":{},\"events_1h\":{},\"events_24h\":{},\"first_seq\":{},"
        "\"last_seq\":{},\"segments\":{},\"bytes\":{},\"retired_events\":{},\"last_received\":{},"
        "\"failed\":{}}}",
        separator, stats.log, stats.events, last_hour[stats.log], last_day[stats.log],
        stats.first_seq.value, stats.last_seq.value, stats.segments, stats.bytes,
        stats.retired_events, time_or_null(stats.last_received), stats.failed);
    events += stats.events;
    bytes += stats.bytes;
    separator = ",";
  }
  fmt::format_to(std::back_inserter(answer.body), "],\"events\":{},\"bytes\":{},", events, bytes);
  if (options_.server_facts) {
    answer.body += "\"server\":";
    answer.body += options_.server_facts();
    answer.body += ',';
  }
  query::append_json_gaps(answer.body, gaps_of(searcher.snapshot()));
  answer.body += '}';
  return answer;
}

namespace {

std::string text_or_null(std::string_view text) {
  std::string out = "null";
  if (!text.empty()) {
    out.clear();
    query::append_json_string(out, text);
  }
  return out;
}

void append_missing(std::string& out, const std::vector<ingest::MissingBatches>& missing) {
  const char* separator = "";
  for (const ingest::MissingBatches& each : missing) {
    fmt::format_to(std::back_inserter(out),
                   "{}{{\"epoch\":{},\"first\":{},\"last\":{},\"since\":\"{}\",\"final\":{}}}",
                   separator, each.epoch, each.first, each.last, format_rfc3339(each.since),
                   each.is_final);
    separator = ",";
  }
}

// What only the running server knows.
void append_seen(std::string& out, const SenderRow& row, Nanos now) {
  constexpr Nanos second = 1'000'000'000;
  constexpr Nanos millisecond = 1'000'000;
  fmt::format_to(std::back_inserter(out),
                 ",\"state\":\"{}\",\"last_heard\":{},\"silent_seconds\":{},\"address\":{},"
                 "\"way\":{},\"connections\":{},\"clock_ahead_ms\":{},\"missing\":[",
                 to_string(row.state), time_or_null(row.last_heard),
                 std::max<Nanos>(now - row.last_heard, 0) / second, text_or_null(row.address),
                 text_or_null(row.way), row.connections,
                 row.clock_ahead ? std::to_string(*row.clock_ahead / millisecond) : "null");
  append_missing(out, row.missing);
  out += ']';
}

}  // namespace

Result<Answer> Service::nodes(const Parameters& parameters) const {
  DOCKET_TRY(parameters.expect_only({}));
  DOCKET_ASSIGN(const StoreSnapshot snapshot, store_.snapshot());
  Answer answer;
  answer.body = "{\"nodes\":[";
  const char* separator = "";
  const bool is_live = options_.senders && options_.sender_rules;
  const Nanos now = now_ns();
  const std::vector<SenderRow> rows = sender_rows(
      stored_senders(store_), is_live ? options_.senders() : std::vector<ingest::SenderFacts>(),
      is_live ? options_.sender_rules() : SenderRules(), now);
  for (const SenderRow& row : rows) {
    answer.body += separator;
    answer.body += "{\"node\":";
    query::append_json_string(answer.body, row.node);
    fmt::format_to(std::back_inserter(answer.body),
                   ",\"log\":{},\"epoch\":{},\"complete_to\":{},\"last_received\":{}",
                   text_or_null(row.log), row.epoch, row.complete_to,
                   time_or_null(row.last_received));
    if (is_live) {
      append_seen(answer.body, row, now);
    }
    answer.body += '}';
    separator = ",";
  }
  answer.body += "],";
  query::append_json_gaps(answer.body, gaps_of(snapshot));
  answer.body += '}';
  return answer;
}

Result<Answer> Service::retention(const Parameters& parameters) const {
  DOCKET_TRY(parameters.expect_only({}));
  DOCKET_TRY(store_.snapshot());
  const RetentionRules rules = options_.retention();
  const std::vector<RetirementPlan> plan =
      store_.plan_retirement(rules.policy, rules.free_space_floor, now_ns());
  Answer answer;
  answer.body = "{\"policies\":[";
  const char* separator = "";
  for (const Log* log : store_.logs()) {
    const RetentionPolicy policy = rules.policy(log->name());
    fmt::format_to(
        std::back_inserter(answer.body), "{}{{\"log\":\"{}\",\"max_age\":{},\"max_bytes\":{}}}",
        separator, log->name(),
        policy.max_age ? fmt::format("\"{}\"", format_duration(*policy.max_age)) : "null",
        policy.max_bytes ? std::to_string(*policy.max_bytes) : "null");
    separator = ",";
  }
  fmt::format_to(std::back_inserter(answer.body), "],\"free_space_floor\":{},\"plan\":[",
                 rules.free_space_floor);
  separator = "";
  for (const RetirementPlan& item : plan) {
    fmt::format_to(std::back_inserter(answer.body),
                   "{}{{\"log\":\"{}\",\"segment\":{},\"first_seq\":{},\"last_seq\":{},"
                   "\"events\":{},\"bytes\":{},\"reason\":",
                   separator, item.log, item.segment.value, item.first_seq.value,
                   item.last_seq.value, item.last_seq - item.first_seq + 1, item.bytes);
    query::append_json_string(answer.body, item.reason);
    answer.body += '}';
    separator = ",";
  }
  answer.body += "]}";
  return answer;
}

}  // namespace docket::api
