#include "tools/load/calendar.hpp"

#include <gtest/gtest.h>

#include <array>

namespace docket::load {
namespace {

constexpr Nanos day_ns = 86'400'000'000'000;
constexpr Nanos end = 20'600 * day_ns;  // a midnight, and a Thursday's beginning

TEST(Calendar, TimesAscendWhateverTheJitterAndStayWithinTheDays) {
  const Calendar calendar(10'000, end, 90);
  Nanos last = calendar.start() - 1;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const Nanos ts = calendar.at(i, i % 2 == 0 ? 0.999 : 0.001);
    EXPECT_GE(ts, last);
    EXPECT_EQ(ts % 1000, 0);
    last = ts;
  }
  EXPECT_LE(last, end);
  EXPECT_LT(calendar.at(0, 0) - calendar.start(), day_ns);
  EXPECT_LT(end - last, day_ns);
}

TEST(Calendar, DaysAreBusierThanNightsAndWeekends) {
  const Calendar calendar(70'000, end, 70);
  std::array<int, 24> hours{};
  std::array<int, 7> weekdays{};  // from Thursday
  for (std::uint64_t i = 0; i < 70'000; ++i) {
    const Nanos ts = calendar.at(i, 0.5);
    ++hours[static_cast<std::size_t>(ts / 3'600'000'000'000 % 24)];
    ++weekdays[static_cast<std::size_t>(ts / day_ns % 7)];
  }
  EXPECT_GT(hours[10], 10 * hours[2]);
  EXPECT_NEAR(static_cast<double>(weekdays[2]) / weekdays[0], 0.3, 0.05);  // Saturday
}

TEST(Calendar, OneEventAndOneDayAreEnough) {
  const Calendar calendar(1, end, 1);
  EXPECT_GE(calendar.at(0, 0), calendar.start());
  EXPECT_LE(calendar.at(0, 0.999999), end);
}

}  // namespace
}  // namespace docket::load
