// When the generated events happen: ascending over some days, with working hours, quiet nights and
// weekends.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/counts.hpp"

namespace docket::load {

// Spreads `events` events over the `days` days that end at `end`. Immutable.
class Calendar {
 public:
  // Precondition: events > 0, days > 0.
  Calendar(std::uint64_t events, Nanos end, std::uint32_t days);

  // The time of event `index`, whole microseconds. `jitter` in [0, 1) moves it within its slot, so
  // times ascend with the index whatever the jitter is.
  [[nodiscard]] Nanos at(std::uint64_t index, double jitter) const;
  [[nodiscard]] Nanos start() const { return start_; }

 private:
  std::uint64_t events_;
  Nanos start_;
  std::vector<double> passed_;        // share of all events before hour h; hours + 1 entries
  std::vector<std::uint32_t> guide_;  // the hour in which each 1/4096 of the events begins
};

}  // namespace docket::load
