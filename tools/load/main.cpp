// docket-load: generated events, sent, written or compared with what a store holds.
#include <CLI/CLI.hpp>
#include <string>

#include "tools/docketd/address.hpp"
#include "tools/load/commands.hpp"
#include "tools/load/flags.hpp"
#include "tools/load/planner_flags.hpp"
#include "tools/manual/completion.hpp"
#include "tools/manual/man_page.hpp"
#include "tools/version.hpp"

namespace docket::load {
namespace {

int run(int argc, char** argv) {
  CLI::App app(
      "Generates a mail platform's audit events: sends them and measures the server, forecasts "
      "what a "
      "load takes, writes them as NDJSON, checks a store against them, or spoils them and attacks "
      "the "
      "server with them.",
      "docket-load");
  app.require_subcommand(1);
  app.set_version_flag("--version", "docket-load " + std::string(version));

  EventFlags events;
  SendCommand send;
  std::string server = "127.0.0.1:7470";
  std::string protocol = "native";
  WatchFlags watch;
  CLI::App* sending = app.add_subcommand("send", "send them and report throughput and latency");
  events.add_to(*sending);
  sending
      ->add_option("--server", server, "docketd's ingest ADDRESS:PORT, or unix:PATH of its socket")
      ->capture_default_str();
  sending->add_option("--protocol", protocol)
      ->capture_default_str()
      ->check(CLI::IsMember({"native", "ndjson"}));
  AccessFlags access;
  access.add_to(*sending);
  sending->add_option("--connections", send.run.send.connections)
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  sending
      ->add_option("--rate", send.run.send.rate,
                   "events a second; latency counts from when an event was due; 0: flat out")
      ->check(CLI::NonNegativeNumber);
  sending->add_option("--batch-rows", send.run.send.batch_rows, "events a batch (native)")
      ->capture_default_str()
      ->check(CLI::Range(1U, limits::block_rows_max));
  sending->add_flag("--one-at-a-time", send.run.send.one_at_a_time,
                    "a batch waits for the acknowledgement of the one before (native)");
  sending->add_flag("--bare", send.run.bare,
                    "the same, all connections on one thread and without docket::client: what the "
                    "server takes from clients that cost nothing (native)");
  sending
      ->add_option("--patience-ms", send.run.send.patience_ms, "without progress, before giving up")
      ->capture_default_str();
  sending
      ->add_option("--reconnect-ms", send.run.send.reconnect_ms_max,
                   "longest pause before connecting again (native)")
      ->capture_default_str()
      ->check(CLI::Range(1U, 3'600'000U));
  sending
      ->add_option("--warm-up", send.warm_up,
                   "events that are sent first, at the same pace, and count nowhere")
      ->capture_default_str()
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{100'000'000'000}));
  sending->add_option("--repeat", send.repeat, "runs of --events each; reports median and spread")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  watch.add_to(*sending);
  std::uint32_t slice_ms = 100;
  sending->add_option("--slice-ms", slice_ms, "the length of a slice of the time series in --json")
      ->capture_default_str()
      ->check(CLI::Range(10U, 3'600'000U));
  sending
      ->add_option("--probe", send.probe,
                   "a directory on the server's disk: tell its file system and fdatasync")
      ->type_name("DIR");
  sending->add_option("--ledger", send.ledger, "write what was acknowledged to this file (native)");
  sending->add_flag("--json", send.json, "report as one JSON object");

  WriteCommand write;
  CLI::App* writing = app.add_subcommand("write", "write them as NDJSON");
  events.add_to(*writing);
  writing->add_option("--out", write.out, "the file; default: standard output");

  CheckCommand check;
  CLI::App* checking = app.add_subcommand(
      "check", "compare a store that holds exactly these events with a brute-force scan of them");
  events.add_to(*checking);
  CLI::Option* data = checking->add_option("--data", check.data, "a data directory");
  checking
      ->add_option("--server", check.server, "docketd's http://ADDRESS:PORT, https:// with --tls")
      ->excludes(data);
  access.add_to(*checking);
  checking->add_option("--filters", check.filters, "random filters to count")
      ->capture_default_str();
  checking
      ->add_option("--ledger", check.ledger,
                   "instead: every batch in this file is stored once or retired, and "
                   "nothing else but events of the generator (needs --data)")
      ->needs(data);

  GarbageCommand garbage;
  CLI::App* spoiling = app.add_subcommand(
      "garbage", "send malformed frames and lines, and fail when the server does not outlive them");
  spoiling
      ->add_option("--server", server, "docketd's ingest ADDRESS:PORT, or unix:PATH of its socket")
      ->capture_default_str();
  spoiling->add_option("--frames", garbage.frames, "how many")->capture_default_str();
  spoiling->add_option("--seed", garbage.seed, "another seed makes others")->capture_default_str();
  spoiling->add_option("--connections", garbage.connections, "at a time")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000));
  spoiling->add_option("--protocol", garbage.protocol)
      ->capture_default_str()
      ->check(CLI::IsMember({"native", "ndjson", "both"}));
  spoiling->add_option("--patience-ms", garbage.patience_ms, "without an answer, before giving up")
      ->capture_default_str();
  access.add_to(*spoiling);

  PlannerFlags planner;
  planner.add_to(app);

  std::string topic;
  CLI::App* completing =
      app.add_subcommand("completion", "print a script that completes words in a shell");
  completing->add_option("SHELL", topic, "bash, zsh or fish")
      ->type_name("")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""));
  CLI::App* explaining = app.add_subcommand("man", "print the manual page");

  try {
    app.parse(argc, argv);
    if (completing->parsed() || explaining->parsed()) {
      const manual::CommandText program =
          manual::describe(app, {{"SHELL", {"bash", "zsh", "fish"}}});
      const manual::PageHead head{1, "docket-load " + std::string(version), "docketd(8)"};
      const std::string text = explaining->parsed() ? manual::man_page(program, head)
                                                    : manual::completion_for(topic, program);
      return std::fputs(text.c_str(), stdout) < 0 ? 1 : 0;
    }
    if (const auto code = planner.run()) {
      return *code;
    }
    const auto address = server::parse_destination(server);
    if (!address) {
      throw CLI::ValidationError("--server", address.error().message);
    }
    if (spoiling->parsed()) {
      garbage.address = address->host;
      garbage.port = address->port;
      garbage.access = access.access();
      return run_garbage(garbage);
    }
    if (sending->parsed()) {
      send.run_events = events.events;
      events.events = send.warm_up + send.repeat * send.run_events;
      send.events = events.options();
      send.run.send.address = address->host;
      send.run.send.port = address->port;
      send.run.send.access = access.access();
      send.run.watch = watch.watch(send.run.send.access);
      send.run.slice = std::chrono::milliseconds(slice_ms);
      send.run.ndjson = protocol == "ndjson";
      if (send.run.ndjson && (!send.ledger.empty() || send.run.send.one_at_a_time ||
                              sending->count("--batch-rows") > 0)) {
        throw CLI::ValidationError("--protocol",
                                   "ndjson has no batches: --ledger, --batch-rows and "
                                   "--one-at-a-time are for native");
      }
      if (send.run.bare && (send.run.ndjson || !send.ledger.empty() || send.run.send.rate > 0 ||
                            send.run.send.access.tls)) {
        throw CLI::ValidationError("--bare",
                                   "is native, in the clear, at no --rate, and keeps no --ledger");
      }
      return run_send(std::move(send));
    }
    if (writing->parsed()) {
      write.events = events.options();
      return run_write(write);
    }
    if (check.data.empty() && check.server.empty()) {
      throw CLI::RequiredError("--data or --server");
    }
    if (check.server.empty() && access.any()) {
      throw CLI::ValidationError("--data", "asks no server: no --token-file and no --tls");
    }
    check.access = access.access();
    check.events = events.options();
    return run_check(check);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
}

}  // namespace
}  // namespace docket::load

int main(int argc, char** argv) {
  try {
    return docket::load::run(argc, argv);
  } catch (const std::exception& error) {
    return docket::load::report_failure(error.what());
  }
}
