#include "query/histogram.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <sstream>
#include <string>
#include <utility>

#include "engine/timestamp.hpp"
#include "tests/query/store_fixture.hpp"

namespace docket::query::testing {
namespace {

std::vector<Event> events_at(const std::vector<std::string>& times) {
  std::vector<Event> events;
  for (const std::string& time : times) {
    Event event;
    event.ts = *parse_rfc3339(time);
    event.verb = events.size() % 2 == 0 ? "SEND" : "BOUNCED";
    event.actor = Actor{"system", "mailer", "", ""};
    event.target = Target{"Contact", "1", ""};
    events.push_back(event);
  }
  return events;
}

std::string told(const Result<HistogramAnswer>& answer) {
  if (!answer) {
    return answer.error().message;
  }
  std::string text;
  for (const HistogramBucket& bucket : answer->buckets) {
    text += (text.empty() ? "" : " ") + format_rfc3339(bucket.start) + "=" +
            std::to_string(bucket.count);
    for (const FacetValue& value : bucket.by) {
      text += "," + value.value + ":" + std::to_string(value.count);
    }
  }
  return text;
}

std::string take(const std::vector<std::string>& times, const std::string& width,
                 const std::string& query = "", const std::string& zone = "UTC",
                 std::optional<Field> by = std::nullopt) {
  // Sealed, with an index that knows which blocks are in the order of their time; sealed; active.
  std::vector<std::string> answers;
  for (const auto& [sealed, indexed] : {std::pair(true, true), {true, false}, {false, false}}) {
    MixedStore store(1);
    store.add("activity", events_at(times), sealed);
    for (const auto& segment : store.segments("activity")) {
      EXPECT_TRUE(!indexed || segment->info().rows == 0 || store.catalog().build(segment));
    }
    const auto parsed_width = parse_bucket_width(width);
    EXPECT_TRUE(parsed_width);
    answers.push_back(
        told(store.searcher().histogram(parsed(query), *parsed_width, *TimeZone::find(zone), by)));
    EXPECT_EQ(answers.back(), answers.front());
  }
  return answers.front();
}

TEST(Histogram, BucketsRunWithoutAHoleFromTheFirstToTheLast) {
  EXPECT_EQ(take({"2026-05-01T10:59:59.999999999Z", "2026-05-01T11:00:00Z", "2026-05-01T13:59:00Z"},
                 "1h"),
            "2026-05-01T10:00:00Z=1 2026-05-01T11:00:00Z=1 2026-05-01T12:00:00Z=0 "
            "2026-05-01T13:00:00Z=1");
}

// Blocks over many buckets whose rows stand in their order, nearly, by half, and not at all.
TEST(Histogram, WhateverTheOrderOfRowsBucketsHaveTheirs) {
  std::mt19937_64 random(5);
  for (const std::int64_t disorder_s : {0, 20, 900, 20'000, 200'000}) {
    std::vector<std::string> times;
    std::map<std::string, std::uint64_t> expected;
    std::uint64_t sends = 0;
    for (std::int64_t i = 0; i < 6000; ++i) {
      const Nanos ts =
          *parse_rfc3339("2026-05-01T00:00:00Z") + i * 3'000'000'000 +
          (disorder_s == 0 ? 0
                           : static_cast<Nanos>(random() % static_cast<std::uint64_t>(disorder_s)) *
                                 1'000'000'000);
      times.push_back(format_rfc3339(ts));
      if (i % 2 == 0) {
        ++expected[times.back().substr(0, 13)];
        ++sends;
      }
    }
    std::string text;
    for (const auto& [hour, rows] : expected) {
      text += (text.empty() ? "" : " ") + hour + ":00:00Z=" + std::to_string(rows);
    }
    const std::string all = take(times, "1h", "verb:SEND");
    std::string without_empty;
    std::uint64_t counted = 0;
    std::istringstream words(all);
    for (std::string word; words >> word;) {
      counted += std::stoull(word.substr(word.find('=') + 1));
      if (!word.ends_with("=0")) {
        without_empty += (without_empty.empty() ? "" : " ") + word;
      }
    }
    EXPECT_EQ(without_empty, text) << disorder_s;
    EXPECT_EQ(counted, sends);
  }
}

TEST(Histogram, NoEventsAreNoBuckets) {
  EXPECT_EQ(take({}, "1h", "verb:NONE"), "");
}

TEST(Histogram, BoundsOfTheQueryAreEdges) {
  EXPECT_EQ(
      take({"2026-05-01T11:30:00Z"}, "1h", "since:2026-05-01T10:00:00Z until:2026-05-01T13:00:00Z"),
      "2026-05-01T10:00:00Z=0 2026-05-01T11:00:00Z=1 2026-05-01T12:00:00Z=0");
  EXPECT_EQ(take({}, "1h", "since:2026-05-01T10:00:00Z until:2026-05-01T12:00:00Z"),
            "2026-05-01T10:00:00Z=0 2026-05-01T11:00:00Z=0");
}

TEST(Histogram, InstantsBeforeTheEpochFallIntoTheirBucket) {
  EXPECT_EQ(take({"1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z"}, "1m"),
            "1969-12-31T23:59:00Z=1 1970-01-01T00:00:00Z=1");
}

TEST(Histogram, DaysAreThoseOfTheZoneAlsoWhereClocksChange) {
  // 2026-03-29 has 23 hours in Berlin, 2026-10-25 has 25.
  EXPECT_EQ(take({"2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"}, "1d", "",
                 "Europe/Berlin"),
            "2026-03-28T23:00:00Z=2 2026-03-29T22:00:00Z=1");
  EXPECT_EQ(take({"2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z"}, "1d", "",
                 "Europe/Berlin"),
            "2026-10-24T22:00:00Z=2 2026-10-25T23:00:00Z=1");
}

TEST(Histogram, WeeksBeginOnMonday) {
  // 2026-05-04 is a Monday.
  EXPECT_EQ(take({"2026-05-03T23:59:59Z", "2026-05-04T00:00:00Z"}, "1w"),
            "2026-04-27T00:00:00Z=1 2026-05-04T00:00:00Z=1");
}

TEST(Histogram, HoursAreThoseOfTheZonesClock) {
  EXPECT_EQ(take({"2026-05-01T10:29:00Z", "2026-05-01T10:31:00Z"}, "1h", "", "Asia/Kolkata"),
            "2026-05-01T09:30:00Z=1 2026-05-01T10:30:00Z=1");
}

TEST(Histogram, CountsBySomeFieldAreInTheOrderOfValues) {
  EXPECT_EQ(take({"2026-05-01T10:00:00Z", "2026-05-01T10:01:00Z", "2026-05-01T10:02:00Z",
                  "2026-05-01T12:00:00Z"},
                 "1h", "", "UTC", Field::verb),
            "2026-05-01T10:00:00Z=3,BOUNCED:1,SEND:2 2026-05-01T11:00:00Z=0 "
            "2026-05-01T12:00:00Z=1,BOUNCED:1");
}

TEST(Histogram, EditAndUpdateAreCountedAsSent) {
  for (const bool sealed : {true, false}) {
    std::vector<Event> events = events_at({"2026-05-01T10:00:00Z", "2026-05-01T10:01:00Z"});
    events[0].verb = "EDIT";
    events[1].verb = "UPDATE";
    MixedStore store(1);
    store.add("activity", events, sealed);
    EXPECT_EQ(told(store.searcher().histogram(parsed("verb:EDIT"), *parse_bucket_width("1h"),
                                              TimeZone::utc(), Field::verb)),
              "2026-05-01T10:00:00Z=2,EDIT:1,UPDATE:1");
  }
}

TEST(Histogram, TooManyBucketsAreRefusedInWords) {
  const std::string answer = take({"2020-05-01T10:00:00Z", "2026-05-01T10:00:00Z"}, "1s");
  EXPECT_NE(answer.find("more than 100000"), std::string::npos) << answer;
}

TEST(BucketWidth, TakesANumberAndAUnit) {
  EXPECT_EQ(parse_bucket_width("15s")->count, 15U);
  EXPECT_EQ(parse_bucket_width("15s")->unit, 's');
  EXPECT_EQ(parse_bucket_width("2w")->unit, 'w');
  for (const char* const bad :
       {"", "h", "0h", "-1h", "1", "1x", "1h ", "1.5h", "99999999999h", "999999d"}) {
    EXPECT_FALSE(parse_bucket_width(bad)) << bad;
  }
}

}  // namespace
}  // namespace docket::query::testing
