#include "tools/load/spread.hpp"

#include <gtest/gtest.h>

namespace docket::load {
namespace {

TEST(Spread, OneRunHasNone) {
  const Spread spread = spread_of({7});
  EXPECT_EQ(spread.median, 7);
  EXPECT_EQ(spread.min, 7);
  EXPECT_EQ(spread.max, 7);
  EXPECT_EQ(spread.relative(), 0);
}

TEST(Spread, TheMedianIsTheMiddleOneInWhateverOrder) {
  const Spread spread = spread_of({9, 1, 5});
  EXPECT_EQ(spread.median, 5);
  EXPECT_EQ(spread.min, 1);
  EXPECT_EQ(spread.max, 9);
  EXPECT_DOUBLE_EQ(spread.relative(), 8.0 / 5);
  EXPECT_EQ(spread_of({4, 1, 2, 9}).median, 3);
}

}  // namespace
}  // namespace docket::load
