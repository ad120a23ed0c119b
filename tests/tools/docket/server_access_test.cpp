#include "tools/docket/server_access.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_directory.hpp"

namespace docket::cli {
namespace {

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
