#include "tools/load/latency_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace docket::load {
namespace {

// Values below 2 * parts have a bucket each; above, every power of two is cut into `parts`.
constexpr unsigned parts_bits = 7;
constexpr std::uint64_t parts = std::uint64_t{1} << parts_bits;
constexpr std::uint64_t value_max = std::uint64_t{1} << 42;

std::size_t bucket_of(std::uint64_t value) {
  if (value < 2 * parts) {
    return value;
  }
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - parts_bits;
  return (static_cast<std::size_t>(shift) << parts_bits) + (value >> shift);
}

// The largest value of a bucket.
std::uint64_t bucket_end(std::size_t bucket) {
  if (bucket < 2 * parts) {
    return bucket;
  }
  const std::size_t shift = (bucket >> parts_bits) - 1;
  return (((bucket & (parts - 1)) + parts + 1) << shift) - 1;
}

}  // namespace

LatencyHistogram::LatencyHistogram() : buckets_(bucket_of(value_max) + 1) {}

void LatencyHistogram::add(std::int64_t ns, std::uint64_t times) {
  const auto value = std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0)), value_max);
  buckets_[bucket_of(value)] += times;
  count_ += times;
  sum_ += value * times;
  max_ = std::max(max_, static_cast<std::int64_t>(value));
}

void LatencyHistogram::merge(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    buckets_[i] += other.buckets_[i];
  }
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

void LatencyHistogram::clear() {
  std::ranges::fill(buckets_, 0);
  count_ = 0;
  sum_ = 0;
  max_ = 0;
}

std::int64_t LatencyHistogram::percentile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= std::max<std::uint64_t>(wanted, 1)) {
      return std::min(static_cast<std::int64_t>(bucket_end(i)), max_);
    }
  }
  return 0;
}

double LatencyHistogram::mean() const {
  return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

std::uint64_t LatencyHistogram::count_at_most(std::int64_t ns) const {
  const auto value = std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0)), value_max);
  const auto end = buckets_.begin() + static_cast<std::ptrdiff_t>(bucket_of(value)) + 1;
  return std::accumulate(buckets_.begin(), end, std::uint64_t{0});
}

std::vector<LatencyHistogram::Bucket> LatencyHistogram::buckets() const {
  std::vector<Bucket> filled;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i] != 0) {
      filled.emplace_back(static_cast<std::int64_t>(std::min(bucket_end(i), value_max)),
                          buckets_[i]);
    }
  }
  return filled;
}

Result<LatencyHistogram> LatencyHistogram::restore(const std::vector<Bucket>& buckets,
                                                   std::int64_t max, std::uint64_t sum) {
  LatencyHistogram made;
  std::int64_t before = -1;
  for (const auto& [value, times] : buckets) {
    if (value <= before || value > static_cast<std::int64_t>(value_max)) {
      return fail(ErrorCode::invalid_argument,
                  "a histogram's values must ascend and lie within 2^42 ns");
    }
    before = value;
    made.add(value, times);
  }
  if (max < 0 || max > made.max_ ||
      (made.count_ > 0 && bucket_of(static_cast<std::uint64_t>(max)) !=
                              bucket_of(static_cast<std::uint64_t>(made.max_)))) {
    return fail(ErrorCode::invalid_argument, "a histogram's max must lie in its last bucket");
  }
  made.max_ = max;
  made.sum_ = sum;
  return made;
}

}  // namespace docket::load
