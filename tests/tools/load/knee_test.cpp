#include "tools/load/knee.hpp"

#include <gtest/gtest.h>

namespace docket::load {
namespace {

// Sustained at every rate, with these latencies.
std::vector<KneePoint> curve(const std::vector<double>& latencies) {
  std::vector<KneePoint> points;
  for (const double latency : latencies) {
    const double rate = 1000.0 * static_cast<double>(points.size() + 1);
    points.push_back({rate, rate, latency});
  }
  return points;
}

TEST(Knee, IsWhereAFlatCurveBeginsToRise) {
  EXPECT_EQ(find_knee(curve({1, 1.1, 1.1, 1.2, 1.3, 20, 200})), 4U);
}

TEST(Knee, LiesBeforeTheFirstRateThatIsNotSustained) {
  auto points = curve({1, 1.2, 1.4, 900, 1.5});
  points[3].delivered = 0.9 * points[3].rate;
  EXPECT_FALSE(is_sustained(points[3]));
  EXPECT_EQ(find_knee(points), 2U);
}

TEST(Knee, ACurveThatDoesNotBendHasItAtItsLastSustainedPoint) {
  EXPECT_EQ(find_knee(curve({1, 10, 100, 1000})), 3U);
  EXPECT_EQ(find_knee(curve({1, 100, 400, 800})), 3U) << "it bends the other way";
}

TEST(Knee, WhatIsJustWithinTheEndsOfARunIsSustained) {
  EXPECT_TRUE(is_sustained({1000, 970, 1}));
  EXPECT_FALSE(is_sustained({1000, 969, 1}));
}

TEST(Knee, ThereIsNoneWhereNotEvenTheLowestRateIsSustained) {
  EXPECT_EQ(find_knee({}), std::nullopt);
  EXPECT_EQ(find_knee({{1000, 500, 100}, {2000, 500, 100}}), std::nullopt);
}

TEST(Knee, OneOrTwoPointsAreEnough) {
  EXPECT_EQ(find_knee(curve({5})), 0U);
  EXPECT_EQ(find_knee({{1000, 1000, 1}, {2000, 1000, 900}}), 0U);
}

}  // namespace
}  // namespace docket::load
