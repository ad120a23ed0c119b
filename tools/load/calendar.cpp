#include "tools/load/calendar.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "engine/assert.hpp"

namespace docket::load {
namespace {

constexpr Nanos hour_ns = 3'600'000'000'000;
constexpr std::size_t guide_slices = 4096;

// Events in each hour of a working day, UTC, relative to each other.
constexpr std::array<double, 24> working_day{2,  1,  1,  1,  1,  2,  4, 9, 16, 20, 21, 19,
                                             15, 18, 20, 19, 16, 11, 8, 6, 5,  4,  3,  2};
constexpr double weekend = 0.3;

}  // namespace

Calendar::Calendar(std::uint64_t events, Nanos end, std::uint32_t days)
    : events_(events), start_(end - Nanos{days} * 24 * hour_ns) {
  DOCKET_ASSERT(events > 0 && days > 0);
  const std::size_t hours = std::size_t{days} * 24;
  double sum = 0;
  passed_.push_back(0);
  for (std::size_t i = 0; i < hours; ++i) {
    const Nanos hour = (start_ / hour_ns) + static_cast<Nanos>(i);
    // The epoch was a Thursday; days 2 and 3 of its weeks are Saturday and Sunday.
    const Nanos weekday = (hour / 24) % 7;
    sum += working_day[static_cast<std::size_t>(hour % 24)] *
           (weekday == 2 || weekday == 3 ? weekend : 1);
    passed_.push_back(sum);
  }
  for (double& share : passed_) {
    share /= sum;
  }
  std::uint32_t hour = 0;
  for (std::size_t slice = 0; slice < guide_slices; ++slice) {
    while (passed_[hour + 1] <= static_cast<double>(slice) / guide_slices) {
      ++hour;
    }
    guide_.push_back(hour);
  }
}

Nanos Calendar::at(std::uint64_t index, double jitter) const {
  const double share = (static_cast<double>(index) + jitter) / static_cast<double>(events_);
  const auto slice = std::min(static_cast<std::size_t>(share * guide_slices), guide_slices - 1);
  std::uint32_t hour = guide_[slice];
  while (hour + 2 < passed_.size() && passed_[hour + 1] <= share) {
    ++hour;
  }
  const double within = (share - passed_[hour]) / (passed_[hour + 1] - passed_[hour]);
  const double micros = std::min(within, 1.0) * (static_cast<double>(hour_ns) / 1000);
  const Nanos whole = start_ / 1000 * 1000;
  return whole + Nanos{hour} * hour_ns + static_cast<Nanos>(micros) * 1000;
}

}  // namespace docket::load
