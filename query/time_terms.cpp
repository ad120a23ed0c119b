#include "query/time_terms.hpp"

#include <date/date.h>

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string>

#include "engine/timestamp.hpp"

namespace docket::query {

namespace {

constexpr Nanos nanos_per_second = 1'000'000'000;

struct Date {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
};

struct Clock {
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  Nanos fraction = 0;
};

// Takes a number of `digits_min` to `digits_max` digits off the front of `text`.
std::optional<unsigned> take_number(std::string_view& text, std::size_t digits_min,
                                    std::size_t digits_max) {
  unsigned number = 0;
  std::size_t digits = 0;
  while (digits < digits_max && digits < text.size() && text[digits] >= '0' &&
         text[digits] <= '9') {
    number = number * 10 + static_cast<unsigned>(text[digits] - '0');
    ++digits;
  }
  if (digits < digits_min) {
    return std::nullopt;
  }
  text.remove_prefix(digits);
  return number;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

// `2026-05-01` off the front of `text`; whether it exists is checked later.
std::optional<Date> take_date(std::string_view& text) {
  std::string_view rest = text;
  const auto year = take_number(rest, 4, 4);
  if (!year || !take(rest, '-')) {
    return std::nullopt;
  }
  const auto month = take_number(rest, 2, 2);
  if (!month || !take(rest, '-')) {
    return std::nullopt;
  }
  const auto day = take_number(rest, 2, 2);
  if (!day) {
    return std::nullopt;
  }
  text = rest;
  return Date{static_cast<int>(*year), *month, *day};
}

// The whole of `text` as `14:22`, `14:22:05` or `14:22:05.25`.
std::optional<Clock> parse_clock(std::string_view text, std::size_t hour_digits_min) {
  Clock clock;
  const auto hour = take_number(text, hour_digits_min, 2);
  if (!hour || *hour > 23 || !take(text, ':')) {
    return std::nullopt;
  }
  const auto minute = take_number(text, 2, 2);
  if (!minute || *minute > 59) {
    return std::nullopt;
  }
  clock.hour = *hour;
  clock.minute = *minute;
  if (take(text, ':')) {
    const auto second = take_number(text, 2, 2);
    if (!second || *second > 59) {
      return std::nullopt;
    }
    clock.second = *second;
    if (take(text, '.')) {
      const std::size_t before = text.size();
      const auto fraction = take_number(text, 1, 9);
      if (!fraction) {
        return std::nullopt;
      }
      clock.fraction = *fraction;
      for (std::size_t digits = before - text.size(); digits < 9; ++digits) {
        clock.fraction *= 10;
      }
    }
  }
  return text.empty() ? std::optional(clock) : std::nullopt;
}

constexpr Nanos first_instant = std::numeric_limits<Nanos>::min();
constexpr Nanos last_instant = std::numeric_limits<Nanos>::max();

// The start of a local date.
Result<Nanos> start_of(const Date& date, const TimeZone& zone) {
  const auto start = zone.date_start(date.year, date.month, date.day);
  if (!start) {
    return fail(ErrorCode::invalid_argument, "expected a date that exists");
  }
  return *start;
}

Nanos clock_on(Nanos day, const Clock& clock, const TimeZone& zone) {
  const Nanos start = zone.clock_time(day, clock.hour, clock.minute, clock.second);
  return start > last_instant - clock.fraction ? last_instant : start + clock.fraction;
}

std::optional<Nanos> seconds_of_unit(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 24 * 3600;
    case 'w':
      return 7 * 24 * 3600;
    default:
      return std::nullopt;
  }
}

// `7d`, `1d12h` -> how long ago; nullopt when it is none or longer than time itself.
std::optional<Nanos> parse_age(std::string_view text) {
  constexpr Nanos seconds_max = std::numeric_limits<Nanos>::max() / nanos_per_second;
  Nanos seconds = 0;
  while (!text.empty()) {
    const auto number = take_number(text, 1, 9);
    const auto unit = number && !text.empty() ? seconds_of_unit(text.front()) : std::nullopt;
    if (!unit) {
      return std::nullopt;
    }
    text.remove_prefix(1);
    // At most 9 digits times a week stay far below the largest int64.
    seconds += Nanos{*number} * *unit;
    if (seconds > seconds_max) {
      return std::nullopt;
    }
  }
  return seconds * nanos_per_second;
}

// A time that int64 nanoseconds do not reach is the end on its side: an open bound, as no event can
// lie beyond. What stands behind its year must be right all the same.
Result<Nanos> past_the_ends(const Date& date, std::string_view text, const ParseContext& context) {
  DOCKET_TRY(start_of(date, context.zone));
  DOCKET_TRY(parse_instant("2000" + std::string(text.substr(4)), context));
  return date.year < 2000 ? first_instant : last_instant;
}

}  // namespace

Result<Nanos> parse_instant(std::string_view text, const ParseContext& context) {
  const TimeZone& zone = context.zone;
  if (text == "now") {
    return context.now;
  }
  if (text == "today") {
    return zone.day_start(context.now);
  }
  if (text == "yesterday") {
    return zone.day_start(context.now, -1);
  }
  if (const auto clock = parse_clock(text, 1)) {
    return clock_on(context.now, *clock, zone);
  }
  std::string_view rest = text;
  if (const auto date = take_date(rest)) {
    if (rest.empty()) {
      return start_of(*date, zone);
    }
    if (date->year < 1677 || date->year > 2262) {
      return past_the_ends(*date, text, context);
    }
    const bool separated = rest.front() == 'T' || rest.front() == 't' || rest.front() == ' ';
    const auto clock = separated ? parse_clock(rest.substr(1), 2) : std::nullopt;
    if (clock) {
      DOCKET_ASSIGN(const Nanos day, start_of(*date, zone));
      return clock_on(day, *clock, zone);
    }
    const auto instant = parse_rfc3339(text);
    if (instant) {
      return *instant;
    }
    if (date->year == 1677 || date->year == 2262) {
      return past_the_ends(*date, text, context);
    }
    return fail(ErrorCode::invalid_argument,
                "expected a time such as 2026-05-01T14:22:03Z, 2026-05-01T14:22 or 2026-05-01");
  }
  if (const auto age = text.empty() ? std::nullopt : parse_age(text)) {
    return context.now < first_instant + *age ? first_instant : context.now - *age;
  }
  return fail(ErrorCode::invalid_argument,
              "expected a time: 2026-05-01T14:22:03Z, 2026-05-01, 14:22, 7d, 24h, 90m, 30s, 2w, "
              "today, yesterday or now");
}

Result<TimeRange> parse_day(std::string_view text, const ParseContext& context) {
  const TimeZone& zone = context.zone;
  if (text == "today") {
    return TimeRange{zone.day_start(context.now), zone.day_start(context.now, 1)};
  }
  if (text == "yesterday") {
    return TimeRange{zone.day_start(context.now, -1), zone.day_start(context.now)};
  }
  std::string_view rest = text;
  const auto day = take_date(rest);
  if (!day || !rest.empty()) {
    return fail(ErrorCode::invalid_argument, "expected a day: 2026-05-01, today or yesterday");
  }
  DOCKET_ASSIGN(const Nanos since, start_of(*day, zone));
  // The next date may not be the day that follows: a zone can skip one whole.
  const date::year_month_day next(
      date::sys_days(date::year(day->year) / static_cast<int>(day->month) /
                     static_cast<int>(day->day)) +
      date::days(1));
  DOCKET_ASSIGN(const Nanos until,
                start_of(Date{static_cast<int>(next.year()), static_cast<unsigned>(next.month()),
                              static_cast<unsigned>(next.day())},
                         zone));
  return TimeRange{since, until};
}

}  // namespace docket::query
