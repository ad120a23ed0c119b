#include "query/time_terms.hpp"

#include <gtest/gtest.h>

#include <string>

#include "engine/timestamp.hpp"

namespace docket::query {
namespace {

// Now is 17:00 in Berlin on the day that has 23 hours.
ParseContext berlin(std::string_view now = "2026-03-29T15:00:00Z") {
  return {parse_rfc3339(now).value(), TimeZone::find("Europe/Berlin").value()};
}

std::string instant(std::string_view text, const ParseContext& context = berlin()) {
  const auto parsed = parse_instant(text, context);
  return parsed ? format_rfc3339(*parsed) : "error";
}

std::string day(std::string_view text, const ParseContext& context = berlin()) {
  const auto parsed = parse_day(text, context);
  return parsed ? format_rfc3339(parsed->since) + " " + format_rfc3339(parsed->until) : "error";
}

TEST(QueryTime, InstantsWithAnOffsetAreThemselves) {
  EXPECT_EQ(instant("2026-05-01T14:22:03Z"), "2026-05-01T14:22:03Z");
  EXPECT_EQ(instant("2026-05-01T14:22:03.000000001+02:00"), "2026-05-01T12:22:03.000000001Z");
  EXPECT_EQ(instant("1677-09-21T00:12:43.145224192Z"), "1677-09-21T00:12:43.145224192Z");
}

TEST(QueryTime, BeyondTheEndsOfTimeIsTheEnd) {
  const std::string first = "1677-09-21T00:12:43.145224192Z";
  for (const char* text : {"0001-01-01", "1500-01-01", "1677-09-20", "1677-01-01T00:00:00Z",
                           "0001-01-01T14:22", "1600-02-29T23:59:59.5+02:00"}) {
    EXPECT_EQ(instant(text), first) << text;
  }
  const std::string last = "2262-04-11T23:47:16.854775807Z";
  for (const char* text : {"9999-12-31", "2262-04-13", "2262-04-11T23:47:17Z", "2262-12-31T14:22",
                           "9999-12-31T23:59:59.999999999-12:00", "2400-02-29 08:00"}) {
    EXPECT_EQ(instant(text), last) << text;
  }
  // A day within is what it is.
  EXPECT_EQ(instant("1677-09-23"), "1677-09-22T23:06:32Z");
  EXPECT_EQ(instant("2262-04-11"), "2262-04-10T23:00:00Z");
  EXPECT_EQ(day("9999-12-31"), last + " " + last);
  EXPECT_EQ(day("0001-01-01"), first + " " + first);
}

TEST(QueryTime, DatesAndClockTimesAreThoseOfTheZone) {
  EXPECT_EQ(instant("2026-05-01"), "2026-04-30T22:00:00Z");
  EXPECT_EQ(instant("2026-05-01T14:22"), "2026-05-01T12:22:00Z");
  EXPECT_EQ(instant("2026-05-01 14:22"), "2026-05-01T12:22:00Z");
  EXPECT_EQ(instant("2026-05-01T14:22:05.25"), "2026-05-01T12:22:05.25Z");
  EXPECT_EQ(instant("2026-03-29T02:30"), "2026-03-29T01:00:00Z");
  EXPECT_EQ(instant("2026-10-25T02:30"), "2026-10-25T00:30:00Z");
  EXPECT_EQ(instant("14:22"), "2026-03-29T12:22:00Z");
  EXPECT_EQ(instant("9:05"), "2026-03-29T07:05:00Z");
  EXPECT_EQ(instant("14:22:05"), "2026-03-29T12:22:05Z");
  EXPECT_EQ(instant("23:59"), "2026-03-29T21:59:00Z");
}

TEST(QueryTime, AgesAreExactAndWordsAreDays) {
  EXPECT_EQ(instant("now"), "2026-03-29T15:00:00Z");
  EXPECT_EQ(instant("30s"), "2026-03-29T14:59:30Z");
  EXPECT_EQ(instant("90m"), "2026-03-29T13:30:00Z");
  EXPECT_EQ(instant("24h"), "2026-03-28T15:00:00Z");
  EXPECT_EQ(instant("1d"), "2026-03-28T15:00:00Z");
  EXPECT_EQ(instant("2w"), "2026-03-15T15:00:00Z");
  EXPECT_EQ(instant("1d12h"), "2026-03-28T03:00:00Z");
  EXPECT_EQ(instant("today"), "2026-03-28T23:00:00Z");
  EXPECT_EQ(instant("yesterday"), "2026-03-27T23:00:00Z");
}

TEST(QueryTime, AWholeDayHas23Or25HoursWhereClocksChange) {
  EXPECT_EQ(day("today"), "2026-03-28T23:00:00Z 2026-03-29T22:00:00Z");
  EXPECT_EQ(day("2026-03-29"), "2026-03-28T23:00:00Z 2026-03-29T22:00:00Z");
  EXPECT_EQ(day("yesterday"), "2026-03-27T23:00:00Z 2026-03-28T23:00:00Z");
  EXPECT_EQ(day("2026-10-25"), "2026-10-24T22:00:00Z 2026-10-25T23:00:00Z");
  const ParseContext after = berlin("2026-10-26T01:00:00Z");
  EXPECT_EQ(day("yesterday", after), "2026-10-24T22:00:00Z 2026-10-25T23:00:00Z");
}

TEST(QueryTime, TodayChangesAtLocalMidnight) {
  EXPECT_EQ(day("today", berlin("2026-05-01T21:59:59.999999999Z")),
            "2026-04-30T22:00:00Z 2026-05-01T22:00:00Z");
  EXPECT_EQ(day("today", berlin("2026-05-01T22:00:00Z")),
            "2026-05-01T22:00:00Z 2026-05-02T22:00:00Z");
}

TEST(QueryTime, ADayWithoutMidnightBeginsAtTheJump) {
  const ParseContext sao_paulo{parse_rfc3339("2018-11-04T12:00:00Z").value(),
                               TimeZone::find("America/Sao_Paulo").value()};
  EXPECT_EQ(day("today", sao_paulo), "2018-11-04T03:00:00Z 2018-11-05T02:00:00Z");
  EXPECT_EQ(day("2018-11-04", sao_paulo), "2018-11-04T03:00:00Z 2018-11-05T02:00:00Z");
  EXPECT_EQ(instant("00:30", sao_paulo), "2018-11-04T03:00:00Z");
}

TEST(QueryTime, ADayThatAZoneSkippedIsEmpty) {
  const ParseContext apia{0, TimeZone::find("Pacific/Apia").value()};
  EXPECT_EQ(day("2011-12-30", apia), "2011-12-30T10:00:00Z 2011-12-30T10:00:00Z");
}

TEST(QueryTime, MonthsAndYearsEndWhereTheyDo) {
  const ParseContext utc{0, TimeZone::utc()};
  EXPECT_EQ(day("2026-12-31", utc), "2026-12-31T00:00:00Z 2027-01-01T00:00:00Z");
  EXPECT_EQ(day("2024-02-28", utc), "2024-02-28T00:00:00Z 2024-02-29T00:00:00Z");
}

TEST(QueryTime, WhatIsNoTimeIsAnError) {
  for (const std::string_view text : {"",
                                      "soon",
                                      "7",
                                      "7x",
                                      "d",
                                      "-7d",
                                      "7d-",
                                      "2026",
                                      "2026-5-1",
                                      "2026-02-30",
                                      "2026-13-01",
                                      "24:00",
                                      "12:60",
                                      "12:00:60",
                                      "12:00:00.",
                                      "12",
                                      "2026-05-01T",
                                      "2026-05-01T25:00",
                                      "2026-05-01X14:22",
                                      "2026-05-01T14:22+02",
                                      "1500-02-29",
                                      "9999-02-29",
                                      "9999-13-01",
                                      "9999-12-31T",
                                      "9999-12-31Tx",
                                      "2262-12-31T25:00:00Z",
                                      "0001-01-01T00:00:00z ",
                                      "999999999w",
                                      "999999999999d",
                                      "20000w",
                                      "TODAY",
                                      "12:00:00.1234567890"}) {
    EXPECT_EQ(instant(text), "error") << text;
  }
  for (const std::string_view text : {"", "now", "7d", "14:22", "2026-05-01T14:22", "2026-02-29"}) {
    EXPECT_EQ(day(text), "error") << text;
  }
}

}  // namespace
}  // namespace docket::query
