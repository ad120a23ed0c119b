#include "tools/api/url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace docket::api {
namespace {

using ::testing::HasSubstr;

TEST(Url, PathAndParametersAreDecoded) {
  const auto target = parse_target("/api/v1/count?q=verb%3ADELETE+%22a%2Bb%22&tz=Europe%2FBerlin");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/api/v1/count");
  EXPECT_EQ(target->parameters.value("q"), "verb:DELETE \"a+b\"");
  EXPECT_EQ(target->parameters.value("tz"), "Europe/Berlin");
}

TEST(Url, PlusIsASpaceInParametersOnly) {
  const auto target = parse_target("/a+b?c+d=e+f");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/a+b");
  EXPECT_EQ(target->parameters.value("c d"), "e f");
}

TEST(Url, ParameterWithoutValueIsEmptyAndAbsentOneIsNot) {
  const auto target = parse_target("/x?a&b=&&c=1");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->parameters.find("a"), "");
  EXPECT_EQ(target->parameters.find("b"), "");
  EXPECT_EQ(target->parameters.find("c"), "1");
  EXPECT_EQ(target->parameters.find("d"), std::nullopt);
}

TEST(Url, DamagedTargetsAreRefused) {
  for (const char* text : {"", "x", "http://a/b", "*", "/%", "/%4", "/%4g", "/?q=%zz", "/%ff",
                           "/?q=%c0%af", "/%00", "/%0a", "/a?q=1&q=2", "/a?q=%ed%a0%80", "/%7f"}) {
    const auto target = parse_target(text);
    ASSERT_FALSE(target) << text;
    EXPECT_EQ(target.error().code, ErrorCode::invalid_argument) << text;
  }
}

TEST(Url, EncodedParametersParseToThemselves) {
  std::string every_byte;
  for (int c = 1; c < 128; ++c) {
    every_byte += static_cast<char>(c);
  }
  const Parameters sent{{"q", every_byte}, {"näme&=?", "ü+%"}, {"empty", ""}};
  const auto received = parse_target("/x?" + sent.encode());
  ASSERT_TRUE(received);
  EXPECT_EQ(received->parameters.value("q"), every_byte);
  EXPECT_EQ(received->parameters.value("näme&=?"), "ü+%");
  EXPECT_EQ(received->parameters.find("empty"), "");
}

TEST(Parameters, AnUnknownNameIsRefusedWithTheKnownOnes) {
  const Parameters parameters{{"q", "x"}, {"limt", "5"}};
  EXPECT_TRUE(parameters.expect_only({"q", "limt"}));
  const auto refused = parameters.expect_only({"q", "limit"});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("'limt'"));
  EXPECT_THAT(refused.error().message, HasSubstr("q, limit"));
}

TEST(Parameters, NumbersOutOfRangeOrForeignFormAreRefused) {
  for (const char* text :
       {"", "0", "101", "-1", "+5", " 5", "5 ", "5x", "1e2", "0x10", "99999999999999999999"}) {
    EXPECT_FALSE(Parameters({{"limit", text}}).number("limit", 1, 100)) << text;
  }
  EXPECT_EQ(Parameters({{"limit", "100"}}).number("limit", 1, 100).value(), 100U);
  EXPECT_EQ(Parameters().number("limit", 1, 100).value(), std::nullopt);
}

TEST(Parameters, FlagsAreOneZeroTrueFalse) {
  EXPECT_TRUE(Parameters({{"raw", "1"}}).flag("raw").value());
  EXPECT_TRUE(Parameters({{"raw", "true"}}).flag("raw").value());
  EXPECT_FALSE(Parameters({{"raw", "0"}}).flag("raw").value());
  EXPECT_FALSE(Parameters({{"raw", "false"}}).flag("raw").value());
  EXPECT_FALSE(Parameters().flag("raw").value());
  EXPECT_FALSE(Parameters({{"raw", "yes"}}).flag("raw"));
  EXPECT_FALSE(Parameters({{"raw", ""}}).flag("raw"));
}

}  // namespace
}  // namespace docket::api
