#include "tools/load/planner_flags.hpp"

#include <CLI/CLI.hpp>
#include <string>

#include "tools/api/units.hpp"
#include "tools/docketd/address.hpp"
#include "tools/load/command_line.hpp"
#include "tools/load/commands.hpp"
#include "tools/load/flags.hpp"
#include "tools/load/planned_load.hpp"
#include "tools/load/report.hpp"

namespace docket::load {
namespace {

// How events are sent, and to whom: a server that runs or one of its own.
struct TargetFlags {
  std::string server = "127.0.0.1:7470";
  std::string protocol = "native";
  std::string config;
  WatchFlags watch;
  AccessFlags access;
  ServerChoice choice;
  RunOptions run;

  void add_to(CLI::App& app) {
    CLI::Option* data =
        app.add_option("--data", choice.data,
                       "start the docketd beside this program on this new or empty directory")
            ->type_name("DIR");
    app.add_option("--config", config, "configuration of that docketd")
        ->type_name("FILE.toml")
        ->needs(data);
    app.add_option("--server", server, "or measure the docketd with this ingest ADDRESS:PORT")
        ->capture_default_str()
        ->excludes(data);
    watch.add_to(app);
    app.get_option("--http")->excludes(data);
    app.get_option("--server-pid")->excludes(data);
    access.add_to(app);
    app.get_option("--token-file")->excludes(data);
    app.get_option("--tls")->excludes(data);
    app.add_option("--protocol", protocol)
        ->capture_default_str()
        ->check(CLI::IsMember({"native", "ndjson"}));
    app.add_option("--connections", run.send.connections)
        ->capture_default_str()
        ->check(CLI::Range(1, 10'000));
    app.add_option("--batch-rows", run.send.batch_rows, "events a batch (native)")
        ->capture_default_str()
        ->check(CLI::Range(1U, limits::block_rows_max));
  }

  // Fills in `choice` and `run`. Throws CLI::ValidationError.
  void resolve() {
    const auto address = docket::server::parse_destination(server);
    if (!address) {
      throw CLI::ValidationError("--server", address.error().message);
    }
    choice.address = address->host;
    choice.port = address->port;
    run.send.access = access.access();
    choice.watch = watch.watch(run.send.access);
    run.ndjson = protocol == "ndjson";
    if (!config.empty()) {
      auto text = read_file(config);
      if (!text) {
        throw CLI::ValidationError("--config", text.error().describe());
      }
      choice.config = std::move(*text);
    }
  }
};

}  // namespace

struct PlannerFlags::Flags {
  EventFlags events;
  TargetFlags target;
  SweepCommand sweep;
  std::uint32_t slice_ms = 100;
  CLI::App* sweeping = nullptr;
  TargetFlags plan_target;
  EventFlags plan_events;
  PlanCommand plan;
  std::string events_per_day;
  std::string retention = "365d";
  CLI::App* planning = nullptr;
  ReportCommand report;
  CLI::App* reporting = nullptr;

  void add_plan(CLI::App& app);
  // Throws CLI::ValidationError.
  void resolve_plan();
};

void PlannerFlags::Flags::add_plan(CLI::App& app) {
  planning = app.add_subcommand(
      "plan", "forecast what a load takes of this machine: cores, disk, memory, latency");
  planning
      ->add_option("--events-per-day", events_per_day,
                   "the mean of the days that are planned for; k, M or G may follow: 5M")
      ->type_name("N")
      ->required();
  planning->add_option("--retention", retention, "how long events are kept: 365d, 13w")
      ->type_name("DURATION")
      ->capture_default_str();
  planning
      ->add_option("--peak-factor", plan.request.peak_factor,
                   "the busiest moment's rate, as a multiple of the mean")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 100'000.0));
  planning
      ->add_option("--event-bytes", plan.request.event_bytes,
                   "of an event as NDJSON, on average; default: as generated, about 290")
      ->check(CLI::PositiveNumber);
  planning
      ->add_option("--head-room", plan.request.head_room,
                   "of disk and memory on top of the forecast, as a share")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 10.0));
  planning->add_option("--core-use", plan.request.use_max, "of a core, at most, at the peak")
      ->capture_default_str()
      ->check(CLI::Range(0.05, 1.0));
  plan_target.add_to(*planning);
  plan_events.add_kind_to(*planning);
  planning->add_option("--seconds", plan.calibration.seconds, "of each run at a rate")
      ->capture_default_str()
      ->check(CLI::Range(0.2, 86'400.0));
  planning->add_option("--repeat", plan.calibration.repeat, "runs at a rate; the median counts")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  planning
      ->add_option("--calibration-events", plan.calibration.events_max,
                   "at most, of the store that bytes an event are measured with")
      ->capture_default_str()
      ->check(CLI::Range(std::uint64_t{1000}, std::uint64_t{1'000'000'000}));
  planning->add_flag("--verify", plan.verify,
                     "run the load once more with other events, and fail where the forecast is "
                     "further off than --tolerance");
  planning->add_option("--tolerance", plan.tolerance, "as a share of what was measured")
      ->capture_default_str()
      ->check(CLI::Range(0.001, 10.0));
  planning->add_option("--json", plan.json, "write the forecast, for `report` and programs")
      ->type_name("FILE");
  planning->add_option("--out", plan.out, "write the report, one HTML file")->type_name("FILE");
}

void PlannerFlags::Flags::resolve_plan() {
  const auto per_day = parse_amount(events_per_day);
  if (!per_day) {
    throw CLI::ValidationError("--events-per-day", per_day.error().message);
  }
  plan.request.events_per_day = *per_day;
  const auto kept = api::parse_duration(retention);
  if (!kept || *kept <= 0) {
    throw CLI::ValidationError("--retention",
                               kept ? "must be longer than nothing" : kept.error().message);
  }
  plan.request.retention_days = static_cast<double>(*kept) / 86'400e9;
  plan_target.resolve();
  plan.calibration.run = plan_target.run;
  plan.calibration.server = plan_target.choice;
  if (plan.verify && plan.calibration.server.data.empty()) {
    throw CLI::ValidationError("--verify", "needs --data: a second run must find an empty store");
  }
  plan.calibration.events = plan_events.options();
  if (plan.request.event_bytes > 0) {
    if (plan.calibration.events.note_bytes > 0) {
      throw CLI::ValidationError("--event-bytes", "excludes --note-bytes, which follow from it");
    }
    if (auto made = lengthen(plan.calibration.events, plan.request.event_bytes); !made) {
      throw CLI::ValidationError("--event-bytes", made.error().message);
    }
  }
}

PlannerFlags::PlannerFlags() : flags_(std::make_unique<Flags>()) {}
PlannerFlags::~PlannerFlags() = default;

void PlannerFlags::add_to(CLI::App& app) {
  SweepCommand& sweep = flags_->sweep;
  CLI::App* sweeping = app.add_subcommand(
      "sweep", "offer rates from low to above capacity, find the knee, write a report");
  flags_->sweeping = sweeping;
  flags_->target.add_to(*sweeping);
  flags_->events.add_kind_to(*sweeping);
  sweeping
      ->add_option("--rates", sweep.rates,
                   "events a second, with commas; default: 13 shares, 5 to 125 %, of the capacity, "
                   "which is measured first")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  sweeping->add_option("--seconds", sweep.seconds, "at each rate")
      ->capture_default_str()
      ->check(CLI::Range(0.1, 86'400.0));
  sweeping
      ->add_option("--warm-up-seconds", sweep.warm_up_seconds,
                   "at each rate before that, that count nowhere")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 86'400.0));
  sweeping->add_option("--slice-ms", flags_->slice_ms, "the length of a slice of the time series")
      ->capture_default_str()
      ->check(CLI::Range(10U, 3'600'000U));
  sweeping
      ->add_option("--questions", sweep.questions_per_second,
                   "questions a second meanwhile, where there is an HTTP address; 0: none")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 100'000.0));
  sweeping->add_option("--json", sweep.json, "write the figures, for `report` and programs")
      ->type_name("FILE");
  sweeping->add_option("--out", sweep.out, "write the report, one HTML file")->type_name("FILE");

  flags_->add_plan(app);

  CLI::App* reporting = app.add_subcommand(
      "report", "make an HTML page of files that send, sweep and plan have written with --json");
  flags_->reporting = reporting;
  reporting->add_option("FILES", flags_->report.files)
      ->type_name("FILE")
      ->required()
      ->expected(1, 1000);
  reporting->add_option("--out", flags_->report.out, "the page")->type_name("FILE")->required();
}

std::optional<int> PlannerFlags::run() {
  if (flags_->sweeping->parsed()) {
    flags_->target.resolve();
    flags_->sweep.run = flags_->target.run;
    flags_->sweep.run.slice = std::chrono::milliseconds(flags_->slice_ms);
    flags_->sweep.server = flags_->target.choice;
    flags_->sweep.events = flags_->events.options();
    return run_sweep(flags_->sweep);
  }
  if (flags_->planning->parsed()) {
    flags_->resolve_plan();
    return run_plan(flags_->plan);
  }
  if (flags_->reporting->parsed()) {
    return run_report(flags_->report);
  }
  return std::nullopt;
}

}  // namespace docket::load
