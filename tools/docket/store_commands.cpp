// stats, segments, nodes and retention: the store itself.
#include <fmt/format.h>

#include <cstdio>
#include <map>

#include "query/render.hpp"
#include "tools/api/routes.hpp"
#include "tools/api/units.hpp"
#include "tools/docket/answer_reader.hpp"
#include "tools/docket/commands.hpp"

namespace docket::cli {

namespace {

using Kind = Column::Kind;
using Rows = std::vector<std::vector<std::string>>;

// Asks `endpoint` and writes the objects of `list` as rows.
int run_list(Context& context, Source& source, api::Endpoint endpoint,
             const api::Parameters& parameters, std::string_view list,
             std::initializer_list<std::string_view> members, std::vector<Column> columns,
             Result<void> (*report_more)(std::string_view body) = nullptr,
             Result<void> (*edit)(std::vector<std::string>& row) = nullptr) {
  const auto body = source.get(std::string(api::path_of(endpoint)), parameters);
  if (!body) {
    return complain(body.error());
  }
  auto rows = read_rows(*body, list, members);
  const auto gaps = read_gaps(*body);
  if (!rows || !gaps) {
    return complain(rows ? gaps.error() : rows.error());
  }
  Table table(std::move(columns));
  for (auto& row : *rows) {
    if (edit != nullptr) {
      if (const auto edited = edit(row); !edited) {
        return complain(edited.error());
      }
    }
    table.add(std::move(row));
  }
  write_table(context, table, *body);
  if (report_more != nullptr) {
    if (const auto reported = report_more(*body); !reported) {
      return complain(reported.error());
    }
  }
  return report_gaps(context, *gaps);
}

std::uint64_t number_of(std::string_view text) {
  return api::parse_number<std::uint64_t>(text).value_or(0);
}

// On stderr, as gaps are.
Result<void> report_set_aside(std::string_view body) {
  DOCKET_ASSIGN(const Rows rows, read_rows(body, "quarantine",
                                           {"log", "time", "file", "kept", "offset", "bytes",
                                            "first_seq", "last_seq", "reason"}));
  for (const auto& row : rows) {
    const QuarantineRecord record{.file = row[2],
                                  .kept = row[3],
                                  .offset = number_of(row[4]),
                                  .bytes = number_of(row[5]),
                                  .first_seq = Seq(row[6].empty() ? 1 : number_of(row[6])),
                                  .last_seq = Seq(number_of(row[7])),
                                  .reason = row[8]};
    static_cast<void>(std::fprintf(stderr, "docket: set aside at %s: %s\n", row[1].c_str(),
                                   set_aside_text(row[0], record).c_str()));
  }
  return {};
}

// Where run_nodes() has them.
constexpr std::size_t node_place = 0, log_place = 1, epoch_place = 3, missing_place = 5;

Result<Rows> read_missing(const std::vector<std::string>& row) {
  const std::string& missing = row[missing_place];
  return read_rows("{\"missing\":" + (missing.empty() ? "[]" : missing) + "}", "missing",
                   {"first", "last", "epoch", "since", "final"});
}

// As ranges of batches, with their epoch where it is an earlier one: "7-9", "7-9 of 3, 12".
Result<void> show_missing(std::vector<std::string>& row) {
  DOCKET_ASSIGN(const Rows missing, read_missing(row));
  std::string text;
  for (const auto& each : missing) {
    text += text.empty() ? "" : ", ";
    text += each[0] == each[1] ? each[0] : each[0] + "-" + each[1];
    text += each[2] == row[epoch_place] ? "" : " of " + each[2];
  }
  row[missing_place] = std::move(text);
  return {};
}

// On stderr, as gaps are. Names come from senders, so they are made safe for terminals.
Result<void> report_missing(std::string_view body) {
  DOCKET_ASSIGN(
      const Rows rows,
      read_rows(body, "nodes", {"node", "log", "state", "epoch", "complete_to", "missing"}));
  for (const auto& row : rows) {
    DOCKET_ASSIGN(const Rows missing, read_missing(row));
    for (const auto& each : missing) {
      const std::string line =
          fmt::format("docket: node {}, log {}, epoch {}: batch {} to {} not stored since {}{}\n",
                      query::terminal_safe(row[node_place]), row[log_place], each[2], each[0],
                      each[1], each[3], each[4] == "true" ? "; a later epoch has begun" : "");
      static_cast<void>(std::fputs(line.c_str(), stderr));
    }
  }
  return {};
}

// What would go, per log.
struct Going {
  std::uint64_t segments = 0, events = 0, bytes = 0;
};

Table policies_table(const Rows& policies, const Rows& plan) {
  std::map<std::string, Going> going;
  for (const auto& row : plan) {
    Going& log = going[row[0]];
    ++log.segments;
    log.events += number_of(row[4]);
    log.bytes += number_of(row[5]);
  }
  Table table({{"log", Kind::text, false, true},
               {"max_age"},
               {"max_bytes", Kind::bytes},
               {"retire_segments", Kind::count},
               {"retire_events", Kind::count},
               {"retire_bytes", Kind::bytes}});
  for (const auto& row : policies) {
    const Going& log = going[row[0]];
    table.add({row[0], row[1], row[2], std::to_string(log.segments), std::to_string(log.events),
               std::to_string(log.bytes)});
  }
  return table;
}

}  // namespace

int run_stats(Context& context, Source& source) {
  return run_list(context, source, api::Endpoint::stats, {}, "logs",
                  {"log", "events", "events_1h", "events_24h", "first_seq", "last_seq", "segments",
                   "bytes", "retired_events", "last_received", "failed"},
                  {{"log", Kind::text, false, true},
                   {"events", Kind::count},
                   {"events_1h", Kind::count},
                   {"events_24h", Kind::count},
                   {"first_seq", Kind::count},
                   {"last_seq", Kind::count},
                   {"segments", Kind::count},
                   {"bytes", Kind::bytes},
                   {"retired_events", Kind::count},
                   {"last_received", Kind::time},
                   {"failed", Kind::flag}});
}

int run_segments(Context& context, Source& source) {
  api::Parameters parameters;
  if (!context.arguments.log.empty()) {
    parameters.set("log", context.arguments.log);
  }
  return run_list(context, source, api::Endpoint::segments, parameters, "segments",
                  {"log", "segment", "sealed", "first_seq", "last_seq", "events", "bytes", "ts_min",
                   "ts_max", "received_max"},
                  {{"log", Kind::text, false, true},
                   {"segment", Kind::count},
                   {"sealed", Kind::flag},
                   {"first_seq", Kind::count},
                   {"last_seq", Kind::count},
                   {"events", Kind::count},
                   {"bytes", Kind::bytes},
                   {"ts_min", Kind::time},
                   {"ts_max", Kind::time},
                   {"received_max", Kind::time}},
                  report_set_aside);
}

int run_nodes(Context& context, Source& source) {
  return run_list(context, source, api::Endpoint::nodes, {}, "nodes",
                  {"node", "log", "state", "epoch", "complete_to", "missing", "last_received",
                   "last_heard", "silent_seconds", "clock_ahead_ms", "address", "way"},
                  {{"node", Kind::text, false, true},
                   {"log"},
                   {"state"},
                   {"epoch"},
                   {"complete_to", Kind::count},
                   {"missing"},
                   {"last_received", Kind::time},
                   {"last_heard", Kind::time},
                   {"silent_seconds", Kind::count},
                   {"clock_ahead_ms"},
                   {"address"},
                   {"way"}},
                  report_missing, show_missing);
}

int run_retention(Context& context, Source& source) {
  const auto body = source.get(std::string(api::path_of(api::Endpoint::retention)), {});
  if (!body) {
    return complain(body.error());
  }
  const auto plan = read_rows(
      *body, "plan", {"log", "segment", "first_seq", "last_seq", "events", "bytes", "reason"});
  const auto policies = read_rows(*body, "policies", {"log", "max_age", "max_bytes"});
  if (!plan || !policies) {
    return complain(plan ? policies.error() : plan.error());
  }
  if (!context.arguments.dry_run) {
    write_table(context, policies_table(*policies, *plan), *body);
    return exit_done;
  }
  Table table({{"log", Kind::text, false, true},
               {"segment", Kind::count},
               {"first_seq", Kind::count},
               {"last_seq", Kind::count},
               {"events", Kind::count},
               {"bytes", Kind::bytes},
               {"reason"}});
  for (const auto& row : *plan) {
    table.add(row);
  }
  write_table(context, table, *body);
  return exit_done;
}

}  // namespace docket::cli
