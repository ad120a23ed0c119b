// One thread and one docket::client per connection.
#include <fmt/format.h>

#include <array>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "engine/assert.hpp"
#include "ingest/client.hpp"
#include "tools/load/connections.hpp"
#include "tools/load/pacer.hpp"
#include "tools/load/sender.hpp"

namespace docket::load {
namespace {

// What one connection has emitted and not yet heard of, per log: a log's batches are made and
// acknowledged in order, so the oldest events are those that an acknowledgement is about.
class Connection {
 public:
  Connection(const Generator& generator, const SendOptions& options, const Pacer& pacer,
             std::uint32_t number, Recorder& recorder)
      : generator_(generator),
        options_(options),
        pacer_(pacer),
        number_(number),
        recorder_(recorder) {}

  void run() {
    if (auto done = send(); !done) {
      error_ = std::move(done).error();
    }
    if (client_ != nullptr) {
      counters_ = client_->counters();
      client_.reset();
    }
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  void add_to(SendReport& report) const {
    report.sent += counters_.emitted;
    report.durable += counters_.durable;
    report.rejected += counters_.rejected;
    report.resent_batches += counters_.resent;
    report.reconnects += counters_.reconnects;
    report.lag.merge(lag_);
  }

 private:
  [[nodiscard]] bool remembers() const { return options_.ledger != nullptr || pacer_.paced(); }

  Result<void> send() {
    client::Options to_server;
    to_server.address = options_.address;
    to_server.port = options_.port;
    to_server.node = fmt::format("docket-load-{}", number_);
    to_server.token = options_.access.token;
    to_server.tls = options_.access.tls;
    to_server.batch_rows = options_.batch_rows;
    to_server.reconnect_ms_max = options_.reconnect_ms_max;
    DOCKET_ASSIGN(client_, client::Client::start(
                               to_server, [this](std::string_view log, std::uint64_t first_seq,
                                                 std::uint32_t rows, std::int64_t latency) {
                                 acknowledged(log, first_seq, rows, latency);
                               }));
    GeneratedEvent room;
    std::uint64_t in_batch = 0;
    const std::uint64_t stride = options_.connections;
    const std::uint64_t end = options_.first + options_.events;
    for (std::uint64_t i = options_.first + number_; i < end; i += stride) {
      generator_.make(i, room);
      if (pacer_.paced()) {
        if (const auto now = Clock::now(); now < pacer_.due(i)) {
          std::this_thread::sleep_until(pacer_.wake(i, stride, now));
        }
      }
      if (remembers()) {
        const std::lock_guard lock(mutex_);
        pending_[static_cast<std::size_t>(room.surface)].push_back(i);
      }
      DOCKET_TRY(emit(room));
      if (pacer_.paced()) {
        lag_.add((Clock::now() - pacer_.due(i)).count());
      }
      if (options_.one_at_a_time && ++in_batch == options_.batch_rows) {
        in_batch = 0;
        DOCKET_TRY(flush());
      }
    }
    DOCKET_TRY(flush());
    const std::lock_guard lock(mutex_);
    return ledger_error_ ? Result<void>(fail(*ledger_error_)) : Result<void>();
  }

  Result<void> emit(const GeneratedEvent& room) {
    auto emitted = client_->emit_waiting(room.log(), room.event, options_.patience_ms);
    if (!emitted && !client_->last_error().empty()) {
      emitted.error().message += ": " + client_->last_error();
    }
    return emitted;
  }

  Result<void> flush() {
    auto flushed = client_->flush(options_.patience_ms);
    if (!flushed && !client_->last_error().empty()) {
      flushed.error().message += ": " + client_->last_error();
    }
    return flushed;
  }

  // On the client's thread.
  void acknowledged(std::string_view log, std::uint64_t first_seq, std::uint32_t rows,
                    std::int64_t latency_ns) {
    recorder_.settled(rows);
    if (!pacer_.paced()) {
      recorder_.durable(rows, latency_ns);
    }
    if (!remembers()) {
      return;
    }
    std::size_t surface = 0;
    while (surface_names[surface] != log) {
      ++surface;
    }
    const Clock::time_point now = Clock::now();
    LedgerEntry entry{std::string(log), first_seq, rows, 0, options_.connections};
    const std::lock_guard lock(mutex_);
    auto& waiting = pending_[surface];
    DOCKET_ASSERT(waiting.size() >= rows);
    entry.first_index = waiting.front();
    if (pacer_.paced()) {
      recorder_.durable(rows,
                        [&](std::uint64_t i) { return (now - pacer_.due(waiting[i])).count(); });
    }
    waiting.erase(waiting.begin(), waiting.begin() + rows);
    if (options_.ledger != nullptr && !ledger_error_) {
      if (auto recorded = options_.ledger->record(entry); !recorded) {
        ledger_error_ = recorded.error();
      }
    }
  }

  const Generator& generator_;
  const SendOptions& options_;
  const Pacer& pacer_;
  const std::uint32_t number_;
  Recorder& recorder_;
  std::mutex mutex_;  // guards the next two between this thread and the client's
  std::array<std::deque<std::uint64_t>, surface_count> pending_;
  std::optional<Error> ledger_error_;
  LatencyHistogram lag_;
  std::optional<Error> error_;
  client::Counters counters_;
  std::unique_ptr<client::Client> client_;  // last: its thread uses what stands above
};

}  // namespace

Result<SendReport> send_native(const Generator& generator, const SendOptions& options,
                               Recorder& recorder) {
  return run_connections<Connection>(generator, options, recorder);
}

}  // namespace docket::load
