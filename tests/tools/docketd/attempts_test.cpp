#include "tools/docketd/attempts.hpp"

#include <gtest/gtest.h>

namespace docket::server {
namespace {

TEST(Attempts, ANetworkIsAnIpv4AddressOrHalfAnIpv6One) {
  EXPECT_EQ(network_of("10.0.0.1:50000"), "10.0.0.1");
  EXPECT_EQ(network_of("[2001:db8:1:2:3:4:5:6]:1"), "2001:db8:1:2::/64");
  EXPECT_EQ(network_of("2001:db8:1:2::9"), "2001:db8:1:2::/64");
  EXPECT_EQ(network_of(""), "");
}

TEST(Attempts, AfterTooManyInAMinuteAnAddressIsTurnedAwayAndOthersAreNot) {
  Attempts attempts;
  const Nanos now = Attempts::window;
  for (std::uint32_t i = 0; i < Attempts::failures_max; ++i) {
    EXPECT_FALSE(attempts.failed("10.0.0.1:" + std::to_string(1000 + i), now + i));
  }
  EXPECT_TRUE(attempts.failed("10.0.0.1:1", now + 1000));
  EXPECT_FALSE(attempts.failed("10.0.0.2:1", now + 1000));
  EXPECT_FALSE(attempts.failed("10.0.0.1:1", now + Attempts::window));
}

TEST(Attempts, AddressesBeyondTheBoundShareOneCount) {
  Attempts attempts;
  const auto peer = [](std::size_t i) {
    return "10." + std::to_string(i >> 16) + "." + std::to_string((i >> 8) & 255) + "." +
           std::to_string(i & 255) + ":1";
  };
  for (std::size_t i = 0; i < Attempts::addresses_max; ++i) {
    EXPECT_FALSE(attempts.failed(peer(i), 1));
  }
  bool any = false;
  for (std::size_t i = 0; i <= Attempts::failures_max; ++i) {
    any = attempts.failed(peer(Attempts::addresses_max + i), 2);
  }
  EXPECT_TRUE(any);
  // Later their places are free again.
  EXPECT_FALSE(attempts.failed(peer(Attempts::addresses_max), 2 + Attempts::window));
}

}  // namespace
}  // namespace docket::server
