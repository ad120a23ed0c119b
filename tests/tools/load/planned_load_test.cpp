#include "tools/load/planned_load.hpp"

#include <gtest/gtest.h>

namespace docket::load {
namespace {

TEST(PlannedLoad, AnHourOfAModerateLoadFitsIntoSeconds) {
  // 208,320 events in the hour.
  const PressedHour hour = press_hour(57.87, 400'000, 2'000'000);
  EXPECT_DOUBLE_EQ(hour.rate, 60'000);
  EXPECT_NEAR(static_cast<double>(hour.segment_age_ms), 3473, 1);
  EXPECT_EQ(hour.events, 416'664U) << "two hours";
  // As many events to a segment as in life.
  EXPECT_NEAR(hour.rate * static_cast<double>(hour.segment_age_ms) / 1000, 57.87 * 3600, 200);
}

TEST(PlannedLoad, AnHourOfASmallLoadTakesASecond) {
  const PressedHour hour = press_hour(10, 400'000, 2'000'000);
  EXPECT_DOUBLE_EQ(hour.rate, 36'000);
  EXPECT_EQ(hour.segment_age_ms, 1000U);
  EXPECT_EQ(hour.events, 200'000U);
}

TEST(PlannedLoad, AGreatLoadIsCutAtWhatMayBeSent) {
  const PressedHour hour = press_hour(50'000, 400'000, 2'000'000);
  EXPECT_DOUBLE_EQ(hour.rate, 60'000);
  EXPECT_EQ(hour.events, 2'000'000U);
  EXPECT_LE(hour.rate * static_cast<double>(hour.segment_age_ms) / 1000, 1'000'001);
}

TEST(PlannedLoad, ASmallBoundIsKept) {
  const PressedHour hour = press_hour(10, 400'000, 1000);
  EXPECT_EQ(hour.events, 1000U);
  EXPECT_EQ(hour.segment_age_ms, 1000U);
}

TEST(PlannedLoad, EventsAreAsLongAsTheyAreToBe) {
  GeneratorOptions options{.seed = 4, .events = 1000, .end = 1'780'000'000'000'000'000};
  ASSERT_TRUE(lengthen(options, 1200));
  EXPECT_NEAR(ndjson_bytes(options), 1200, 10);
}

TEST(PlannedLoad, WhatCannotBeMadeSaysWhatCan) {
  GeneratorOptions options{.seed = 4, .events = 1000, .end = 1'780'000'000'000'000'000};
  for (const double bytes : {50.0, 1e6}) {
    const auto made = lengthen(options, bytes);
    ASSERT_FALSE(made);
    EXPECT_NE(made.error().message.find(" to "), std::string::npos);
    EXPECT_EQ(options.note_bytes, 0U);
  }
}

}  // namespace
}  // namespace docket::load
