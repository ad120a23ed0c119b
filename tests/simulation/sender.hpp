// A platform node that sends, by the client library or as NDJSON lines, and sometimes dies.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/result.hpp"
#include "ingest/client.hpp"
#include "tests/simulation/ledger.hpp"
#include "tests/simulation/machine.hpp"
#include "tests/support/random_events.hpp"

namespace docket::simulation {

struct SenderOptions {
  std::uint64_t seed = 0;
  std::string node;
  std::uint64_t rounds = 10;  // of a few events each
  Time pause_max = second;    // between them
  bool is_ndjson = false;
  bool crashes = false;  // now and then it forgets everything and starts again
};

class Sender {
 public:
  // Starts sending on a thread of its own. All must outlive it.
  Sender(Machine& machine, Ledger& ledger, const SenderOptions& options);
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // No new events; waits until the last has been given to the client.
  void end();
  // All events of the last client become durable. After end().
  [[nodiscard]] Result<void> settle();

 private:
  void run();
  void send_round();
  void send_lines();
  void start_client();
  [[nodiscard]] Event make_event(std::string_view log);
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return dice_() % bound; }

  Machine& machine_;
  Ledger& ledger_;
  const SenderOptions options_;
  std::mt19937_64 dice_;
  docket::testing::RandomEvents events_;
  std::unique_ptr<client::Client> client_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace docket::simulation
