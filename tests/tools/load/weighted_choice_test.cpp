#include "tools/load/weighted_choice.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace docket::load {
namespace {

TEST(WeightedChoice, DrawsEachIndexInItsShare) {
  const std::array<double, 5> weights{50, 0, 30, 15, 5};
  const WeightedChoice choice(weights);
  Random random(1, 2);
  std::array<int, 5> drawn{};
  for (int i = 0; i < 100'000; ++i) {
    ++drawn[choice.pick(random)];
  }
  EXPECT_EQ(drawn[1], 0);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    EXPECT_NEAR(drawn[i], weights[i] * 1000, 700) << i;
  }
}

TEST(WeightedChoice, OneWeightIsAlwaysDrawn) {
  const std::array<double, 1> weights{3};
  const WeightedChoice choice(weights);
  Random random(1, 2);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(choice.pick(random), 0U);
  }
}

TEST(ZipfRank, LowRanksAreDrawnMoreOftenAndNoneIsOutOfRange) {
  const ZipfRank ranks(1000, 0.8);
  Random random(3, 4);
  std::vector<int> drawn(1000);
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t rank = ranks.pick(random);
    ASSERT_LT(rank, 1000U);
    ++drawn[rank];
  }
  EXPECT_GT(drawn[0], drawn[9]);
  EXPECT_GT(drawn[9], drawn[99]);
  // (rank + 1)^-0.8 makes rank 9 about 10^0.8 = 6.3 times as frequent as rank 99.
  EXPECT_NEAR(static_cast<double>(drawn[9]) / drawn[99], 6.3, 2.0);
  EXPECT_GT(drawn[999], 0);
}

}  // namespace
}  // namespace docket::load
