// The buckets of a histogram: which one an instant is in, and where it begins.
#pragma once

#include <cstdint>

#include "engine/counts.hpp"
#include "query/searcher.hpp"
#include "query/time_zone.hpp"

namespace docket::query {

struct Bucket {
  std::int64_t number = 0;  // neighbours differ by one
  Nanos start = 0;          // inclusive
  Nanos end = 0;            // exclusive
  [[nodiscard]] bool contains(Nanos ts) const { return start <= ts && ts < end; }
};

// Seconds, minutes and hours are counted in the zone's clock time as it stands at `reference`: an
// hour begins at its full hour also where the offset is not one. Days and weeks follow the zone's
// calendar, so that a bucket may be an hour longer or shorter; several days (or weeks) are counted
// from 1970-01-01 (from Monday, 1970-01-05). Thread-safe.
class Buckets {
 public:
  Buckets(BucketWidth width, const TimeZone& zone, Nanos reference);
  [[nodiscard]] Bucket of(Nanos ts) const;

 private:
  [[nodiscard]] Bucket of_clock(Nanos ts) const;
  [[nodiscard]] Bucket of_calendar(Nanos ts) const;

  TimeZone zone_;
  Nanos width_ = 0;          // 0: days
  Nanos offset_ = 0;         // of the zone from UTC
  std::int64_t days_ = 0;    // in a bucket
  std::int64_t anchor_ = 0;  // the day, counted from 1970-01-01, at which bucket 0 begins
};

}  // namespace docket::query
