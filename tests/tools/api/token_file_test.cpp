#include "tools/api/token_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_directory.hpp"

namespace docket::api {
namespace {

using ::testing::HasSubstr;

TEST(TokenFile, ATokenIsOneWordWhateverSpaceIsAroundIt) {
  EXPECT_EQ(parse_token("dkt_1\n", "f"), "dkt_1");
  EXPECT_EQ(parse_token("  dkt_1\r\n\n", "f"), "dkt_1");
  for (const std::string bad : {"", "\n", "two words", "a\nb", "a\x01", "\xc3\xa4"}) {
    const auto parsed = parse_token(bad, "the file");
    ASSERT_FALSE(parsed) << bad;
    EXPECT_THAT(parsed.error().message, HasSubstr("the file: "));
  }
}

TEST(TokenFile, WhatIsWrongWithItIsNamed) {
  const docket::testing::TemporaryDirectory directory;
  EXPECT_EQ(read_token_file(directory / "none").error().code, ErrorCode::not_found);
  std::ofstream(directory / "token") << "dkt_7\n";
  EXPECT_EQ(read_token_file(directory / "token"), "dkt_7");
  std::ofstream(directory / "large") << std::string(5000, 'x');
  EXPECT_FALSE(read_token_file(directory / "large"));
  EXPECT_EQ(read_token_file(directory.path()).error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace docket::api
