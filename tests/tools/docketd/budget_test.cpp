#include "tools/docketd/budget.hpp"

#include <gtest/gtest.h>

namespace docket::server {
namespace {

TEST(Budget, GivesNoMoreThanThereIsAndTakesItBack) {
  Budget budget(10);
  {
    auto seven = budget.take(7);
    ASSERT_TRUE(seven);
    EXPECT_FALSE(budget.take(4));
    auto three = budget.take(3);
    EXPECT_TRUE(three);
    EXPECT_FALSE(budget.take(1));
    EXPECT_TRUE(budget.take(0));
    EXPECT_EQ(budget.used(), 10U);
    *seven = Budget::Share();  // what it held goes with the temporary
    EXPECT_EQ(budget.used(), 3U);
  }
  EXPECT_EQ(budget.used(), 0U);
  EXPECT_FALSE(budget.take(11));
  EXPECT_FALSE(budget.take(UINT64_MAX));
}

TEST(Budget, AShareIsGivenBackOnceHoweverOftenItMoves) {
  Budget budget(5);
  auto taken = budget.take(5);
  ASSERT_TRUE(taken);
  Budget::Share first = std::move(*taken);
  Budget::Share second = std::move(first);
  taken.reset();
  EXPECT_EQ(budget.used(), 5U);
  second = Budget::Share();
  EXPECT_EQ(budget.used(), 0U);
}

TEST(Budget, AShareGrowsWithinWhatIsLeftAndIsGivenBackWhole) {
  Budget budget(10);
  {
    auto share = budget.take(4);
    ASSERT_TRUE(share);
    EXPECT_TRUE(share->grow(5));
    EXPECT_FALSE(share->grow(2));
    EXPECT_EQ(share->amount(), 9U);
    EXPECT_EQ(budget.used(), 9U);
  }
  EXPECT_EQ(budget.used(), 0U);
}

}  // namespace
}  // namespace docket::server
