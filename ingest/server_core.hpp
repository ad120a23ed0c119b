// What all connections of a server share. Internal to the server's sources.
#pragma once

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "engine/out_of_memory.hpp"
#include "ingest/builder_pool.hpp"
#include "ingest/intake_counts.hpp"
#include "ingest/mail.hpp"
#include "ingest/memory_budget.hpp"
#include "ingest/sender_ledger.hpp"
#include "ingest/server.hpp"

namespace docket::ingest {

// The store's logs that have been opened, by name. The store itself is not asked on an io thread:
// it may be busy for long with making or recovering another log. Thread-safe.
class KnownLogs {
 public:
  // nullptr: not known yet, the store may have it.
  [[nodiscard]] Log* find(std::string_view name) const {
    const std::scoped_lock lock(mutex_);
    const auto found = logs_.find(name);
    return found == logs_.end() ? nullptr : found->second;
  }
  void add(const std::string& name, Log* log) {
    const std::scoped_lock lock(mutex_);
    logs_[name] = log;
  }
  // Of all that is held: when nobody is left to do it.
  void start_commits() {
    const std::scoped_lock lock(mutex_);
    for (const auto& [name, log] : logs_) {
      log->start_commit();
    }
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Log*, std::less<>> logs_;  // as many as the store has, at most
};

// Who holds no more than this is served from a part of the memory that is kept for such: a single
// line, a frame of some hundred events.
inline constexpr std::size_t small_account_bytes = std::size_t{64} << 10;

// What a connection takes under TLS beside its buffers, at most: OpenSSL's state, and a record each
// way while it is on its way.
inline constexpr std::size_t tls_connection_bytes = std::size_t{64} << 10;

struct ServerCore {
  ServerCore(Store& the_store, const ServerOptions& the_options, RejectionObserver the_observer)
      : store(the_store),
        options(the_options),
        observer(std::move(the_observer)),
        budget(the_options.memory_bytes - the_options.memory_bytes / 4,
               std::min(small_account_bytes, the_options.memory_bytes / 16)),
        buffers(the_options.memory_bytes / 4),
        sessions(the_options.memory_bytes),
        builders(std::size_t{4} * the_options.threads) {
    for (std::uint32_t i = 0; i < the_options.threads; ++i) {
      ios.emplace_back(1);
    }
    for (Log* log : store.logs()) {
      logs.add(log->name(), log);
    }
  }

  // A sender is refused: counted and told to the observer.
  void rejected(const std::string& node, const std::string& peer, const std::string& reason) {
    protocol_errors.fetch_add(1, std::memory_order_relaxed);
    tell_observer(node, peer, reason);
  }

  // As far as there is memory.
  void tell_observer(const std::string& node, const std::string& peer, const std::string& reason) {
    if (observer) {
      static_cast<void>(within_memory([&]() -> Result<void> {
        observer(node, peer, reason);
        return {};
      }));
    }
  }

  // What the store is to call when it has answered a batch: brings the answer to `take` on
  // `executor`. Until then, or until it goes without having been called, the batch is in flight.
  [[nodiscard]] Completion completion(const boost::asio::any_io_executor& executor,
                                      std::function<void(Result<Receipt>)> take) {
    auto result = std::make_shared<Result<Receipt>>();
    auto message =
        std::make_shared<Message>(executor, [result, take = std::move(take)] { take(*result); });
    auto in_flight = std::make_shared<InFlight>(*this);
    return [this, result, message, in_flight](Result<Receipt> answered) mutable {
      *result = std::move(answered);
      // Nothing of the connection is left on the store's thread when the batch counts as answered:
      // the message's hold on it has moved on to its thread.
      result.reset();
      mail.send(std::move(message));
      in_flight.reset();
    };
  }

  Store& store;
  const ServerOptions options;
  const RejectionObserver observer;
  // What is received and not yet stored. All of it moves on by itself, or is taken from a peer that
  // stalls, so whoever waits for it gets it in the end.
  MemoryBudget budget;
  // Input buffers beyond the smallest. Apart, because they stay with a connection between reads.
  MemoryBudget buffers;
  // Of TLS. Nobody waits for it.
  MemoryBudget sessions;
  BuilderPool builders;
  KnownLogs logs;
  SenderLedger senders;
  IntakeCounts intake;
  Mail mail;

  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> connections_accepted{0};
  std::atomic<std::uint64_t> batches_duplicate{0};
  std::atomic<std::uint64_t> protocol_errors{0};
  std::atomic<std::uint64_t> tls_failures{0};
  std::atomic<std::uint64_t> bytes_received{0};
  // Batches given to the store whose completion has not been called. Connections are kept alive by
  // their completions, so the server waits for 0 before it goes.
  std::atomic<std::uint64_t> batches_in_flight{0};
  struct InFlight {
    explicit InFlight(ServerCore& the_core) : core(the_core) { ++core.batches_in_flight; }
    ~InFlight() { --core.batches_in_flight; }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    ServerCore& core;
  };

  // Opening a log makes files; that must not hold up the io threads.
  boost::asio::thread_pool blocking{1};
  // One for each io thread, and a connection belongs to one of them, so that whatever it does is
  // done one after the other. Not one for all threads and a strand for each connection: a strand
  // that is entered when memory runs out stays closed for ever.
  // Last, so that they go first: their handlers hold connections, which refer to the above.
  std::deque<boost::asio::io_context> ios;
};

}  // namespace docket::ingest
