// docket-load sweep: latency and throughput at offered rates from low to above capacity.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/timestamp.hpp"
#include "tools/load/asker.hpp"
#include "tools/load/capacity.hpp"
#include "tools/load/command_line.hpp"
#include "tools/load/commands.hpp"
#include "tools/load/json_writer.hpp"
#include "tools/load/knee.hpp"
#include "tools/load/machine.hpp"
#include "tools/load/report.hpp"
#include "tools/version.hpp"

namespace docket::load {
namespace {

// Of the capacity that is measured first, where no rates are given.
constexpr std::array shares{0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25};
constexpr std::uint32_t asked_at_rest = 20;

struct Step {
  MeasuredRun run;
  std::vector<QuestionFigures> questions;
};

struct Sweep {
  std::optional<MeasuredRun> capacity;  // where no rates were given
  std::vector<Step> steps;              // ascending rates
  std::vector<QuestionFigures> at_rest;
};

KneePoint point_of(const Step& step) {
  return {step.run.rate, step.run.events_per_second(),
          static_cast<double>(step.run.report.latency.percentile(0.99)) / 1e6};
}

Result<Sweep> run_steps(const SweepCommand& command, const MeasuredServer& server) {
  RunOptions options = command.run;
  options.send.address = server.address;
  options.send.port = server.port;
  options.watch = server.watch;
  Sweep sweep;
  std::vector<double> rates = command.rates;
  if (rates.empty()) {
    DOCKET_ASSIGN(sweep.capacity, measure_capacity(command.events, options, command.seconds));
    for (const double share : shares) {
      rates.push_back(share * sweep.capacity->events_per_second());
    }
  }
  std::ranges::sort(rates);
  const Generator generator(command.events);
  const std::vector<AskedQuestion> questions = usual_questions(generator);
  for (const double rate : rates) {
    std::optional<Asker> asker;
    if (server.watch.asks() && command.questions_per_second > 0) {
      asker.emplace(server.watch.http_address, server.watch.http_port, questions,
                    command.questions_per_second, server.watch.access);
    }
    Step step;
    DOCKET_ASSIGN(step.run,
                  measure_at(command.events, options,
                             {rate, command.seconds, command.warm_up_seconds, sweep.steps.size()}));
    if (asker) {
      step.questions = asker->finish();
    }
    const KneePoint point = point_of(step);
    fmt::print(stderr, "offered {:>10} events/s: {:>10} durable, ack p99 {:.2f} ms{}\n",
               grouped(static_cast<std::uint64_t>(point.rate)),
               grouped(static_cast<std::uint64_t>(point.delivered)), point.p99_ms,
               is_sustained(point) ? "" : "  (not sustained)");
    sweep.steps.push_back(std::move(step));
  }
  if (server.watch.asks()) {
    DOCKET_ASSIGN(sweep.at_rest, ask_each(server.watch.http_address, server.watch.http_port,
                                          questions, asked_at_rest, server.watch.access));
  }
  return sweep;
}

std::optional<std::size_t> knee_of(const Sweep& sweep) {
  std::vector<KneePoint> points;
  std::ranges::transform(sweep.steps, std::back_inserter(points), point_of);
  return find_knee(points);
}

std::string to_json(const SweepCommand& command, const Sweep& sweep,
                    const std::optional<DiskProbe>& disk) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("kind", "sweep");
  json.member("format", 1);
  json.member("version", version);
  json.member("when", format_rfc3339(now_ns() / 1'000'000'000 * 1'000'000'000));
  write_place(json, disk);
  json.member("protocol", command.run.ndjson ? "ndjson" : "native");
  json.member("connections", command.run.send.connections);
  json.member("batch_rows", command.run.send.batch_rows);
  json.member("seconds", command.seconds);
  json.member("warm_up_seconds", command.warm_up_seconds);
  json.key("capacity_events_per_second");
  sweep.capacity ? json.value(sweep.capacity->events_per_second()) : json.null();
  json.key("knee");
  if (const auto knee = knee_of(sweep)) {
    const KneePoint point = point_of(sweep.steps[*knee]);
    json.begin_object();
    json.member("step", *knee);
    json.member("rate", point.rate);
    json.member("events_per_second", point.delivered);
    json.member("ack_p99_ms", point.p99_ms);
    json.end_object();
  } else {
    json.null();
  }
  json.key("steps");
  json.begin_array();
  for (const Step& step : sweep.steps) {
    json.begin_object();
    json.member("sustained", is_sustained(point_of(step)));
    json.key("run");
    write_json(json, step.run);
    json.key("questions");
    write_json(json, step.questions);
    json.end_object();
  }
  json.end_array();
  json.key("questions_at_rest");
  write_json(json, sweep.at_rest);
  json.end_object();
  text += '\n';
  return text;
}

Result<void> write_results(const SweepCommand& command, const std::string& json) {
  if (!command.json.empty()) {
    DOCKET_TRY(write_file(command.json, json));
  }
  if (!command.out.empty()) {
    DOCKET_ASSIGN(const std::string page, render_report({{"", json}}));
    DOCKET_TRY(write_file(command.out, page));
  }
  return {};
}

Result<void> sweep_and_tell(const SweepCommand& command) {
  std::optional<DiskProbe> disk;
  DOCKET_ASSIGN(MeasuredServer server, MeasuredServer::open(command.server));
  if (!command.server.data.empty()) {
    DOCKET_ASSIGN(disk, probe_disk(command.server.data));
  }
  DOCKET_ASSIGN(const Sweep sweep, run_steps(command, server));
  if (server.own != nullptr) {
    DOCKET_TRY(server.own->stop());
  }
  if (const auto knee = knee_of(sweep)) {
    const KneePoint point = point_of(sweep.steps[*knee]);
    fmt::print("knee at {} events/s offered: {} durable, ack p99 {:.2f} ms\n",
               grouped(static_cast<std::uint64_t>(point.rate)),
               grouped(static_cast<std::uint64_t>(point.delivered)), point.p99_ms);
  } else {
    fmt::print("no knee: not even the lowest rate was sustained\n");
  }
  if (std::ranges::all_of(sweep.steps, is_sustained, point_of)) {
    fmt::print("every rate was sustained: the capacity lies above the highest\n");
  }
  return write_results(command, to_json(command, sweep, disk));
}

}  // namespace

int run_sweep(const SweepCommand& command) {
  const auto done = sweep_and_tell(command);
  return done ? 0 : report_failure(done.error().describe());
}

}  // namespace docket::load
