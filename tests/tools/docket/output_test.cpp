#include "tools/docket/output.hpp"

#include <gtest/gtest.h>

namespace docket::cli {
namespace {

TEST(Progress, IsABarWhereTheTotalIsKnown) {
  EXPECT_EQ(progress_text("verified", 0, 8, "events"),
            "verified [........................] 0 % (0 of 8 events)");
  EXPECT_EQ(progress_text("verified", 1000, 4000, "events"),
            "verified [######..................] 25 % (1,000 of 4,000 events)");
  EXPECT_EQ(progress_text("verified", 9, 8, "events"),
            "verified [########################] 100 % (9 of 8 events)");
}

TEST(Progress, IsANumberWhereItIsNot) {
  EXPECT_EQ(progress_text("exported", 1234, 0, "KiB"), "exported 1,234 KiB");
}

}  // namespace
}  // namespace docket::cli
