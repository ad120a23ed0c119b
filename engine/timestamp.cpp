#include "engine/timestamp.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace docket {
namespace {

constexpr std::int64_t nanos_per_second = 1'000'000'000;
constexpr std::int64_t seconds_per_day = 86'400;

constexpr bool is_leap_year(std::uint32_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

constexpr std::uint32_t days_in_month(std::uint32_t year, std::uint32_t month) {
  constexpr std::array<std::uint8_t, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap_year(year) ? 29 : days[month - 1];
}

// The proleptic Gregorian calendar in 400-year eras that begin on 1 March, so that the leap day is
// the last day of its year and month lengths follow one linear formula.
constexpr std::int64_t days_per_era = 146'097;
constexpr std::int64_t days_to_1970 = 719'468;  // from 0000-03-01

constexpr std::int64_t days_since_1970(std::uint32_t year, std::uint32_t month, std::uint32_t day) {
  const std::int64_t y = std::int64_t{year} - (month <= 2 ? 1 : 0);
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t month_from_march = (month + 9) % 12;
  const std::int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * days_per_era + day_of_era - days_to_1970;
}

struct CivilDate {
  std::uint32_t year, month, day;
};

// Precondition: the date is in year 0 or later, which every int64 of nanoseconds is.
constexpr CivilDate civil_date(std::int64_t days) {
  const auto from_march_0 = static_cast<std::uint32_t>(days + days_to_1970);
  const std::uint32_t era = from_march_0 / 146'097;
  const std::uint32_t day_of_era = from_march_0 % 146'097;
  const std::uint32_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::uint32_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint32_t month_from_march = (5 * day_of_year + 2) / 153;
  const std::uint32_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const std::uint32_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  return {era * 400 + year_of_era + (month <= 2 ? 1 : 0), month, day};
}

static_assert(days_since_1970(1970, 1, 1) == 0);
static_assert(days_since_1970(2000, 2, 29) == 11'016);
static_assert(civil_date(11'016).month == 2 && civil_date(11'016).day == 29);

tl::unexpected<Error> expected(const char* what) {
  return fail(ErrorCode::invalid_argument, what);
}

// `count` decimal digits at `p`; -1 when one of them is not a digit. The caller has checked that
// so many bytes are there.
constexpr std::int32_t digits(const char* p, std::size_t count) {
  std::int32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto digit = static_cast<unsigned char>(p[i] - '0');
    if (digit > 9) {
      return -1;
    }
    value = value * 10 + digit;
  }
  return value;
}

// `seconds` since the epoch plus 0..999,999,999 ns, unless that leaves the range of Nanos.
Result<Nanos> join(std::int64_t seconds, std::int64_t nanos) {
  if (seconds < 0 && nanos > 0) {
    // Towards zero first: the very first representable second is not representable whole.
    seconds += 1;
    nanos -= nanos_per_second;
  }
  std::int64_t total = 0;
  if (__builtin_mul_overflow(seconds, nanos_per_second, &total) ||
      __builtin_add_overflow(total, nanos, &total)) {
    return expected(
        "must be between 1677-09-21T00:12:43.145224192Z and "
        "2262-04-11T23:47:16.854775807Z");
  }
  return total;
}

void put_digits(char* p, std::uint32_t value, std::size_t count) {
  for (std::size_t i = count; i-- > 0;) {
    p[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

}  // namespace

Result<Nanos> parse_rfc3339(std::string_view text) {
  constexpr std::size_t seconds_end = 19;  // "2026-05-01T14:22:03"
  constexpr const char* form = "expected a date and time like 2026-05-01T14:22:03.25Z";
  if (text.size() < seconds_end + 1) {
    return expected(form);
  }
  const char* p = text.data();
  const char* const end = p + text.size();
  const std::int32_t year = digits(p, 4);
  const std::int32_t month = digits(p + 5, 2);
  const std::int32_t day = digits(p + 8, 2);
  const std::int32_t hour = digits(p + 11, 2);
  const std::int32_t minute = digits(p + 14, 2);
  const std::int32_t second = digits(p + 17, 2);
  const bool separated = p[4] == '-' && p[7] == '-' &&
                         (p[10] == 'T' || p[10] == 't' || p[10] == ' ') && p[13] == ':' &&
                         p[16] == ':';
  // All bits of a -1 survive the OR.
  if (!separated || (year | month | day | hour | minute | second) < 0) {
    return expected(form);
  }
  const auto y = static_cast<std::uint32_t>(year);
  const auto mo = static_cast<std::uint32_t>(month);
  const auto d = static_cast<std::uint32_t>(day);
  if (mo < 1 || mo > 12) {
    return expected("expected a month from 01 to 12");
  }
  if (d < 1 || d > days_in_month(y, mo)) {
    return expected("expected a day that the month has");
  }
  if (hour > 23) {
    return expected("expected an hour from 00 to 23");
  }
  if (minute > 59) {
    return expected("expected a minute from 00 to 59");
  }
  if (second > 60) {
    return expected("expected a second from 00 to 60");
  }
  p += seconds_end;

  std::int64_t nanos = 0;
  if (*p == '.') {
    const char* const fraction = ++p;
    std::int64_t unit = nanos_per_second;
    for (; p != end && *p >= '0' && *p <= '9'; ++p) {
      unit /= 10;
      if (unit == 0) {
        return expected("expected at most 9 fraction digits");
      }
      nanos += unit * (*p - '0');
    }
    if (p == fraction) {
      return expected("expected a digit after the decimal point");
    }
  }

  std::int64_t offset = 0;  // seconds east of UTC
  if (p == end) {
    return expected("expected Z or an offset like +02:00 at the end");
  }
  if (*p == 'Z' || *p == 'z') {
    ++p;
  } else {
    if (end - p < 6 || (*p != '+' && *p != '-') || p[3] != ':') {
      return expected("expected Z or an offset like +02:00 at the end");
    }
    const std::int32_t hours = digits(p + 1, 2);
    const std::int32_t minutes = digits(p + 4, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
      return expected("expected an offset from -23:59 to +23:59");
    }
    offset = hours * 3'600 + minutes * 60;
    if (*p == '-') {
      offset = -offset;
    }
    p += 6;
  }
  if (p != end) {
    return expected("expected nothing after the offset");
  }

  std::int64_t seconds =
      days_since_1970(y, mo, d) * seconds_per_day + hour * 3'600 + minute * 60 - offset;
  if (second < 60) {
    return join(seconds + second, nanos);
  }
  // Leap seconds are inserted at the end of a UTC day only; at any other place :60 is a mistake.
  if ((seconds % seconds_per_day + seconds_per_day) % seconds_per_day != seconds_per_day - 60) {
    return expected("expected a second from 00 to 59; 60 is possible only at the end of a UTC day");
  }
  return join(seconds + 59, nanos_per_second - 1);
}

char* write_rfc3339(char* to, Nanos ns) {
  std::int64_t seconds = ns / nanos_per_second;
  std::int64_t nanos = ns % nanos_per_second;
  if (nanos < 0) {
    nanos += nanos_per_second;
    seconds -= 1;
  }
  std::int64_t days = seconds / seconds_per_day;
  std::int64_t second_of_day = seconds % seconds_per_day;
  if (second_of_day < 0) {
    second_of_day += seconds_per_day;
    days -= 1;
  }
  const CivilDate date = civil_date(days);
  const auto time = static_cast<std::uint32_t>(second_of_day);

  std::memcpy(to, "0000-00-00T00:00:00.", 20);
  put_digits(to, date.year, 4);
  put_digits(to + 5, date.month, 2);
  put_digits(to + 8, date.day, 2);
  put_digits(to + 11, time / 3'600, 2);
  put_digits(to + 14, time / 60 % 60, 2);
  put_digits(to + 17, time % 60, 2);
  char* end = to + 19;
  if (nanos != 0) {
    put_digits(to + 20, static_cast<std::uint32_t>(nanos), 9);
    end = to + 29;
    while (end[-1] == '0') {
      --end;
    }
  }
  *end++ = 'Z';
  return end;
}

void append_rfc3339(std::string& out, Nanos ns) {
  char text[rfc3339_chars_max];
  const char* const end = write_rfc3339(text, ns);
  out.append(text, static_cast<std::size_t>(end - text));
}

std::string format_rfc3339(Nanos ns) {
  std::string text;
  append_rfc3339(text, ns);
  return text;
}

Nanos now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace docket
