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

TEST(Pacer, EventsThatAreDueCloseTogetherAreSentTogetherAndNeverEarly) {
  using std::chrono::microseconds;
  const Clock::time_point start = Clock::now();
  const Pacer pacer(100'000, start);  // one every 10 us
  EXPECT_EQ(pacer.wake(10, 1, start), start + microseconds(250));
  EXPECT_EQ(pacer.wake(10, 24, start), start + microseconds(250));
  EXPECT_EQ(pacer.wake(10, 25, start), pacer.due(10)) << "a quarter of a millisecond apart";
  EXPECT_EQ(pacer.wake(90, 1, start), pacer.due(90));
}

TEST(Pacer, WithoutARateEverythingIsDueAtOnce) {
  const Clock::time_point start = Clock::now();
  const Pacer pacer(0, start);
  EXPECT_FALSE(pacer.paced());
  EXPECT_EQ(pacer.due(1'000'000), start);
}

}  // namespace
}  // namespace docket::load
