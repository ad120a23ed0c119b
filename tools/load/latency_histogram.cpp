#include "tools/load/latency_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace docket::load {
namespace {

// Values below 2 * parts have a bucket each; above, every power of two is cut into `parts`.
constexpr unsigned parts_bits = 6;
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
  max_ = std::max(max_, static_cast<std::int64_t>(value));
}

void LatencyHistogram::merge(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    buckets_[i] += other.buckets_[i];
  }
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
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

}  // namespace docket::load
