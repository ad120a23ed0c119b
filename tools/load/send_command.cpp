// docket-load send: throughput and durable-acknowledgement latency of a server.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "engine/timestamp.hpp"
#include "tools/load/command_line.hpp"
#include "tools/load/commands.hpp"

namespace docket::load {
namespace {

constexpr std::pair<double, const char*> percentiles[] = {
    {0.5, "p50"}, {0.9, "p90"}, {0.99, "p99"}, {0.999, "p99.9"}};

double milliseconds(std::int64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

// A line a second on a terminal: how far the sender is.
class ProgressLine {
 public:
  ProgressLine(const Recorder& recorder, std::uint64_t events) {
    if (isatty(STDERR_FILENO) == 1) {
      thread_ = std::thread([this, &recorder, events] { show(recorder, events); });
    }
  }
  ~ProgressLine() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    ended_.notify_one();
    if (thread_.joinable()) {
      thread_.join();
      fmt::print(stderr, "\r\x1b[K");
    }
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

 private:
  void show(const Recorder& recorder, std::uint64_t events) {
    std::unique_lock lock(mutex_);
    std::uint64_t before = 0;
    while (!ended_.wait_for(lock, std::chrono::seconds(1), [this] { return over_; })) {
      const std::uint64_t now = recorder.settled();
      fmt::print(stderr, "\r\x1b[K{} of {} events settled, {} events/s", grouped(now),
                 grouped(events), grouped(now - before));
      before = now;
    }
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::thread thread_;
};

void print_json(const SendCommand& command, const SendReport& report) {
  fmt::print(R"({{"protocol":"{}","connections":{},"sent":{},"durable":{},"rejected":{},)"
             R"("resent_batches":{},"reconnects":{},"seconds":{:.3f},"events_per_second":{:.0f},)"
             R"("ack_latency_ms":{{)",
             command.ndjson ? "ndjson" : "native", command.send.connections, report.sent,
             report.durable, report.rejected, report.resent_batches, report.reconnects,
             report.seconds, static_cast<double>(report.durable) / report.seconds);
  for (const auto& [share, name] : percentiles) {
    fmt::print(R"("{}":{:.3f},)", name, milliseconds(report.latency.percentile(share)));
  }
  fmt::print("\"max\":{:.3f}}},\"end\":\"{}\"}}\n", milliseconds(report.latency.max()),
             format_rfc3339(command.events.end));
}

void print_text(const SendCommand& command, const SendReport& report) {
  const SendOptions& send = command.send;
  fmt::print(
      "{} events durable in {:.2f} s: {} events/s ({}, {} connection{}{})\n",
      grouped(report.durable), report.seconds,
      grouped(static_cast<std::uint64_t>(static_cast<double>(report.durable) / report.seconds)),
      command.ndjson ? "NDJSON" : "native", send.connections, send.connections == 1 ? "" : "s",
      send.rate > 0 ? fmt::format(", asked for {:.0f} events/s", send.rate) : "");
  fmt::print("durable ack");
  for (const auto& [share, name] : percentiles) {
    fmt::print("  {} {:.2f} ms", name, milliseconds(report.latency.percentile(share)));
  }
  fmt::print("  max {:.2f} ms\n", milliseconds(report.latency.max()));
  fmt::print("rejected {}, batches sent again {}, reconnects {}\n", report.rejected,
             report.resent_batches, report.reconnects);
  fmt::print(
      "to compare the store with what was sent: docket-load check --data DIR --seed {} "
      "--events {} --end {}\n",
      command.events.seed, command.events.events, format_rfc3339(command.events.end));
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
    command.send.ledger = ledger.get();
  }
  const Generator generator(command.events);
  command.send.events = command.events.events;
  Recorder recorder;
  const auto report = [&] {
    const ProgressLine line(recorder, command.events.events);
    return command.ndjson ? send_ndjson(generator, command.send, recorder)
                          : send_native(generator, command.send, recorder);
  }();
  if (!report) {
    return report_failure(fmt::format("{} events were settled, then: {}",
                                      grouped(recorder.settled()), report.error().describe()));
  }
  if (command.json) {
    print_json(command, *report);
  } else {
    print_text(command, *report);
  }
  if (report->rejected > 0) {
    return report_failure(fmt::format("the server rejected {} events", report->rejected));
  }
  return 0;
}

}  // namespace docket::load
