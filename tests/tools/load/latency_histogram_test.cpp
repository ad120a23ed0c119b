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
    EXPECT_LE(histogram.percentile(share), values[rank] + values[rank] / 64 + 1) << share;
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
