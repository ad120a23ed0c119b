// A server that stands still from its first batch on, for as long as it is told.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "ingest/server.hpp"
#include "tests/support/acking_store.hpp"

namespace docket::load {

class StallingServer {
 public:
  explicit StallingServer(std::chrono::milliseconds stall) {
    store_.only_log().on_batch = [this, stall](const EncodedBatch&) {
      std::chrono::steady_clock::time_point until;
      {
        const std::lock_guard lock(mutex_);
        if (!until_) {
          until_ = std::chrono::steady_clock::now() + stall;
        }
        until = *until_;
      }
      std::this_thread::sleep_until(until);
    };
    ingest::ServerOptions options;
    options.port = 0;
    server_ = ingest::Server::start(store_, options).value();
  }

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  [[nodiscard]] std::uint64_t events() { return store_.only_log().events(); }

 private:
  testing::AckingStore store_;
  std::mutex mutex_;
  std::optional<std::chrono::steady_clock::time_point> until_;
  std::unique_ptr<ingest::Server> server_;  // last: its threads use what stands above
};

}  // namespace docket::load
