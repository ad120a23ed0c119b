#include "engine/disk.hpp"

#include <gtest/gtest.h>

#include "tests/support/temporary_directory.hpp"

namespace docket {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

TEST(ParentOf, IsTheDirectoryThatHoldsThePath) {
  EXPECT_EQ(parent_of("a/b/c"), "a/b");
  EXPECT_EQ(parent_of("/a"), "/");
  EXPECT_EQ(parent_of("/a/b"), "/a");
  EXPECT_EQ(parent_of("a"), ".");
}

TEST(ReplaceFile, LeavesTheNewBytesAndNothingElse) {
  const testing::TemporaryDirectory dir;
  for (const char* text : {"first", "the second, longer", "", "4"}) {
    ASSERT_TRUE(replace_file(posix_disk(), dir / "f", bytes_of(text)));
    EXPECT_EQ(read_file(posix_disk(), dir / "f", 100).value(), bytes_of(text));
    EXPECT_EQ(posix_disk().list(dir.path()).value().size(), 1U);
  }
  EXPECT_EQ(replace_file(posix_disk(), dir / "none/f", bytes_of("x")).error().code,
            ErrorCode::not_found);
}

TEST(ReadFile, RefusesMoreThanItsBoundBeforeReading) {
  const testing::TemporaryDirectory dir;
  ASSERT_TRUE(replace_file(posix_disk(), dir / "f", bytes_of("12345")));
  EXPECT_EQ(read_file(posix_disk(), dir / "f", 5).value(), bytes_of("12345"));
  const auto read = read_file(posix_disk(), dir / "f", 4);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::corrupt);
  EXPECT_EQ(read_file(posix_disk(), dir / "none", 4).error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace docket
