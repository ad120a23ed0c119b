// Time zones for whole days, clock times and histogram buckets; daylight-saving days included.
#pragma once

#include <string>
#include <string_view>

#include "engine/counts.hpp"
#include "engine/result.hpp"

namespace docket::query {

// A named zone of the system's tz database. Cheap to copy; thread-safe. Days follow one another
// without a hole or an overlap: where clocks go back across midnight, the repeated minutes belong
// to the day that has begun before. Instants outside of int64 nanoseconds are clamped to its ends.
class TimeZone {
 public:
  [[nodiscard]] static TimeZone utc();
  // The machine's own ($TZ, else /etc/localtime); UTC when that cannot be told.
  [[nodiscard]] static TimeZone local();
  // "Europe/Berlin", "UTC", "local", or a fixed offset "+05:30". Error: invalid_argument.
  [[nodiscard]] static Result<TimeZone> find(std::string_view name);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool is_utc() const { return zone_ == nullptr && offset_seconds_ == 0; }

  // The instant at which the local day that holds `t` begins (the first instant that has that date,
  // where midnight itself is skipped), moved by `days_later` whole local days.
  [[nodiscard]] Nanos day_start(Nanos t, int days_later = 0) const;
  // Start of the given local date. Error: invalid_argument for an impossible date.
  [[nodiscard]] Result<Nanos> date_start(int year, unsigned month, unsigned day) const;
  // The instant of a local clock time on the day that holds `t`: the first one where it is
  // ambiguous, the moment of the jump where it is skipped.
  [[nodiscard]] Nanos clock_time(Nanos t, unsigned hour, unsigned minute, unsigned second) const;
  // Seconds east of UTC at `t`.
  [[nodiscard]] int offset_at(Nanos t) const;
  // RFC 3339 with the zone's offset ("2026-05-01T16:22:03+02:00"), fraction digits as needed.
  [[nodiscard]] std::string format(Nanos t) const;

 private:
  const void* zone_ = nullptr;  // date::time_zone; the database lives as long as the program
  int offset_seconds_ = 0;      // of a fixed-offset zone
  std::string name_ = "UTC";
};

}  // namespace docket::query
