#include "engine/timestamp.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <random>

namespace docket {
namespace {

constexpr Nanos second_ns = 1'000'000'000;

// The same instant by another road: the standard library's calendar.
Nanos instant(int year, unsigned month, unsigned day, std::int64_t second_of_day = 0) {
  const std::chrono::sys_days date =
      std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
  return (date.time_since_epoch().count() * std::int64_t{86'400} + second_of_day) * second_ns;
}

TEST(ParseRfc3339, ReadsEveryAllowedForm) {
  const Nanos noon = instant(2026, 5, 1, 12 * 3600);
  const std::pair<const char*, Nanos> cases[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"2026-05-01T12:00:00Z", noon},
      {"2026-05-01t12:00:00z", noon},
      {"2026-05-01 12:00:00Z", noon},
      {"2026-05-01T14:00:00+02:00", noon},
      {"2026-05-01T06:30:00-05:30", noon},
      {"2026-05-01T12:00:00-00:00", noon},
      {"2026-05-02T11:59:00+23:59", noon},
      {"2026-05-01T12:00:00.5Z", noon + second_ns / 2},
      {"2026-05-01T12:00:00.000000001Z", noon + 1},
      {"2026-05-01T12:00:00.123456789+00:00", noon + 123'456'789},
      {"1969-12-31T23:59:59.999999999Z", -1},
      {"2000-02-29T00:00:00Z", instant(2000, 2, 29)},
  };
  for (const auto& [text, ns] : cases) {
    const auto parsed = parse_rfc3339(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().message;
    EXPECT_EQ(*parsed, ns) << text;
  }
}

TEST(ParseRfc3339, LeapSecondIsTheLastNanosecondOfItsMinute) {
  const Nanos new_year = instant(2017, 1, 1);
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z").value(), new_year - 1);
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60.25Z").value(), new_year - 1);
  EXPECT_EQ(parse_rfc3339("2017-01-01T05:29:60+05:30").value(), new_year - 1);
  EXPECT_EQ(parse_rfc3339("1969-12-31T23:59:60Z").value(), -1);
  EXPECT_FALSE(parse_rfc3339("2016-12-31T12:00:60Z"));
  EXPECT_FALSE(parse_rfc3339("2016-12-31T23:59:61Z"));
}

TEST(ParseRfc3339, RangeIsThatOfNanosecondsIn64Bits) {
  constexpr Nanos first = std::numeric_limits<Nanos>::min();
  constexpr Nanos last = std::numeric_limits<Nanos>::max();
  EXPECT_EQ(format_rfc3339(first), "1677-09-21T00:12:43.145224192Z");
  EXPECT_EQ(format_rfc3339(last), "2262-04-11T23:47:16.854775807Z");
  EXPECT_EQ(parse_rfc3339(format_rfc3339(first)).value(), first);
  EXPECT_EQ(parse_rfc3339(format_rfc3339(last)).value(), last);
  for (const char* beyond :
       {"1677-09-21T00:12:43.145224191Z", "2262-04-11T23:47:16.854775808Z", "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999Z", "1677-09-21T00:12:43Z"}) {
    const auto parsed = parse_rfc3339(beyond);
    ASSERT_FALSE(parsed) << beyond;
    EXPECT_NE(parsed.error().message.find("must be between"), std::string::npos) << beyond;
  }
}

TEST(ParseRfc3339, RefusalSaysWhatWasExpected) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "expected a date and time like"},
      {"2026-05-01", "expected a date and time like"},
      {"2026-05-01T12:00Z", "expected a date and time like"},
      {"2026/05/01T12:00:00Z", "expected a date and time like"},
      {"2026-05-01_12:00:00Z", "expected a date and time like"},
      {"2026-05-01T12.00:00Z", "expected a date and time like"},
      {"2026-05-01T12:00.00Z", "expected a date and time like"},
      {"+026-05-01T12:00:00Z", "expected a date and time like"},
      {"2026-05-0aT12:00:00Z", "expected a date and time like"},
      {"2026-00-01T12:00:00Z", "month from 01 to 12"},
      {"2026-13-01T12:00:00Z", "month from 01 to 12"},
      {"2026-05-00T12:00:00Z", "a day that the month has"},
      {"2026-04-31T12:00:00Z", "a day that the month has"},
      {"2026-02-29T12:00:00Z", "a day that the month has"},
      {"1900-02-29T12:00:00Z", "a day that the month has"},
      {"2026-05-01T24:00:00Z", "hour from 00 to 23"},
      {"2026-05-01T12:60:00Z", "minute from 00 to 59"},
      {"2026-05-01T12:00:61Z", "second from 00 to 60"},
      {"2026-05-01T12:00:00.Z", "a digit after the decimal point"},
      {"2026-05-01T12:00:00.0123456789Z", "at most 9 fraction digits"},
      {"2026-05-01T12:00:00.123456789", "Z or an offset"},
      {"2026-05-01T12:00:00,5Z", "Z or an offset"},
      {"2026-05-01T12:00:00+0200", "Z or an offset"},
      {"2026-05-01T12:00:00+02", "Z or an offset"},
      {"2026-05-01T12:00:00+24:00", "an offset from"},
      {"2026-05-01T12:00:00+02:60", "an offset from"},
      {"2026-05-01T12:00:00+0x:00", "an offset from"},
      {"2026-05-01T12:00:00ZZ", "nothing after the offset"},
      {"2026-05-01T12:00:00+02:00 ", "nothing after the offset"},
  };
  for (const auto& [text, expectation] : cases) {
    const auto parsed = parse_rfc3339(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::invalid_argument) << text;
    EXPECT_NE(parsed.error().message.find(expectation), std::string::npos)
        << text << ": " << parsed.error().message;
  }
}

TEST(FormatRfc3339, PrintsAsManyFractionDigitsAsNeeded) {
  const Nanos base = instant(2026, 5, 1, 14 * 3600 + 22 * 60 + 3);
  EXPECT_EQ(format_rfc3339(base), "2026-05-01T14:22:03Z");
  EXPECT_EQ(format_rfc3339(base + 250'000'000), "2026-05-01T14:22:03.25Z");
  EXPECT_EQ(format_rfc3339(base + 1), "2026-05-01T14:22:03.000000001Z");
  EXPECT_EQ(format_rfc3339(base + 120'000'000), "2026-05-01T14:22:03.12Z");
  EXPECT_EQ(format_rfc3339(-1), "1969-12-31T23:59:59.999999999Z");
}

TEST(FormatRfc3339, EveryDayOfTheRangeAgreesWithTheStandardCalendar) {
  const auto last = std::chrono::sys_days(std::chrono::year(2262) / 4 / 11);
  for (auto day = std::chrono::sys_days(std::chrono::year(1677) / 9 / 22); day < last;
       day += std::chrono::days(1)) {
    const std::chrono::year_month_day date(day);
    char expected[32];
    static_cast<void>(std::snprintf(
        expected, sizeof expected, "%04d-%02u-%02uT00:00:00Z", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day())));
    const Nanos ns = day.time_since_epoch().count() * std::int64_t{86'400} * second_ns;
    ASSERT_EQ(format_rfc3339(ns), expected);
    ASSERT_EQ(parse_rfc3339(expected).value(), ns);
  }
}

TEST(FormatRfc3339, EveryInstantIsReadBackAsItself) {
  std::mt19937_64 random(20260501);
  for (int i = 0; i < 200'000; ++i) {
    auto ns = static_cast<Nanos>(random());
    // Half of them near the present with few fraction digits, as events have them.
    if (i % 2 == 0) {
      ns = instant(2026, 1, 1) + ns % (400 * 86'400LL * second_ns) / 1'000'000 * 1'000'000;
    }
    const auto parsed = parse_rfc3339(format_rfc3339(ns));
    ASSERT_TRUE(parsed) << ns;
    ASSERT_EQ(*parsed, ns);
  }
}

TEST(AppendRfc3339, KeepsWhatIsThere) {
  std::string text = "at ";
  append_rfc3339(text, 0);
  EXPECT_EQ(text, "at 1970-01-01T00:00:00Z");
}

TEST(NowNs, DoesNotStandBeforeTheYear2024) {
  EXPECT_GT(now_ns(), instant(2024, 1, 1));
}

}  // namespace
}  // namespace docket
