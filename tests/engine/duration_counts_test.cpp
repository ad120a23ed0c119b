#include "engine/duration_counts.hpp"

#include <gtest/gtest.h>

namespace docket {
namespace {

TEST(DurationCounts, ABoundIsOfItsBucketAndWhatIsBeyondAllHasOneOfItsOwn) {
  DurationCounts counts;
  counts.add(0);
  counts.add(100'000);
  counts.add(100'001);
  counts.add(10'000'000'000);
  counts.add(10'000'000'001);
  EXPECT_EQ(counts.counts.front(), 2U);
  EXPECT_EQ(counts.counts[1], 1U);
  EXPECT_EQ(counts.counts[DurationCounts::bounds_us.size() - 1], 1U);
  EXPECT_EQ(counts.counts.back(), 1U);
  EXPECT_EQ(counts.sum, 20'000'200'002);
}

}  // namespace
}  // namespace docket
