#include "tools/load/pacer.hpp"

#include <gtest/gtest.h>

namespace docket::load {
namespace {

TEST(Pacer, TheScheduleIsFixedFromTheStart) {
  const Clock::time_point start = Clock::now();
  const Pacer pacer(1000, start);
  EXPECT_TRUE(pacer.paced());
  EXPECT_EQ(pacer.due(0), start);
  EXPECT_EQ(pacer.due(5000), start + std::chrono::seconds(5));
}

TEST(Pacer, ARunThatBeginsLaterInTheEventsHasTheSameSchedule) {
  const Clock::time_point start = Clock::now();
  const Pacer pacer(1000, start, 700);
  EXPECT_EQ(pacer.due(700), start);
  EXPECT_EQ(pacer.due(1700), start + std::chrono::seconds(1));
}

TEST(Pacer, WithoutARateEverythingIsDueAtOnce) {
  const Clock::time_point start = Clock::now();
  const Pacer pacer(0, start);
  EXPECT_FALSE(pacer.paced());
  EXPECT_EQ(pacer.due(1'000'000), start);
}

}  // namespace
}  // namespace docket::load
