// Latencies of any number of events in fixed memory: buckets that widen with the value.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "engine/result.hpp"

namespace docket::load {

// Values are nanoseconds; a value is kept to within 1/128 of itself, two significant digits, from
// 1 ns to 73 minutes. Not thread-safe; histograms of several threads, runs or files are merged
// afterwards, and that loses nothing.
class LatencyHistogram {
 public:
  LatencyHistogram();

  // Counts `times` events of this latency. Negative values count as 0, those above 2^42 ns (73
  // minutes) as that.
  void add(std::int64_t ns, std::uint64_t times = 1);
  void merge(const LatencyHistogram& other);
  void clear();

  [[nodiscard]] std::uint64_t count() const { return count_; }
  // The smallest value that at least `share` (0 to 1) of the events do not exceed, rounded up to
  // its bucket's end; 0 when nothing was added.
  [[nodiscard]] std::int64_t percentile(double share) const;
  // Exact; 0 when nothing was added.
  [[nodiscard]] std::int64_t max() const { return max_; }
  [[nodiscard]] double mean() const;
  // Events of at most this latency, to within a bucket.
  [[nodiscard]] std::uint64_t count_at_most(std::int64_t ns) const;

  // What is in it, for a file: (largest value of a bucket, events in it) of those that have any,
  // ascending. restore() of that, of max() and of sum() makes the same histogram.
  using Bucket = std::pair<std::int64_t, std::uint64_t>;
  [[nodiscard]] std::vector<Bucket> buckets() const;
  [[nodiscard]] std::uint64_t sum() const { return sum_; }  // of all latencies, ns
  // Error: invalid_argument for values that are not in ascending order or out of range.
  [[nodiscard]] static Result<LatencyHistogram> restore(const std::vector<Bucket>& buckets,
                                                        std::int64_t max, std::uint64_t sum);

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::int64_t max_ = 0;
};

}  // namespace docket::load
