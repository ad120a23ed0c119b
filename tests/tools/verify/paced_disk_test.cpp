#include "tools/verify/paced_disk.hpp"

#include <gtest/gtest.h>

#include <array>

#include "tests/support/sim_disk.hpp"

namespace docket::verify {
namespace {

TEST(PacedDisk, TellsOfEachReadAndFailsOnceItIsBrokenOff) {
  testing::SimDisk disk;
  disk.plant("a", std::vector<std::byte>(100, std::byte{7}));
  std::vector<std::uint64_t> told;
  PacedDisk paced(disk, [&](std::uint64_t bytes) {
    told.push_back(bytes);
    return told.size() < 3;
  });
  const auto file = paced.open("a", OpenMode::read).value();
  std::array<std::byte, 60> bytes{};
  EXPECT_TRUE(file->read_at(FileOffset(0), bytes));
  EXPECT_EQ(bytes[59], std::byte{7});
  EXPECT_EQ(file->read_at(FileOffset(50), bytes).error().code, ErrorCode::corrupt);
  EXPECT_EQ(file->read_at(FileOffset(0), bytes).error().code, ErrorCode::cancelled);
  EXPECT_EQ(told, (std::vector<std::uint64_t>{60, 60, 60}));
  EXPECT_EQ(file->size().value(), 100U);
}

TEST(PacedDisk, ChangesNothing) {
  testing::SimDisk disk;
  disk.plant("d/a", std::vector<std::byte>(100));
  PacedDisk paced(disk, [](std::uint64_t) { return true; });
  EXPECT_FALSE(paced.open("d/a", OpenMode::read_write));
  EXPECT_FALSE(paced.open("d/b", OpenMode::create_empty));
  EXPECT_FALSE(paced.rename("d/a", "d/b"));
  EXPECT_FALSE(paced.unlink("d/a"));
  EXPECT_FALSE(paced.make_directories("e"));
  EXPECT_FALSE(paced.lock("d/LOCK"));
  EXPECT_EQ(paced.list("d").value().size(), 1U);
  EXPECT_TRUE(paced.exists("d/a").value());
  const auto file = paced.open("d/a", OpenMode::read).value();
  EXPECT_FALSE(file->resize(1));
  EXPECT_EQ(disk.files(), std::vector<std::string>{"d/a"});
}

}  // namespace
}  // namespace docket::verify
