#include "tools/docket/server_access.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_directory.hpp"

namespace docket::cli {
namespace {

using ::testing::HasSubstr;

TEST(ServerAccess, ATokenIsOneWordWhateverSpaceIsAroundIt) {
  EXPECT_EQ(parse_token("dkt_1\n", "f"), "dkt_1");
  EXPECT_EQ(parse_token("  dkt_1\r\n\n", "f"), "dkt_1");
  for (const std::string bad : {"", "\n", "two words", "a\nb", "a\x01", "\xc3\xa4"}) {
    const auto parsed = parse_token(bad, "the file");
    ASSERT_FALSE(parsed) << bad;
    EXPECT_THAT(parsed.error().message, HasSubstr("the file: "));
  }
}

TEST(ServerAccess, ItIsReadFromTheFile) {
  const docket::testing::TemporaryDirectory directory;
  Arguments arguments;
  arguments.token_file = directory / "token";
  EXPECT_EQ(server_access(arguments).error().code, ErrorCode::not_found);
  std::ofstream(arguments.token_file) << "dkt_7\n";
  EXPECT_EQ(server_access(arguments)->token, "dkt_7");
}

}  // namespace
}  // namespace docket::cli
