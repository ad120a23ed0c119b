#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>

#include "engine/event.hpp"

namespace docket {
namespace {

// What the C library says; it is as strict as we are about everything but "::ffff:…" being IPv4.
std::optional<IpAddress> parse_by_libc(const std::string& text) {
  IpAddress ip;
  if (::inet_pton(AF_INET6, text.c_str(), ip.bytes.data()) == 1) {
    return ip;
  }
  std::array<std::uint8_t, 4> quad{};
  if (::inet_pton(AF_INET, text.c_str(), quad.data()) == 1) {
    ip = {};
    ip.bytes[10] = ip.bytes[11] = 0xff;
    std::copy(quad.begin(), quad.end(), ip.bytes.begin() + 12);
    return ip;
  }
  return std::nullopt;
}

TEST(FormatIp, KeepsTheRecommendationsOfRfc5952) {
  const std::pair<const char*, const char*> cases[] = {
      {"2001:0db8::0001", "2001:db8::1"},
      {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // one zero group is not shortened
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},           // the longest run
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},     // the first of equal runs
      {"2001:DB8::ABCD", "2001:db8::abcd"},
      {"0:0:0:0:0:0:0:0", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"0:0:1:2:3:4:5:6", "::1:2:3:4:5:6"},
      {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::ffff:192.0.2.128", "192.0.2.128"},
      {"::ffff:c000:280", "192.0.2.128"},
      {"192.0.2.128", "192.0.2.128"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.100.10.9", "255.100.10.9"},
      {"::13.1.68.3", "::d01:4403"},
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
  };
  for (const auto& [text, canonical] : cases) {
    const auto ip = parse_ip(text);
    ASSERT_TRUE(ip) << text;
    EXPECT_EQ(format_ip(*ip), canonical) << text;
  }
}

TEST(ParseIp, RefusesWhatIsNoAddress) {
  for (const char* text : {"",
                           "1",
                           "1.2.3",
                           "1.2.3.4.5",
                           "1.2.3.",
                           ".1.2.3",
                           "1..2.3",
                           "256.1.1.1",
                           "1.2.3.04",
                           "00.0.0.0",
                           "1.2.3.4 ",
                           " 1.2.3.4",
                           "1.2.3.4/8",
                           "0x1.2.3.4",
                           "-1.2.3.4",
                           ":",
                           ":::",
                           ":1",
                           "1:",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1::2::3",
                           "1:2:3:4::5:6:7:8",
                           "12345::",
                           "g::",
                           "::1%eth0",
                           "[::1]",
                           "::1.2.3",
                           "::1.2.3.4:5",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "::01.2.3.4",
                           "1:2:3:4:5:6:7:8::",
                           "::1:2:3:4:5:6:7:8"}) {
    EXPECT_FALSE(parse_ip(text)) << text;
  }
  EXPECT_FALSE(parse_ip(std::string_view("1.2.3.4\0", 8)));
}

TEST(ParseIp, AgreesWithTheCLibraryOnMutatedTexts) {
  std::mt19937_64 random(5952);
  const std::string alphabet = "0123456789abcdefABCDEF::::....gx ";
  int accepted = 0;
  for (int i = 0; i < 300'000; ++i) {
    IpAddress ip;
    for (auto& byte : ip.bytes) {
      byte = random() % 2 == 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(random());
    }
    if (random() % 4 == 0) {
      std::fill_n(ip.bytes.begin(), 10, std::uint8_t{0});
      ip.bytes[10] = ip.bytes[11] = 0xff;
    }
    char text_by_libc[INET6_ADDRSTRLEN];
    ASSERT_NE(::inet_ntop(AF_INET6, ip.bytes.data(), text_by_libc, sizeof text_by_libc), nullptr);
    std::string text = random() % 2 == 0 ? format_ip(ip) : text_by_libc;
    for (std::uint64_t edits = random() % 3; edits > 0 && !text.empty(); --edits) {
      const std::size_t at = random() % text.size();
      const char letter = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
        case 0:
          text[at] = letter;
          break;
        case 1:
          text.insert(at, 1, letter);
          break;
        default:
          text.erase(at, 1);
      }
    }
    const auto expected = parse_by_libc(text);
    ASSERT_EQ(parse_ip(text), expected) << text;
    accepted += expected ? 1 : 0;
  }
  EXPECT_GT(accepted, 50'000);
}

TEST(FormatIp, EveryAddressIsReadBackAsItself) {
  std::mt19937_64 random(4291);
  for (int i = 0; i < 200'000; ++i) {
    IpAddress ip;
    for (std::size_t group = 0; group < 16; group += 2) {
      // Zero groups often, so that runs of all lengths and places occur.
      const auto value = random() % 3 == 0 ? random() : std::uint64_t{0};
      std::memcpy(ip.bytes.data() + group, &value, 2);
    }
    const std::string text = format_ip(ip);
    ASSERT_EQ(parse_ip(text), ip) << text;
    ASSERT_EQ(parse_by_libc(text), ip) << text;
  }
}

TEST(IpAddress, MappedAddressesAreV4AndNoOthers) {
  EXPECT_TRUE(parse_ip("10.0.0.1")->is_v4());
  EXPECT_TRUE(parse_ip("::ffff:0:1")->is_v4());
  EXPECT_FALSE(parse_ip("::10.0.0.1")->is_v4());
  EXPECT_FALSE(parse_ip("1::ffff:10.0.0.1")->is_v4());
}

}  // namespace
}  // namespace docket
