// What the connections of one run have measured so far, all together, while they go on.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "tools/load/latency_histogram.hpp"

namespace docket::load {

// Thread-safe.
class Recorder {
 public:
  // `rows` events have become durable; latency_of(i) is that of the i-th, in ns.
  template <typename LatencyOf>
  void durable(std::uint64_t rows, const LatencyOf& latency_of) {
    const std::lock_guard lock(mutex_);
    for (std::uint64_t i = 0; i < rows; ++i) {
      const std::int64_t ns = latency_of(i);
      all_.add(ns);
      recent_.add(ns);
    }
  }
  // The same latency for each.
  void durable(std::uint64_t rows, std::int64_t ns) {
    const std::lock_guard lock(mutex_);
    all_.add(ns, rows);
    recent_.add(ns, rows);
  }
  // Events that are stored or rejected, for who shows progress.
  void settled(std::uint64_t events) { settled_.fetch_add(events, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t settled() const { return settled_.load(std::memory_order_relaxed); }

  [[nodiscard]] LatencyHistogram all() const;
  struct Slice {
    std::uint64_t events = 0;
    std::int64_t p50 = 0;  // ns
    std::int64_t p99 = 0;
  };
  // What has come since the last call of this.
  [[nodiscard]] Slice take_slice();

 private:
  mutable std::mutex mutex_;
  LatencyHistogram all_;
  LatencyHistogram recent_;
  std::atomic<std::uint64_t> settled_{0};
};

}  // namespace docket::load
