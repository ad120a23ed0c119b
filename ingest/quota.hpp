// How much the owner of a token may send.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "engine/counts.hpp"

namespace docket::ingest {

struct QuotaRates {
  std::uint64_t events_per_second = 0;  // 0: any number
  std::uint64_t bytes_per_second = 0;   // as received; 0: any number
  [[nodiscard]] bool is_limited() const { return events_per_second != 0 || bytes_per_second != 0; }
  friend bool operator==(const QuotaRates&, const QuotaRates&) = default;
};

// Two buckets, each of which holds what may come in a second. What has come is always taken, a
// batch or a body at a time, and may leave a bucket in debt; nothing more is read until that is
// paid. So the rates are kept over time, a batch larger than a bucket passes, and nothing is
// refused that could wait. Thread-safe; shared by all connections of a token.
class Quota {
 public:
  explicit Quota(const QuotaRates& rates) : rates_(rates) {}

  // So much has come.
  void take(std::uint64_t events, std::uint64_t bytes, Nanos now);
  // How long nothing more is to be read; 0: go on. `now` of all calls is that of one clock, which
  // does not go back.
  [[nodiscard]] Nanos wait(Nanos now);
  // A sender is made to wait, or sent away for so long.
  void throttled(Nanos duration);

  struct Stats {
    std::uint64_t times = 0;  // a sender was held up
    Nanos held = 0;           // for so long, all together
  };
  [[nodiscard]] Stats stats() const;

 private:
  void fill(Nanos now);

  const QuotaRates rates_;
  std::mutex mutex_;
  bool has_begun_ = false;
  Nanos filled_ = 0;
  double events_ = 0;  // that may come at once; less than 0: in debt
  double bytes_ = 0;
  std::atomic<std::uint64_t> times_{0};
  std::atomic<Nanos> held_{0};
};

}  // namespace docket::ingest
