// The ingest listener: one port, protocols told apart by the first bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/event.hpp"
#include "engine/log.hpp"
#include "engine/result.hpp"
#include "ingest/intake_counts.hpp"
#include "ingest/redactor.hpp"
#include "ingest/sender_ledger.hpp"
#include "ingest/sender_rights.hpp"
#include "ingest/tls.hpp"

namespace docket::ingest {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 7470;  // 0: any free one
  // Of a Unix socket that takes the same protocols, at most 107 bytes; empty: none. Who may write
  // to the file may send; it goes when the server stops.
  std::string socket;
  std::uint32_t socket_mode = 0660;
  std::uint32_t threads = 1;  // of the io pool
  EventRules rules;
  // For all that is received and not yet stored, beside 4 KiB a connection; at least 64 KiB. As
  // much again is for TLS: 64 KiB a connection.
  std::size_t memory_bytes = std::size_t{128} << 20;
  std::uint32_t connections_max = 16384;
  std::uint32_t handshake_ms = 10'000;  // from accept to a complete first frame or line
  std::uint32_t idle_ms = 300'000;      // without a byte from the peer
  // How long one side is waited for: a peer that does not read its answers, and a store that has
  // no room for a connection's NDJSON lines, before the connection ends.
  std::uint32_t write_ms = 30'000;
  Authenticate authenticate;  // empty: whoever reaches the port may send
  // Asked for each connection to the port, whose peer must then speak TLS; empty, or null: in the
  // clear. The socket is in the clear always. Thread-safe.
  std::function<TlsContext()> tls;
  CurrentRedactor redactor;  // empty: everything is stored as it comes
};

struct ServerStats {
  std::uint64_t connections = 0;           // now
  std::uint64_t connections_accepted = 0;  // since start, as all below
  std::uint64_t events_accepted = 0;       // by the port and the socket, as the next
  std::uint64_t events_rejected = 0;
  IntakeNumbers intake;  // in all ways
  std::uint64_t batches_duplicate = 0;
  std::uint64_t protocol_errors = 0;
  std::uint64_t tls_failures = 0;  // peers that said something and did not come to speak TLS
  std::uint64_t bytes_received = 0;
  std::uint64_t memory_used = 0;  // now
};

// A sender that was refused, for the system's own log. Called from the io threads, several at a
// time; must not block for long. `node` is the peer's address where no name was told: an IP
// address, or `unix:UID`.
using RejectionObserver = std::function<void(const std::string& node, const std::string& peer,
                                             const std::string& reason)>;

class Server {
 public:
  virtual ~Server() = default;  // stops
  // Binds and starts; `store` must outlive it. The address may be a name. Errors: io (the address
  // is taken), busy (a server listens on the socket), invalid_argument.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(Store& store,
                                                             const ServerOptions& options,
                                                             RejectionObserver observer = {});
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  [[nodiscard]] virtual ServerStats stats() const = 0;
  // Who has sent since the start, by whatever way it is told of.
  [[nodiscard]] virtual SenderLedger& senders() = 0;
  [[nodiscard]] virtual IntakeCounts& intake() = 0;
  // Stops accepting and reading, waits until what was received is stored and answered (at most
  // `deadline_ms`), closes. Idempotent. Not from an io thread.
  virtual void stop(std::uint32_t deadline_ms) = 0;
};

}  // namespace docket::ingest
