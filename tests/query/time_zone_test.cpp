// Golden values, worked out by hand from the zones' rules.
#include "query/time_zone.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "engine/timestamp.hpp"

namespace docket::query {
namespace {

Nanos at(std::string_view time) {
  return parse_rfc3339(time).value();
}
TimeZone zone(std::string_view name) {
  return TimeZone::find(name).value();
}
std::string day(const TimeZone& zone, std::string_view time, int days_later = 0) {
  return format_rfc3339(zone.day_start(at(time), days_later));
}

TEST(TimeZone, NamesOffsetsAndUtcAreFound) {
  EXPECT_TRUE(TimeZone::utc().is_utc());
  EXPECT_EQ(TimeZone::utc().name(), "UTC");
  EXPECT_TRUE(zone("UTC").is_utc());
  EXPECT_TRUE(zone("Etc/UTC").is_utc());
  EXPECT_FALSE(zone("Europe/Berlin").is_utc());
  EXPECT_EQ(zone("Europe/Berlin").name(), "Europe/Berlin");
  EXPECT_EQ(zone("+05:30").offset_at(0), 19'800);
  EXPECT_EQ(zone("-03:00").offset_at(0), -10'800);
  EXPECT_TRUE(zone("+00:00").is_utc());
  for (const std::string_view name : {"", "Berlin", "Europe/Atlantis", "+5", "+24:00", "+05:60",
                                      "../../etc/passwd", "/etc/passwd", "europe/berlin\x1b[2J"}) {
    const auto found = TimeZone::find(name);
    ASSERT_FALSE(found) << name;
    EXPECT_EQ(found.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(found.error().message.find('\x1b'), std::string::npos);
  }
}

TEST(TimeZone, LocalIsTheZoneOfTheEnvironment) {
  const char* before = std::getenv("TZ");
  const std::string kept = before != nullptr ? before : "";
  const auto local = [](const char* tz) {
    setenv("TZ", tz, 1);
    return TimeZone::find("local").value().name();
  };
  EXPECT_EQ(local("America/New_York"), "America/New_York");
  EXPECT_EQ(local(":Europe/Berlin"), "Europe/Berlin");
  EXPECT_EQ(local("/usr/share/zoneinfo/Asia/Beirut"), "Asia/Beirut");
  EXPECT_EQ(local("UTC0"), "UTC");
  EXPECT_EQ(local("local"), "UTC");
  unsetenv("TZ");
  EXPECT_FALSE(TimeZone::local().name().empty());
  if (before != nullptr) {
    setenv("TZ", kept.c_str(), 1);
  }
}

TEST(TimeZone, DaysBeginAtLocalMidnight) {
  const TimeZone berlin = zone("Europe/Berlin");
  EXPECT_EQ(day(berlin, "2026-05-01T21:59:59.999999999Z"), "2026-04-30T22:00:00Z");
  EXPECT_EQ(day(berlin, "2026-05-01T22:00:00Z"), "2026-05-01T22:00:00Z");
  EXPECT_EQ(day(berlin, "2026-05-01T22:00:00Z", -1), "2026-04-30T22:00:00Z");
  EXPECT_EQ(day(TimeZone::utc(), "2026-05-01T23:59:59Z"), "2026-05-01T00:00:00Z");
  EXPECT_EQ(day(TimeZone::utc(), "1969-12-31T23:59:59.5Z"), "1969-12-31T00:00:00Z");
  EXPECT_EQ(day(zone("+05:30"), "2026-05-01T18:29:59Z"), "2026-04-30T18:30:00Z");
  EXPECT_EQ(day(zone("+05:30"), "2026-05-01T18:30:00Z"), "2026-05-01T18:30:00Z");
}

TEST(TimeZone, TheDayThatClocksGoForwardHas23Hours) {
  const TimeZone berlin = zone("Europe/Berlin");
  EXPECT_EQ(day(berlin, "2026-03-29T12:00:00Z"), "2026-03-28T23:00:00Z");
  EXPECT_EQ(day(berlin, "2026-03-29T12:00:00Z", 1), "2026-03-29T22:00:00Z");
  const TimeZone new_york = zone("America/New_York");
  EXPECT_EQ(day(new_york, "2026-03-08T12:00:00Z"), "2026-03-08T05:00:00Z");
  EXPECT_EQ(day(new_york, "2026-03-08T12:00:00Z", 1), "2026-03-09T04:00:00Z");
}

TEST(TimeZone, TheDayThatClocksGoBackHas25Hours) {
  const TimeZone berlin = zone("Europe/Berlin");
  EXPECT_EQ(day(berlin, "2026-10-25T12:00:00Z"), "2026-10-24T22:00:00Z");
  EXPECT_EQ(day(berlin, "2026-10-25T12:00:00Z", 1), "2026-10-25T23:00:00Z");
  EXPECT_EQ(day(berlin, "2026-10-25T22:59:59Z"), "2026-10-24T22:00:00Z");
  const TimeZone new_york = zone("America/New_York");
  EXPECT_EQ(day(new_york, "2026-11-01T12:00:00Z"), "2026-11-01T04:00:00Z");
  EXPECT_EQ(day(new_york, "2026-11-01T12:00:00Z", 1), "2026-11-02T05:00:00Z");
}

TEST(TimeZone, ADayWithoutMidnightBeginsAtTheJump) {
  // At 00:00 clocks went to 01:00.
  const TimeZone sao_paulo = zone("America/Sao_Paulo");
  EXPECT_EQ(day(sao_paulo, "2018-11-04T12:00:00Z"), "2018-11-04T03:00:00Z");
  EXPECT_EQ(day(sao_paulo, "2018-11-04T02:59:59Z"), "2018-11-03T03:00:00Z");
  EXPECT_EQ(day(sao_paulo, "2018-11-04T12:00:00Z", 1), "2018-11-05T02:00:00Z");
  EXPECT_EQ(format_rfc3339(sao_paulo.date_start(2018, 11, 4).value()), "2018-11-04T03:00:00Z");
  const TimeZone beirut = zone("Asia/Beirut");
  EXPECT_EQ(day(beirut, "2022-03-27T12:00:00Z"), "2022-03-26T22:00:00Z");
  EXPECT_EQ(day(beirut, "2022-03-27T12:00:00Z", 1), "2022-03-27T21:00:00Z");
}

TEST(TimeZone, MinutesThatAreRepeatedAcrossMidnightBelongToTheDayThatHasBegun) {
  // At 00:01 on 29 October 2006 clocks went back to 23:01.
  const TimeZone st_johns = zone("America/St_Johns");
  EXPECT_EQ(day(st_johns, "2006-10-29T02:29:59Z"), "2006-10-28T02:30:00Z");
  for (const std::string_view time : {"2006-10-29T02:30:00Z", "2006-10-29T02:31:00Z",
                                      "2006-10-29T03:29:59Z", "2006-10-29T12:00:00Z"}) {
    EXPECT_EQ(day(st_johns, time), "2006-10-29T02:30:00Z") << time;
    EXPECT_EQ(day(st_johns, time, 1), "2006-10-30T03:30:00Z") << time;
  }
}

TEST(TimeZone, ADayThatAZoneSkippedWholeIsEmpty) {
  // Samoa went from 29 to 31 December 2011.
  const TimeZone apia = zone("Pacific/Apia");
  EXPECT_EQ(format_rfc3339(apia.date_start(2011, 12, 30).value()), "2011-12-30T10:00:00Z");
  EXPECT_EQ(format_rfc3339(apia.date_start(2011, 12, 31).value()), "2011-12-30T10:00:00Z");
  EXPECT_EQ(day(apia, "2011-12-30T10:00:00Z"), "2011-12-30T10:00:00Z");
  EXPECT_EQ(day(apia, "2011-12-30T09:59:59Z"), "2011-12-29T10:00:00Z");
}

TEST(TimeZone, DaysFollowOneAnotherWithoutHoleOrOverlap) {
  // St. John's went back at 00:01 to 23:01 of the day before.
  for (const std::string_view name :
       {"America/St_Johns", "Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia",
        "Australia/Lord_Howe", "UTC", "+05:30"}) {
    const TimeZone local = zone(name);
    Nanos start = local.day_start(at("2006-01-01T12:00:00Z"));
    for (int i = 0; i < 2500; ++i) {
      const Nanos next = local.day_start(start, 1);
      ASSERT_LE(start, next);
      if (next > start) {
        ASSERT_EQ(local.day_start(start), start) << name << ' ' << format_rfc3339(start);
        ASSERT_EQ(local.day_start(next - 1), start) << name << ' ' << format_rfc3339(next);
        const Nanos before = local.day_start(next, -1);
        // The day before may be one that was skipped whole.
        ASSERT_TRUE(before == start || (before == next && local.day_start(next, -2) == start))
            << name << ' ' << format_rfc3339(next);
      }
      start = next > start ? next : local.day_start(start, 2);
    }
  }
}

TEST(TimeZone, ClockTimesThatComeTwiceAreTheFirstAndSkippedOnesTheJump) {
  const TimeZone berlin = zone("Europe/Berlin");
  const auto clock = [&](std::string_view on, unsigned hour, unsigned minute) {
    return format_rfc3339(berlin.clock_time(at(on), hour, minute, 0));
  };
  EXPECT_EQ(clock("2026-05-01T12:00:00Z", 14, 22), "2026-05-01T12:22:00Z");
  EXPECT_EQ(clock("2026-03-29T12:00:00Z", 1, 59), "2026-03-29T00:59:00Z");
  EXPECT_EQ(clock("2026-03-29T12:00:00Z", 2, 30), "2026-03-29T01:00:00Z");
  EXPECT_EQ(clock("2026-03-29T12:00:00Z", 3, 0), "2026-03-29T01:00:00Z");
  EXPECT_EQ(clock("2026-10-25T12:00:00Z", 2, 30), "2026-10-25T00:30:00Z");
  EXPECT_EQ(clock("2026-10-25T12:00:00Z", 3, 0), "2026-10-25T02:00:00Z");
}

TEST(TimeZone, DatesAreChecked) {
  EXPECT_EQ(format_rfc3339(zone("Europe/Berlin").date_start(2024, 2, 29).value()),
            "2024-02-28T23:00:00Z");
  EXPECT_FALSE(TimeZone::utc().date_start(2026, 2, 29));
  EXPECT_FALSE(TimeZone::utc().date_start(2026, 13, 1));
  EXPECT_FALSE(TimeZone::utc().date_start(2026, 0, 1));
  EXPECT_FALSE(TimeZone::utc().date_start(2026, 4, 31));
}

TEST(TimeZone, TimesArePrintedWithTheOffsetOfTheInstant) {
  const TimeZone berlin = zone("Europe/Berlin");
  EXPECT_EQ(berlin.format(at("2026-03-29T00:59:59Z")), "2026-03-29T01:59:59+01:00");
  EXPECT_EQ(berlin.format(at("2026-03-29T01:00:00Z")), "2026-03-29T03:00:00+02:00");
  EXPECT_EQ(berlin.format(at("2026-10-25T00:30:00.25Z")), "2026-10-25T02:30:00.25+02:00");
  EXPECT_EQ(berlin.format(at("2026-10-25T01:30:00.000000001Z")),
            "2026-10-25T02:30:00.000000001+01:00");
  EXPECT_EQ(TimeZone::utc().format(at("2026-05-01T14:22:03Z")), "2026-05-01T14:22:03Z");
  EXPECT_EQ(zone("-03:30").format(at("2026-05-01T00:00:00Z")), "2026-04-30T20:30:00-03:30");
}

TEST(TimeZone, PrintedTimesNameTheSameInstant) {
  for (const std::string_view name : {"Europe/Berlin", "America/St_Johns", "Asia/Kathmandu",
                                      "Africa/Monrovia", "UTC", "-11:45"}) {
    const TimeZone local = zone(name);
    for (Nanos t = at("1800-01-01T00:00:00Z"); t < at("2200-01-01T00:00:00Z");
         t += 9'876'543'210'987'654) {
      ASSERT_EQ(at(local.format(t)), t) << name << ' ' << local.format(t);
    }
  }
}

TEST(TimeZone, TheEndsOfTimeAreClamped) {
  for (const std::string_view name : {"UTC", "Europe/Berlin", "+14:00", "-12:00"}) {
    const TimeZone local = zone(name);
    EXPECT_LE(local.day_start(INT64_MIN), INT64_MIN + 86'400'000'000'000);
    EXPECT_EQ(local.day_start(INT64_MAX, 10), INT64_MAX);
    EXPECT_EQ(local.day_start(INT64_MIN, -10), INT64_MIN);
    EXPECT_TRUE(local.format(INT64_MIN).starts_with("1677-09-2"));
    EXPECT_TRUE(local.format(INT64_MAX).starts_with("2262-04-1"));
  }
}

}  // namespace
}  // namespace docket::query
