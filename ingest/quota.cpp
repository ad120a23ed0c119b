#include "ingest/quota.hpp"

#include <algorithm>
#include <cmath>

namespace docket::ingest {
namespace {

constexpr double second = 1e9;

// Until a bucket has no debt left.
double wait_of(double left, std::uint64_t rate) {
  return rate == 0 || left >= 0 ? 0 : -left / static_cast<double>(rate) * second;
}

}  // namespace

void Quota::fill(Nanos now) {
  const double passed =
      has_begun_ ? static_cast<double>(std::max<Nanos>(now - filled_, 0)) : second;
  has_begun_ = true;
  filled_ = std::max(filled_, now);
  const auto filled = [passed](double left, std::uint64_t rate) {
    const auto full = static_cast<double>(rate);
    return std::min(full, left + full * passed / second);
  };
  events_ = filled(events_, rates_.events_per_second);
  bytes_ = filled(bytes_, rates_.bytes_per_second);
}

void Quota::take(std::uint64_t events, std::uint64_t bytes, Nanos now) {
  const std::scoped_lock lock(mutex_);
  fill(now);
  events_ -= static_cast<double>(events);
  bytes_ -= static_cast<double>(bytes);
}

Nanos Quota::wait(Nanos now) {
  const std::scoped_lock lock(mutex_);
  fill(now);
  return static_cast<Nanos>(std::ceil(std::max(wait_of(events_, rates_.events_per_second),
                                               wait_of(bytes_, rates_.bytes_per_second))));
}

void Quota::throttled(Nanos duration) {
  times_.fetch_add(1, std::memory_order_relaxed);
  held_.fetch_add(duration, std::memory_order_relaxed);
}

Quota::Stats Quota::stats() const {
  return {times_.load(std::memory_order_relaxed), held_.load(std::memory_order_relaxed)};
}

}  // namespace docket::ingest
