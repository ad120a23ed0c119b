#include "tools/load/planner_flags.hpp"

#include <CLI/CLI.hpp>
#include <string>

#include "tools/docketd/address.hpp"
#include "tools/load/commands.hpp"
#include "tools/load/flags.hpp"
#include "tools/load/report.hpp"

namespace docket::load {
namespace {

// How events are sent, and to whom: a server that runs or one of its own.
struct TargetFlags {
  std::string server = "127.0.0.1:7470";
  std::string protocol = "native";
  std::string config;
  WatchFlags watch;
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
    const auto address = docket::server::parse_address(server);
    if (!address) {
      throw CLI::ValidationError("--server", address.error().message);
    }
    choice.address = address->host;
    choice.port = address->port;
    choice.watch = watch.watch();
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
  ReportCommand report;
  CLI::App* reporting = nullptr;
};

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

  CLI::App* reporting = app.add_subcommand(
      "report", "make an HTML page of files that send --json and sweep --json have written");
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
  if (flags_->reporting->parsed()) {
    return run_report(flags_->report);
  }
  return std::nullopt;
}

}  // namespace docket::load
