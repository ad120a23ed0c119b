// What the two senders have in common: a thread per connection, and one report of them all.
#pragma once

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "tools/load/pacer.hpp"
#include "tools/load/sender.hpp"

namespace docket::load {

// Runs options.connections of `Connection` and waits for them. A Connection is made from
// (generator, options, pacer, number, recorder); run() does its work, then error() tells what
// stopped it and add_to() adds its figures. Error: the first connection's that has one.
template <typename Connection>
[[nodiscard]] Result<SendReport> run_connections(const Generator& generator,
                                                 const SendOptions& options, Recorder& recorder) {
  const Clock::time_point start = Clock::now();
  const Pacer pacer(options.rate, start, options.first);
  std::vector<std::unique_ptr<Connection>> connections;
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < options.connections; ++i) {
    connections.push_back(std::make_unique<Connection>(generator, options, pacer, i, recorder));
    threads.emplace_back([connection = connections.back().get()] { connection->run(); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  SendReport report;
  report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  for (const auto& connection : connections) {
    if (connection->error()) {
      return fail(*connection->error());
    }
    connection->add_to(report);
  }
  report.latency = recorder.all();
  return report;
}

}  // namespace docket::load
