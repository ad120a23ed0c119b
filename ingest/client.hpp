// The client library for platform nodes: batching, bounded memory, reconnect and resend, exactly
// once, completion with the durable seq.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.hpp"
#include "engine/result.hpp"
#include "ingest/redactor.hpp"
#include "ingest/tls.hpp"

namespace docket::client {

// Where events are kept on the sender's own disk until the server has acknowledged them.
struct SpoolOptions {
  std::string directory;  // of this client alone, made when missing; empty: no spool
  std::uint64_t bytes = std::uint64_t{1} << 30;  // of all its files, at least 4 MiB
  bool sync = false;  // emit() returns when its event is on stable storage, see Client
};

// A name, an IP address, or unix:PATH; then the port is nothing.
struct Address {
  std::string host;
  std::uint16_t port = 7470;
};

struct Options {
  std::string address = "127.0.0.1";  // or a name, or unix:PATH; then the port is nothing
  std::uint16_t port = 7470;
  // Further ways to the same server, each tried in turn when the one before did not lead there. Not
  // other servers: these would not know what the first one has stored.
  std::vector<Address> others;
  std::string node;   // this sender's name; required, the same across restarts
  std::string token;  // shown to the server; empty: none
  // There: TLS is spoken, with the server whose certificate is valid for `server_name`, of one of
  // the authorities, else of the system's; a certificate of one's own is shown where it is given.
  // The files are read for each connection, so that one that was renewed counts from the next on.
  std::optional<ingest::TlsFiles> tls;
  std::string server_name;  // empty: `address`
  // 0: the start time in ns, so every process run is a new epoch. Any other says "the same run
  // again": batches are then cut only by batch_rows, by size and by flush(), so that a second run
  // that emits and flushes the same makes the same batches, and what is stored is not stored twice.
  // For the same reason emit() then takes times beyond 24 h ahead, which the server rejects.
  std::uint64_t epoch = 0;
  std::size_t memory_bytes = std::size_t{64} << 20;  // for events not yet acknowledged
  std::uint32_t batch_rows = 8192;  // a batch goes out when it has this many events,
  // or this long after its first one; or, while none of its log is under way, at once where one of
  // its events has a handler (or a future), and this long after the one before it where none has.
  // Where the server takes long to answer, half as long takes this one's place, up to 100 ms.
  std::uint32_t linger_us = 5000;
  std::uint32_t reconnect_ms_max = 5000;  // back-off doubles up to here, with jitter
  EventRules rules;
  SpoolOptions spool;
  // What is taken out of events as they are emitted, before the spool or the network sees them.
  // What a spool holds from before stays as it is.
  ingest::RedactionRules redaction;
};

// What became of one event given to emit().
struct Delivery {
  std::uint64_t seq = 0;  // > 0: durable under this seq of its log (0 with ok(): known to be
                          // stored, but the server no longer knows under which seq)
  std::string error;      // not empty: rejected for ever, "field: rule"
  [[nodiscard]] bool ok() const { return error.empty(); }
};
// Called once, on the client's own thread or on one that is in flush(), never on two at a time;
// must not block, and must not call the client.
using DeliveryHandler = std::function<void(const Delivery&)>;

// Called on the same threads after a whole batch is durable; must not block, and must not call the
// client. `rows` are the events stored, `first_seq` is 0 when there are none or the server
// no longer knows; the latency counts from the batch's first sending to its ack.
using BatchHandler = std::function<void(std::string_view log, std::uint64_t first_seq,
                                        std::uint32_t rows, std::int64_t ack_latency_ns)>;

struct Counters {
  std::uint64_t emitted = 0;  // accepted by emit()
  std::uint64_t durable = 0;
  std::uint64_t known = 0;     // of the durable ones: the server had them from an earlier run
  std::uint64_t rejected = 0;  // by the server, for ever; or by what it said to that run
  std::uint64_t refused = 0;   // by emit(): memory full
  std::uint64_t batches = 0;
  std::uint64_t resent = 0;  // batches sent again after a reconnect
  std::uint64_t reconnects = 0;
  std::uint64_t pending = 0;    // emitted or recovered, and neither durable nor rejected
  std::uint64_t recovered = 0;  // found in the spool at the start, from earlier runs
  std::uint64_t lost = 0;       // that were in the spool and are damaged there
};

// Thread-safe. Owns one thread and one connection.
//
// Without a spool, what is not yet acknowledged is in memory alone: the end of the process loses
// it. With one, emit() and emit_waiting() have written the event to the spool's file when they
// return, and a later client with the same spool sends what this one could not: each event is
// stored exactly once, however often client and server are killed. A kill of the process needs no
// syncing for that. A power cut may take what came last, and what was on its way may then be stored
// twice; with SpoolOptions::sync each call waits for the disk, and nothing is lost or doubled.
class Client {
 public:
  virtual ~Client() = default;  // drops what is neither durable nor in a spool; call flush() first
  // Starts connecting in the background. Errors: invalid_argument (bad options or rules; another
  // node's spool); busy (another client has the spool), newer_format, io, no_space, all about the
  // spool.
  [[nodiscard]] static Result<std::unique_ptr<Client>> start(const Options& options,
                                                             BatchHandler on_batch = {});
  // Copies the event (verb upper-cased) and returns at once. Errors: invalid_argument (a rule of
  // the event, or a bad log name), overloaded (memory_bytes, or the spool, used up; try again
  // later), closed (the server takes nothing of this log, ever; last_error() says why). With a
  // spool, where writing to it is all that may block, also no_space and io (the event is not in
  // it), and unknown_outcome (the disk fails in such a way that it may be).
  [[nodiscard]] virtual Result<void> emit(std::string_view log, const EventView& event,
                                          DeliveryHandler on_delivery = {}) = 0;
  // Like emit(); the future has what becomes of the event. It is broken (std::future_error) when
  // the client goes before that is known.
  [[nodiscard]] Result<std::future<Delivery>> emit_durable(std::string_view log,
                                                           const EventView& event);
  // Like emit(), but waits for room instead of refusing, at most `timeout_ms`.
  [[nodiscard]] virtual Result<void> emit_waiting(std::string_view log, const EventView& event,
                                                  std::uint32_t timeout_ms) = 0;
  // Like emit(), for a client with a spool: the spool has the event and its mark, or neither, and
  // keeps the last mark. So who feeds events from elsewhere knows after any end how far it has
  // come. A mark has 1 to 255 bytes.
  [[nodiscard]] virtual Result<void> emit_marked(std::string_view log, const EventView& event,
                                                 std::string_view mark,
                                                 DeliveryHandler on_delivery = {}) = 0;
  // The mark of the last event that was emitted with one, by this client or by an earlier one with
  // its spool; empty: there is none.
  [[nodiscard]] virtual std::string mark() const = 0;
  // Sends what waits and blocks until all emitted events are durable or rejected, or the deadline
  // passes (overloaded, naming how many are pending). It may do the own thread's work meanwhile:
  // what is emitted and flushed one by one then needs no other thread. An event that nobody waits
  // for and that comes within linger_us after it may gather for that long once more.
  [[nodiscard]] virtual Result<void> flush(std::uint32_t timeout_ms) = 0;
  [[nodiscard]] virtual Counters counters() const = 0;
  // The last connection error, empty while connected.
  [[nodiscard]] virtual std::string last_error() const = 0;
};

}  // namespace docket::client
