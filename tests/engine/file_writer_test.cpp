#include "engine/file_writer.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

std::vector<std::byte> random_bytes(std::size_t size) {
  std::mt19937_64 random(size);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(random());
  }
  return bytes;
}

class FileWriterTest : public ::testing::Test {
 protected:
  FileWriterTest() {
    disk_.set_pause([this](testing::Io io) { syncs_ += io == testing::Io::sync ? 1 : 0; });
    file_ = disk_.open("/f", OpenMode::create_empty).value();
  }

  testing::SimDisk disk_;
  std::unique_ptr<File> file_;
  int syncs_ = 0;
};

TEST_F(FileWriterTest, AStepIsSyncedBeforeTheNextIsWritten) {
  const auto bytes = random_bytes(1000);
  SteppedWriter writer(*file_, 100);
  ASSERT_TRUE(writer.write(std::span(bytes).first(99)));
  EXPECT_EQ(syncs_, 0);
  ASSERT_TRUE(writer.write(std::span(bytes).subspan(99, 1)));
  EXPECT_EQ(syncs_, 1);
  ASSERT_TRUE(writer.write(std::span(bytes).subspan(100, 850)));
  EXPECT_EQ(syncs_, 9) << "of one piece as well";
  ASSERT_TRUE(writer.write({}));
  ASSERT_TRUE(writer.write(std::span(bytes).subspan(950)));
  EXPECT_EQ(syncs_, 10);
  EXPECT_EQ(writer.end(), FileOffset(1000));
  EXPECT_EQ(disk_.content("/f"), bytes);
}

TEST_F(FileWriterTest, AFailedSyncOfAStepIsTold) {
  disk_.inject({.at = 2, .kinds = testing::Io::sync});
  const auto bytes = random_bytes(1000);
  SteppedWriter writer(*file_, 100);
  EXPECT_FALSE(writer.write(bytes));
  EXPECT_EQ(writer.end(), FileOffset(200));
}

TEST_F(FileWriterTest, WhatIsAppendedStandsInItsOrderWhateverItsSizes) {
  const auto bytes = random_bytes(std::size_t{7} << 20);
  FileWriter writer(*file_);
  std::span<const std::byte> rest(bytes);
  std::mt19937_64 random(1);
  while (!rest.empty()) {
    EXPECT_EQ(writer.position().value, bytes.size() - rest.size());
    const std::size_t most = random() % 4 == 0 ? std::size_t{3} << 20 : 5000;
    const auto part = rest.first(std::min<std::size_t>(rest.size(), random() % most));
    ASSERT_TRUE(writer.append(part));
    rest = rest.subspan(part.size());
  }
  ASSERT_TRUE(writer.flush());
  EXPECT_EQ(disk_.content("/f"), bytes);
  EXPECT_EQ(syncs_, 3) << "one after each 2 MiB";
}

TEST_F(FileWriterTest, AFileThatIsReplacedIsWrittenInSteps) {
  const auto bytes = random_bytes(std::size_t{5} << 20);
  ASSERT_TRUE(replace_file(disk_, "/g", bytes));
  EXPECT_EQ(disk_.content("/g"), bytes);
  EXPECT_EQ(syncs_, 3) << "two steps and the rest";
}

}  // namespace
}  // namespace docket
