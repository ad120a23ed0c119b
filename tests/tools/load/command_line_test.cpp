#include "tools/load/command_line.hpp"

#include <gtest/gtest.h>

namespace docket::load {
namespace {

TEST(LoadCommandLine, AMixNamesLogsAndTheirShares) {
  const auto mix = parse_mix("campaign:25,activity:60.5");
  ASSERT_TRUE(mix);
  EXPECT_EQ(*mix, (std::array<double, surface_count>{60.5, 25, 0, 0}));
}

TEST(LoadCommandLine, AMixThatCannotBeIsRefused) {
  for (const char* text : {"", "activity", "activity:", "activity:x", "activity:-1", "activity:0",
                           "nolog:1", "activity:1;api:1", "activity:nan"}) {
    EXPECT_FALSE(parse_mix(text)) << text;
  }
}

TEST(LoadCommandLine, NumbersAreGroupedByThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(123456), "123,456");
}

TEST(CommandLine, AmountsHaveUnits) {
  EXPECT_EQ(parse_amount("250").value(), 250);
  EXPECT_EQ(parse_amount("20k").value(), 20'000);
  EXPECT_EQ(parse_amount("5M").value(), 5'000'000);
  EXPECT_EQ(parse_amount("1.5G").value(), 1'500'000'000);
  for (const char* wrong : {"", "M", "5m", "5 M", "-5", "0", "nan", "inf", "5Mx"}) {
    EXPECT_FALSE(parse_amount(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace docket::load
