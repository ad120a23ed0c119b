#include "engine/store_layout.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

TEST(MakeStore, SucceedsAfterACrashAtAnyMomentOfAnEarlierAttempt) {
  bool hit = true;
  for (std::uint64_t n = 1; hit; ++n) {
    testing::SimDisk disk;
    disk.inject({.at = n, .forever = true, .seed = n});
    static_cast<void>(make_store(disk, "data"));
    hit = disk.fault_hit();
    const auto survivor = disk.after_power_loss(n);
    const auto made = make_store(*survivor, "data");
    ASSERT_TRUE(made) << "crash at I/O " << n << ": " << made.error().describe();
    EXPECT_TRUE(check_store_marker(*survivor, "data"));
    EXPECT_TRUE(survivor->list(logs_directory("data"))) << "crash at I/O " << n;
  }
}

TEST(MakeStore, RefusesADirectoryThatHoldsOtherThings) {
  testing::SimDisk disk;
  disk.plant("data/letter.txt", bytes_of("Dear"));
  const auto made = make_store(disk, "data");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(made.error().message.find("letter.txt"), std::string::npos);
  EXPECT_EQ(disk.files().size(), 1U);
}

TEST(CheckStoreMarker, TellsAStoreFromOtherDirectoriesAndNewerFormats) {
  testing::SimDisk disk;
  EXPECT_EQ(check_store_marker(disk, "data").error().code, ErrorCode::not_found);
  ASSERT_TRUE(disk.make_directories("data"));
  EXPECT_EQ(check_store_marker(disk, "data").error().code, ErrorCode::not_found);
  disk.plant("data/DOCKET", bytes_of("docket store, format 99\n"));
  EXPECT_EQ(check_store_marker(disk, "data").error().code, ErrorCode::newer_format);
  disk.plant("data/DOCKET", bytes_of("what a bad sector has left"));
  EXPECT_TRUE(check_store_marker(disk, "data"));
}

}  // namespace
}  // namespace docket
