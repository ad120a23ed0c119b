// Latencies of any number of events in fixed memory: buckets that widen with the value.
#pragma once

#include <cstdint>
#include <vector>

namespace docket::load {

// Values are nanoseconds; a value is kept to within 1/64 of itself. Not thread-safe; histograms of
// several threads are merged afterwards.
class LatencyHistogram {
 public:
  LatencyHistogram();

  // Counts `times` events of this latency. Negative values count as 0, those above 2^42 ns (73
  // minutes) as that.
  void add(std::int64_t ns, std::uint64_t times = 1);
  void merge(const LatencyHistogram& other);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  // The smallest value that at least `share` (0 to 1) of the events do not exceed, rounded up to
  // its bucket's end; 0 when nothing was added.
  [[nodiscard]] std::int64_t percentile(double share) const;
  // Exact.
  [[nodiscard]] std::int64_t max() const { return max_; }

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::int64_t max_ = 0;
};

}  // namespace docket::load
