#include "tools/docketd/descriptors.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>

namespace docket::server {
namespace {

TEST(Descriptors, TheSoftLimitIsRaisedToTheHardOne) {
  struct rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const struct rlimit low{std::min<rlim_t>(64, before.rlim_max), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(raise_descriptor_limit(), before.rlim_max);
  struct rlimit after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST(Descriptors, SendersLeaveEnoughToTheStoreAndToHttp) {
  LimitSettings limits;
  limits.ingest_connections = 16'384;
  limits.http_connections = 256;
  limits.exports = 8;
  EXPECT_EQ(senders_within(1'048'576, limits), 16'384U);
  EXPECT_EQ(senders_within(20'000, limits), 16'384U);
  EXPECT_EQ(senders_within(16'384, limits), 16'384U - 2048 - 264);
  EXPECT_EQ(senders_within(1'024, limits), 1'024U - 256 - 264);
  EXPECT_EQ(senders_within(100, limits), 1U);
  EXPECT_EQ(senders_within(0, limits), 1U);
}

}  // namespace
}  // namespace docket::server
