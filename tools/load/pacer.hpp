// When each event is due at a given rate. Latencies are counted from here, not from when a busy
// sender got round to it: a slow server must not slow its own measurement down.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace docket::load {

using Clock = std::chrono::steady_clock;

// Thread-safe after construction.
class Pacer {
 public:
  // `rate` in events a second; 0: everything is due at once. Event `first` is due at `start`.
  Pacer(double rate, Clock::time_point start, std::uint64_t first = 0)
      : rate_(rate), start_(start), first_(first) {}

  [[nodiscard]] bool paced() const { return rate_ > 0; }
  // When event `index` (not below `first`) is due; `start` without a rate.
  [[nodiscard]] Clock::time_point due(std::uint64_t index) const {
    if (!paced()) {
      return start_;
    }
    const std::chrono::duration<double> after(static_cast<double>(index - first_) / rate_);
    return start_ + std::chrono::duration_cast<Clock::duration>(after);
  }
  // Until when whoever sends every `stride`-th event sleeps before `index`, which is not due yet at
  // `now`. A sleep costs more processor time than an event: where several are due within a quarter
  // of a millisecond, they are sent together at its end, never early. The wait is part of their
  // latency.
  [[nodiscard]] Clock::time_point wake(std::uint64_t index, std::uint64_t stride,
                                       Clock::time_point now) const {
    constexpr std::chrono::microseconds together(250);
    const Clock::time_point when = due(index);
    return due(index + stride) - when < together ? std::max(when, now + together) : when;
  }

 private:
  double rate_;
  Clock::time_point start_;
  std::uint64_t first_;
};

}  // namespace docket::load
