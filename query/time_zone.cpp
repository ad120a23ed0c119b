#include "query/time_zone.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <limits>
#include <optional>

#include "query/render.hpp"

namespace docket::query {

namespace {

using std::chrono::days;
using std::chrono::seconds;

constexpr Nanos nanos_per_second = 1'000'000'000;

seconds floor_seconds(Nanos t) {
  Nanos whole = t / nanos_per_second;
  if (t % nanos_per_second < 0) {
    --whole;
  }
  return seconds(whole);
}

// The first and the last instant stand for all that lie beyond.
Nanos clamped_nanos(seconds s) {
  constexpr Nanos max = std::numeric_limits<Nanos>::max();
  constexpr Nanos min = std::numeric_limits<Nanos>::min();
  if (s.count() > max / nanos_per_second) {
    return max;
  }
  if (s.count() < min / nanos_per_second) {
    return min;
  }
  return s.count() * nanos_per_second;
}

// A zone's arithmetic in whole seconds, where nothing overflows.
class Clock {
 public:
  Clock(const void* zone, int offset_seconds)
      : zone_(static_cast<const date::time_zone*>(zone)), offset_(offset_seconds) {}

  [[nodiscard]] seconds offset_at(seconds t) const {
    return zone_ == nullptr ? offset_ : zone_->get_info(date::sys_seconds(t)).offset;
  }

  // The first instant with that local time; the moment of the jump where it is skipped.
  [[nodiscard]] seconds to_utc(date::local_seconds local) const {
    if (zone_ == nullptr) {
      return local.time_since_epoch() - offset_;
    }
    const date::local_info info = zone_->get_info(local);
    if (info.result == date::local_info::nonexistent) {
      return info.first.end.time_since_epoch();
    }
    return local.time_since_epoch() - info.first.offset;
  }

  [[nodiscard]] seconds day_start(date::local_days day) const { return to_utc(day); }

  // The day whose span from its start to the next one's holds `t`. Where clocks go back across
  // midnight the repeated minutes of the old date belong to the new day, which has begun before.
  [[nodiscard]] date::local_days day_of(seconds t) const {
    const auto day = std::chrono::floor<days>(date::local_seconds(t + offset_at(t)));
    return day_start(day + days(1)) <= t ? day + days(1) : day;
  }

 private:
  const date::time_zone* zone_;
  seconds offset_;
};

// "+05:30" -> seconds east; nullopt when it is none.
std::optional<int> parse_offset(std::string_view name) {
  const auto digit = [&](std::size_t i) { return name[i] >= '0' && name[i] <= '9'; };
  if (name.size() != 6 || (name[0] != '+' && name[0] != '-') || name[3] != ':' || !digit(1) ||
      !digit(2) || !digit(4) || !digit(5)) {
    return std::nullopt;
  }
  const int hours = (name[1] - '0') * 10 + (name[2] - '0');
  const int minutes = (name[4] - '0') * 10 + (name[5] - '0');
  if (hours > 23 || minutes > 59) {
    return std::nullopt;
  }
  const int offset = hours * 3600 + minutes * 60;
  return name[0] == '-' ? -offset : offset;
}

// $TZ holds a zone's name, a path into the database, or rules of its own, which name no zone.
std::string_view zone_name_of_environment(std::string_view tz) {
  constexpr std::string_view database = "/zoneinfo/";
  if (tz.starts_with(':')) {
    tz.remove_prefix(1);
  }
  const std::size_t at = tz.find(database);
  return at == std::string_view::npos ? tz : tz.substr(at + database.size());
}

bool is_name_of_utc(std::string_view name) {
  constexpr std::string_view names[] = {"UTC",  "utc",      "Z",         "Etc/UTC",
                                        "Zulu", "Etc/Zulu", "Universal", "Etc/Universal",
                                        "UCT",  "Etc/UCT"};
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

}  // namespace

TimeZone TimeZone::utc() {
  return {};
}

TimeZone TimeZone::local() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in the program sets the environment.
  if (const char* tz = std::getenv("TZ"); tz != nullptr && *tz != '\0') {
    const std::string_view name = zone_name_of_environment(tz);
    return name == "local" ? utc() : find(name).value_or(utc());
  }
  try {
    const std::string& name = date::current_zone()->name();
    return name == "local" ? utc() : find(name).value_or(utc());
  } catch (const std::exception&) {
    return utc();
  }
}

Result<TimeZone> TimeZone::find(std::string_view name) {
  if (name == "local") {
    return local();
  }
  TimeZone zone;
  if (is_name_of_utc(name)) {
    return zone;
  }
  zone.name_ = name;
  if (const std::optional<int> offset = parse_offset(name)) {
    zone.offset_seconds_ = *offset;
    return zone;
  }
  try {
    const date::time_zone* found = date::locate_zone(zone.name_);
    // Reads the zone's file, so that a damaged one is an error here and not later.
    static_cast<void>(found->get_info(date::sys_seconds{}));
    zone.zone_ = found;
    return zone;
  } catch (const std::exception&) {
    return fail(ErrorCode::invalid_argument,
                "unknown time zone '" + terminal_safe(fit_width(name, 64)) +
                    "'; expected a name such as Europe/Berlin, UTC, local, or an offset such as "
                    "+05:30");
  }
}

Nanos TimeZone::day_start(Nanos t, int days_later) const {
  const Clock clock(zone_, offset_seconds_);
  return clamped_nanos(clock.day_start(clock.day_of(floor_seconds(t)) + days(days_later)));
}

Result<Nanos> TimeZone::date_start(int year, unsigned month, unsigned day) const {
  const date::year_month_day date{date::year(year), date::month(month), date::day(day)};
  if (!date.ok()) {
    return fail(ErrorCode::invalid_argument, "expected a date that exists");
  }
  return clamped_nanos(Clock(zone_, offset_seconds_).day_start(date::local_days(date)));
}

Nanos TimeZone::clock_time(Nanos t, unsigned hour, unsigned minute, unsigned second) const {
  const Clock clock(zone_, offset_seconds_);
  const date::local_days day = clock.day_of(floor_seconds(t));
  const seconds of_day(hour * 3600 + minute * 60 + second);
  return clamped_nanos(clock.to_utc(day + of_day));
}

int TimeZone::offset_at(Nanos t) const {
  return static_cast<int>(Clock(zone_, offset_seconds_).offset_at(floor_seconds(t)).count());
}

std::string TimeZone::format(Nanos t) const {
  // RFC 3339 has offsets of whole minutes; local mean times of old have seconds. The clock time is
  // that of the printed offset, so that the text names the same instant.
  const int minutes = offset_at(t) / 60;
  const Nanos remainder = t % nanos_per_second;
  const Nanos fraction = remainder < 0 ? remainder + nanos_per_second : remainder;
  const date::local_seconds local(floor_seconds(t) + std::chrono::minutes(minutes));
  const auto day = std::chrono::floor<days>(local);
  const date::year_month_day date(day);
  const date::hh_mm_ss<seconds> clock(local - day);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (fraction != 0) {
    text += fmt::format(".{:09}", fraction);
    text.erase(text.find_last_not_of('0') + 1);
  }
  if (is_utc()) {
    return text + 'Z';
  }
  const int east = std::abs(minutes);
  return text + fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', east / 60, east % 60);
}

}  // namespace docket::query
