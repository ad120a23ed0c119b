#include "tools/load/latency_histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tools/load/random.hpp"

namespace docket::load {
namespace {

TEST(LatencyHistogram, PercentilesAreWithinOneBucketOfTheSortedValues) {
  Random random(7, 0);
  LatencyHistogram histogram;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 20000; ++i) {
    // Over nine orders of magnitude.
    const auto value = static_cast<std::int64_t>(std::pow(10.0, 1 + 9 * random.unit()));
    values.push_back(value);
    histogram.add(value);
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.001, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * 20000)) - 1;
    EXPECT_GE(histogram.percentile(share), values[rank]) << share;
    EXPECT_LE(histogram.percentile(share), values[rank] + values[rank] / 128 + 1) << share;
  }
  EXPECT_EQ(histogram.max(), values.back());
}

TEST(LatencyHistogram, SmallValuesAreExact) {
  LatencyHistogram histogram;
  for (int i = 0; i < 100; ++i) {
    histogram.add(i);
  }
  EXPECT_EQ(histogram.percentile(0.5), 49);
  EXPECT_EQ(histogram.percentile(1), 99);
}

TEST(LatencyHistogram, MergedHistogramsCountAsOne) {
  LatencyHistogram left;
  LatencyHistogram right;
  left.add(1000, 9);
  right.add(5'000'000, 1);
  left.merge(right);
  EXPECT_EQ(left.count(), 10U);
  EXPECT_LT(left.percentile(0.9), 1100);
  EXPECT_EQ(left.percentile(0.95), 5'000'000);
}

TEST(LatencyHistogram, TheMeanIsOfTheValuesThemselves) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.mean(), 0);
  histogram.add(1'000'001, 2);
  histogram.add(4'000'001, 1);
  EXPECT_DOUBLE_EQ(histogram.mean(), 2'000'001);
}

TEST(LatencyHistogram, CountsWhatIsAtMostAValue) {
  LatencyHistogram histogram;
  histogram.add(10, 3);
  histogram.add(2'000'000, 4);
  EXPECT_EQ(histogram.count_at_most(9), 0U);
  EXPECT_EQ(histogram.count_at_most(10), 3U);
  EXPECT_EQ(histogram.count_at_most(1'900'000), 3U);
  EXPECT_EQ(histogram.count_at_most(INT64_MAX), 7U);
}

TEST(LatencyHistogram, WhatIsRestoredOfItsBucketsIsTheSame) {
  Random random(3, 0);
  LatencyHistogram histogram;
  for (int i = 0; i < 5000; ++i) {
    histogram.add(static_cast<std::int64_t>(std::pow(10.0, 13 * random.unit())));
  }
  const auto restored =
      LatencyHistogram::restore(histogram.buckets(), histogram.max(), histogram.sum());
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->buckets(), histogram.buckets());
  EXPECT_EQ(restored->count(), 5000U);
  EXPECT_EQ(restored->max(), histogram.max());
  EXPECT_EQ(restored->mean(), histogram.mean());
  for (const double share : {0.0, 0.01, 0.5, 0.99, 1.0}) {
    EXPECT_EQ(restored->percentile(share), histogram.percentile(share));
  }
}

TEST(LatencyHistogram, AnEmptyOneIsRestoredEmpty) {
  const auto restored = LatencyHistogram::restore({}, 0, 0);
  ASSERT_TRUE(restored);
  EXPECT_EQ(restored->count(), 0U);
}

TEST(LatencyHistogram, BucketsThatNoHistogramHasAreRefused) {
  EXPECT_FALSE(LatencyHistogram::restore({{20, 1}, {10, 1}}, 20, 30));
  EXPECT_FALSE(LatencyHistogram::restore({{-3, 1}}, 0, 0));
  EXPECT_FALSE(LatencyHistogram::restore({{(std::int64_t{1} << 42) + 1, 1}}, 5, 5));
  EXPECT_FALSE(LatencyHistogram::restore({{10, 1}}, 9, 10)) << "max lies in another bucket";
}

TEST(LatencyHistogram, AClearedOneIsEmpty) {
  LatencyHistogram histogram;
  histogram.add(77, 5);
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.max(), 0);
  EXPECT_EQ(histogram.mean(), 0);
  EXPECT_TRUE(histogram.buckets().empty());
}

TEST(LatencyHistogram, ValuesOutOfRangeCountAtItsEnds) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.percentile(0.5), 0);
  histogram.add(-5);
  EXPECT_EQ(histogram.percentile(1), 0);
  histogram.add(INT64_MAX);
  EXPECT_EQ(histogram.max(), std::int64_t{1} << 42);
}

}  // namespace
}  // namespace docket::load
