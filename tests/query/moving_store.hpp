// A store in which events arrive and segments are sealed, merged and retired all the time, beside
// the list of the events that it must hold.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/log.hpp"
#include "index/catalog.hpp"
#include "tests/support/random_events.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket::query::testing {

class MovingStore {
 public:
  // About `events` events are kept; older ones are retired.
  MovingStore(std::uint64_t seed, std::size_t events);
  ~MovingStore();
  MovingStore(const MovingStore&) = delete;
  MovingStore& operator=(const MovingStore&) = delete;

  // The store at one moment, and what it must hold then.
  struct Look {
    StoreSnapshot snapshot;
    std::vector<Event> events;
  };
  [[nodiscard]] Look look();
  [[nodiscard]] StoreSnapshot snapshot() { return store_->snapshot().value(); }
  [[nodiscard]] index::Catalog& catalog() { return catalog_; }

  // How much has moved so far.
  [[nodiscard]] std::uint64_t sealed() const { return sealed_; }
  [[nodiscard]] std::uint64_t retired() const { return retired_; }

 private:
  struct Known {
    std::uint64_t first_seq = 1;
    std::deque<Event> events;
  };

  void write();     // until it stops
  void maintain();  // until it stops
  void send(const std::string& log);
  void retire();

  const docket::testing::TemporaryDirectory directory_;
  std::unique_ptr<Store> store_;
  index::Catalog catalog_;
  std::mt19937_64 random_;
  docket::testing::RandomEvents random_events_;
  const std::size_t events_;

  std::mutex mutex_;
  std::condition_variable more_;
  std::map<std::string, Known> known_;
  std::size_t under_way_ = 0;

  std::atomic<bool> stopping_{false};
  std::atomic<bool> stored_enough_{false};
  std::atomic<std::uint64_t> sealed_{0};
  std::atomic<std::uint64_t> retired_{0};
  std::thread writer_;
  std::thread maintenance_;
};

}  // namespace docket::query::testing
