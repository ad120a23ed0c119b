// Sending the generated events to a server, and measuring how it takes them.
#pragma once

#include <cstdint>
#include <string>

#include "engine/result.hpp"
#include "tools/load/access.hpp"
#include "tools/load/generator.hpp"
#include "tools/load/latency_histogram.hpp"
#include "tools/load/ledger.hpp"
#include "tools/load/recorder.hpp"

namespace docket::load {

struct SendOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 7470;
  Access access;                      // of the ingest port
  std::uint64_t first = 0;            // the generator's events first ..
  std::uint64_t events = 0;           // .. first + events - 1
  std::uint32_t connections = 1;      // connection c sends first + c, first + c + connections, ...
  double rate = 0;                    // events a second over all connections; 0: flat out
  std::uint32_t batch_rows = 8192;    // native only
  bool one_at_a_time = false;         // native only: a batch waits for the ack of the one before
  std::uint32_t patience_ms = 60000;  // without any progress, before the sender gives up
  std::uint32_t reconnect_ms_max = 5000;  // native only: pauses before connecting double up to here
  LedgerWriter* ledger = nullptr;         // native only; must outlive the call
};

struct SendReport {
  std::uint64_t sent = 0;
  std::uint64_t durable = 0;
  std::uint64_t rejected = 0;
  std::uint64_t resent_batches = 0;
  std::uint64_t reconnects = 0;
  double seconds = 0;  // from the first event to the last acknowledgement
  // Until an event was known to be durable: with a rate from when it was due, however late it was
  // sent; flat out, where nothing is due, from when its batch or piece was sent.
  LatencyHistogram latency;
  // With a rate: from when an event was due until it was handed to the connection. Where this is
  // not small, the sender had to wait for the server or for a processor.
  LatencyHistogram lag;
};

// Over docket::client; reconnects and sends again as that does. Error: no progress within the
// patience (the server's last refusal or the connection's last error), or a ledger that fails.
[[nodiscard]] Result<SendReport> send_native(const Generator& generator, const SendOptions& options,
                                             Recorder& recorder);

// Natively, but without docket::client: one thread for all connections, each of which sends
// batch_rows events, waits for the answers, and sends the next. What a server takes from clients
// that cost nothing. Error: a refusal, a broken connection, no answer at all within the patience;
// nothing is sent again. Neither rate nor ledger are looked at.
[[nodiscard]] Result<SendReport> send_bare(const Generator& generator, const SendOptions& options,
                                           Recorder& recorder);

// NDJSON over TCP. A broken connection is an error: NDJSON has no way to resend safely.
[[nodiscard]] Result<SendReport> send_ndjson(const Generator& generator, const SendOptions& options,
                                             Recorder& recorder);

}  // namespace docket::load
