#include "tools/api/given_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_directory.hpp"

namespace docket::api {
namespace {

using ::testing::EndsWith;

TEST(GivenFile, AnotherPathThanWasMeantIsNoDamage) {
  const docket::testing::TemporaryDirectory directory;
  std::ofstream(directory / "file") << "some text";
  EXPECT_EQ(read_given_file(directory / "file", 9), "some text");
  EXPECT_EQ(read_given_file(directory / "file", 8).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(read_given_file(directory / "none", 8).error().code, ErrorCode::not_found);
  const auto refused = read_given_file(directory.path(), 8);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_THAT(refused.error().message, EndsWith(": is not a regular file"));
}

}  // namespace
}  // namespace docket::api
