// docket-load send: throughput and durable-acknowledgement latency of a server.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/timestamp.hpp"
#include "tools/api/units.hpp"
#include "tools/load/command_line.hpp"
#include "tools/load/commands.hpp"
#include "tools/load/json_writer.hpp"
#include "tools/load/machine.hpp"
#include "tools/load/progress_line.hpp"
#include "tools/load/spread.hpp"
#include "tools/version.hpp"

namespace docket::load {
namespace {

constexpr std::pair<double, const char*> percentiles[] = {
    {0.5, "p50"}, {0.9, "p90"}, {0.99, "p99"}, {0.999, "p99.9"}};

double milliseconds(std::int64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

template <typename Figure>
Spread spread_over(const std::vector<MeasuredRun>& runs, const Figure& figure) {
  std::vector<double> values;
  std::ranges::transform(runs, std::back_inserter(values), figure);
  return spread_of(std::move(values));
}

double p50_ms(const MeasuredRun& run) {
  return milliseconds(run.report.latency.percentile(0.5));
}
double p99_ms(const MeasuredRun& run) {
  return milliseconds(run.report.latency.percentile(0.99));
}
double rate_of(const MeasuredRun& run) {
  return run.events_per_second();
}

// Of all runs that count, as one.
SendReport together(const std::vector<MeasuredRun>& runs) {
  SendReport all;
  for (const MeasuredRun& run : runs) {
    all.sent += run.report.sent;
    all.durable += run.report.durable;
    all.rejected += run.report.rejected;
    all.resent_batches += run.report.resent_batches;
    all.reconnects += run.report.reconnects;
    all.seconds += run.report.seconds;
    all.latency.merge(run.report.latency);
    all.lag.merge(run.report.lag);
  }
  return all;
}

void write_spread(JsonWriter& json, std::string_view name, const Spread& spread) {
  json.key(name);
  json.begin_object();
  json.member("median", spread.median);
  json.member("min", spread.min);
  json.member("max", spread.max);
  json.end_object();
}

void print_json(const SendCommand& command, const std::vector<MeasuredRun>& runs,
                const std::optional<DiskProbe>& disk) {
  const SendReport all = together(runs);
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("kind", "send");
  json.member("format", 1);
  json.member("version", version);
  write_place(json, disk);
  json.member("protocol", command.run.ndjson ? "ndjson" : "native");
  json.member("connections", command.run.send.connections);
  json.member("batch_rows", command.run.send.batch_rows);
  json.member("one_at_a_time", command.run.send.one_at_a_time);
  json.member("bare", command.run.bare);
  json.member("seed", command.events.seed);
  json.member("end", format_rfc3339(command.events.end));
  json.member("events", command.events.events);
  json.member("warm_up_events", command.warm_up);
  json.member("sent", all.sent);
  json.member("durable", all.durable);
  json.member("rejected", all.rejected);
  json.member("resent_batches", all.resent_batches);
  json.member("reconnects", all.reconnects);
  json.member("seconds", all.seconds);
  json.member("events_per_second", spread_over(runs, rate_of).median);
  json.key("ack_latency_ms");
  write_percentiles(json, all.latency);
  json.key("spread");
  json.begin_object();
  write_spread(json, "events_per_second", spread_over(runs, rate_of));
  write_spread(json, "ack_p50_ms", spread_over(runs, p50_ms));
  write_spread(json, "ack_p99_ms", spread_over(runs, p99_ms));
  json.end_object();
  json.key("runs");
  json.begin_array();
  for (const MeasuredRun& run : runs) {
    write_json(json, run);
  }
  json.end_array();
  json.end_object();
  fmt::print("{}\n", text);
}

void print_latency(std::string_view name, const LatencyHistogram& latency) {
  fmt::print("{}", name);
  for (const auto& [share, label] : percentiles) {
    fmt::print("  {} {:.2f} ms", label, milliseconds(latency.percentile(share)));
  }
  fmt::print("  max {:.2f} ms\n", milliseconds(latency.max()));
}

void print_usage(std::string_view who, const RunUsage& usage, std::uint64_t events) {
  fmt::print("{} {:.2f} s of processor time, {:.0f} ns an event; at most {}{}\n", who,
             usage.cpu_seconds, usage.cpu_seconds * 1e9 / static_cast<double>(events),
             api::readable_bytes(usage.resident_bytes_max),
             usage.written_bytes ? fmt::format("; {} written, {:.1f} bytes an event",
                                               api::readable_bytes(*usage.written_bytes),
                                               static_cast<double>(*usage.written_bytes) /
                                                   static_cast<double>(events))
                                 : "");
}

void print_run(const SendCommand& command, const MeasuredRun& run) {
  const SendOptions& send = command.run.send;
  fmt::print("{} events durable in {:.2f} s: {} events/s ({}, {} connection{}{})\n",
             grouped(run.report.durable), run.report.seconds,
             grouped(static_cast<std::uint64_t>(run.events_per_second())),
             command.run.ndjson ? "NDJSON"
             : command.run.bare ? "native, bare"
                                : "native",
             send.connections, send.connections == 1 ? "" : "s",
             send.rate > 0 ? fmt::format(", asked for {:.0f} events/s", send.rate) : "");
  print_latency("durable ack", run.report.latency);
  if (run.rate > 0) {
    print_latency("sent behind time", run.report.lag);
  }
  print_usage("client", run.client, run.report.durable);
  if (run.server) {
    print_usage("server", *run.server, run.report.durable);
  }
  if (run.store && run.store->events > 0) {
    fmt::print("store {} events, {}; sealed {} segments, retired {}\n", grouped(run.store->events),
               api::readable_bytes(run.store->bytes), run.store->sealed_segments,
               run.store->retired_segments);
  }
}

void print_text(const SendCommand& command, const std::vector<MeasuredRun>& runs,
                const std::optional<DiskProbe>& disk) {
  for (const MeasuredRun& run : runs) {
    print_run(command, run);
  }
  if (runs.size() > 1) {
    const Spread rate = spread_over(runs, rate_of);
    const Spread p50 = spread_over(runs, p50_ms);
    const Spread p99 = spread_over(runs, p99_ms);
    fmt::print(
        "median of {} runs: {:.0f} events/s ({:.0f} to {:.0f}), p50 {:.2f} ms ({:.2f} to {:.2f}), "
        "p99 {:.2f} ms ({:.2f} to {:.2f})\n",
        runs.size(), rate.median, rate.min, rate.max, p50.median, p50.min, p50.max, p99.median,
        p99.min, p99.max);
  }
  const SendReport all = together(runs);
  fmt::print("rejected {}, batches sent again {}, reconnects {}\n", all.rejected,
             all.resent_batches, all.reconnects);
  fmt::print("on {}\n", readable(describe_machine()));
  if (disk) {
    fmt::print("write + fdatasync of 4 KiB on {}: p50 {:.3f} ms, p99 {:.3f} ms\n",
               disk->file_system, milliseconds(disk->fdatasync_p50),
               milliseconds(disk->fdatasync_p99));
  }
  fmt::print(
      "to compare the store with what was sent: docket-load check --data DIR --seed {} "
      "--events {} --end {}\n",
      command.events.seed, command.events.events, format_rfc3339(command.events.end));
}

// The warm-up, then the runs that count. Error: says how far it came.
Result<std::vector<MeasuredRun>> send_all(const SendCommand& command) {
  const Generator generator(command.events);
  std::vector<MeasuredRun> runs;
  RunOptions options = command.run;
  const std::uint32_t first = command.warm_up > 0 ? 0 : 1;
  std::uint64_t settled = 0;
  for (std::uint32_t number = first; number <= command.repeat; ++number) {
    const bool warming = number == 0;
    options.send.events = warming ? command.warm_up : command.run_events;
    Recorder recorder;
    auto run = [&] {
      const ProgressLine line(recorder, options.send.events,
                              warming               ? std::string("warm-up: ")
                              : command.repeat == 1 ? std::string()
                                                    : fmt::format("run {}: ", number));
      return measure(generator, options, recorder);
    }();
    settled += recorder.settled();
    if (!run) {
      return fail(run.error().code, fmt::format("{} events were settled, then: {}",
                                                grouped(settled), run.error().describe()));
    }
    if (!warming) {
      runs.push_back(std::move(*run));
    }
    options.send.first += options.send.events;
  }
  return runs;
}

}  // namespace

int run_send(SendCommand command) {
  std::unique_ptr<LedgerWriter> ledger;
  if (!command.ledger.empty()) {
    auto made = LedgerWriter::create(command.ledger);
    if (!made) {
      return report_failure(made.error().describe());
    }
    ledger = std::move(*made);
    command.run.send.ledger = ledger.get();
  }
  std::optional<DiskProbe> disk;
  if (!command.probe.empty()) {
    const auto probed = probe_disk(command.probe);
    if (!probed) {
      return report_failure(probed.error().describe());
    }
    disk = *probed;
  }
  const auto runs = send_all(command);
  if (!runs) {
    return report_failure(runs.error().message);
  }
  if (command.json) {
    print_json(command, *runs, disk);
  } else {
    print_text(command, *runs, disk);
  }
  const std::uint64_t rejected = together(*runs).rejected;
  if (rejected > 0) {
    return report_failure(fmt::format("the server rejected {} events", rejected));
  }
  return 0;
}

}  // namespace docket::load
