#include "tools/docketd/address.hpp"

#include <gtest/gtest.h>

namespace docket::server {
namespace {

TEST(ListenAddress, IsAnIpAddressAndAPort) {
  EXPECT_EQ(parse_address("127.0.0.1:7470").value(), (Address{"127.0.0.1", 7470}));
  EXPECT_EQ(parse_address("[::1]:0").value(), (Address{"::1", 0}));
  EXPECT_EQ(parse_address("localhost:80").value(), (Address{"127.0.0.1", 80}));
  for (const char* text :
       {"", ":", "7470", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1:7x", "::1:7470", "[127.0.0.1]:1", "[]:1", "example.com:80", "127.0.0.1:80 "}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}

TEST(ListenAddress, TextIsReadBack) {
  for (const char* text : {"127.0.0.1:7470", "[::1]:7480", "0.0.0.0:0"}) {
    EXPECT_EQ(parse_address(text).value().text(), text);
  }
}

TEST(ListenAddress, ADestinationMayBeASocketToo) {
  EXPECT_EQ(parse_destination("127.0.0.1:7470").value(), (Address{"127.0.0.1", 7470}));
  EXPECT_EQ(parse_destination("unix:/run/a:1.sock").value(), (Address{"unix:/run/a:1.sock", 0}));
  EXPECT_EQ(parse_destination("unix:/run/a:1.sock").value().text(), "unix:/run/a:1.sock");
  for (const char* text : {"unix:", "/run/a.sock", "unix"}) {
    EXPECT_FALSE(parse_destination(text)) << text;
  }
  EXPECT_FALSE(parse_address("unix:/run/a.sock"));
}

TEST(ListenAddress, LoopbackIsTheWholeNetworkOf127AndOneOfIpv6) {
  EXPECT_TRUE(parse_address("127.255.0.9:1").value().is_loopback());
  EXPECT_TRUE(parse_address("[::1]:1").value().is_loopback());
  for (const char* text : {"0.0.0.0:1", "[::]:1", "128.0.0.1:1", "10.0.0.1:1", "[::2]:1"}) {
    EXPECT_FALSE(parse_address(text).value().is_loopback()) << text;
  }
}

}  // namespace
}  // namespace docket::server
