#include "tools/docket/output.hpp"

#include <gtest/gtest.h>

namespace docket::cli {
namespace {

TEST(Progress, IsABarWhereTheTotalIsKnown) {
  EXPECT_EQ(progress_text("verified", 0, 8, "events", 0),
            "verified [........................] 0 % (0 of 8 events)");
  EXPECT_EQ(progress_text("verified", 1000, 4000, "events", 0),
            "verified [######..................] 25 % (1,000 of 4,000 events)");
  EXPECT_EQ(progress_text("verified", 9, 8, "events", 0),
            "verified [########################] 100 % (9 of 8 events)");
}

TEST(Progress, TellsTheRateAndTheTimeLeftOnceTheyCanBeTold) {
  constexpr std::int64_t second = 1'000'000'000;
  EXPECT_EQ(progress_text("verified", 1000, 4000, "events", 2 * second),
            "verified [######..................] 25 % (1,000 of 4,000 events, 500/s, 6s left)");
  EXPECT_EQ(progress_text("verified", 4000, 4000, "events", 2 * second),
            "verified [########################] 100 % (4,000 of 4,000 events, 2,000/s)");
  EXPECT_EQ(progress_text("verified", 0, 4000, "events", 9 * second),
            "verified [........................] 0 % (0 of 4,000 events)");
  EXPECT_NE(progress_text("x", 10, 1310, "y", 1 * second).find("10/s, 2m 10s left"),
            std::string::npos);
  EXPECT_NE(progress_text("x", 1, 7261, "y", 1 * second).find("2h 01m left"), std::string::npos);
  EXPECT_EQ(progress_text("exported", 1234, 0, "KiB", 2 * second), "exported 1,234 KiB, 617/s");
}

TEST(Progress, IsANumberWhereItIsNot) {
  EXPECT_EQ(progress_text("exported", 1234, 0, "KiB", 0), "exported 1,234 KiB");
}

}  // namespace
}  // namespace docket::cli
