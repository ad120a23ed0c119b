#include "tools/load/ledger.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.hpp"

namespace docket::load {
namespace {

TEST(Ledger, WhatIsRecordedIsReadBack) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "ledger";
  const std::vector<LedgerEntry> entries{{"activity", 1, 100, 0, 1}, {"api", 17, 3, 5, 4}};
  {
    auto writer = LedgerWriter::create(path);
    ASSERT_TRUE(writer);
    for (const LedgerEntry& entry : entries) {
      ASSERT_TRUE((*writer)->record(entry));
    }
  }
  const auto read = read_ledger(path);
  ASSERT_TRUE(read) << read.error().describe();
  EXPECT_EQ(*read, entries);
}

TEST(Ledger, ALastLineCutShortIsLeftOut) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "ledger";
  std::ofstream(path) << "activity 1 100 0 1\nactivity 101 5";
  const auto read = read_ledger(path);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->size(), 1U);
}

TEST(Ledger, AnotherFileIsRefusedWithTheLine) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "ledger";
  std::ofstream(path) << "activity 1 100 0 1\nhello\n";
  const auto read = read_ledger(path);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("line 2"), std::string::npos) << read.error().message;
  EXPECT_FALSE(read_ledger(directory / "none"));
}

}  // namespace
}  // namespace docket::load
