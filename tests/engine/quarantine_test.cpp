#include "engine/quarantine.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

using testing::SimDisk;

class QuarantineTest : public ::testing::Test {
 protected:
  QuarantineTest() { EXPECT_TRUE(disk_.make_directories("log")); }

  static QuarantineRecord record(std::uint64_t offset) {
    return {.time = 1'777'593'600'000'000'000,
            .file = "00000000000000000001.hot",
            .kept = "00000000000000000001.hot.damaged",
            .offset = offset,
            .bytes = 832,
            .first_seq = Seq(11),
            .last_seq = Seq(20),
            .reason = "block checksum does not match"};
  }
  std::string text() { return std::string(as_text(disk_.content(quarantine_path("log")))); }

  SimDisk disk_;
};

TEST_F(QuarantineTest, RecordsComeBackInTheirOrder) {
  EXPECT_TRUE(read_quarantine(disk_, "log")->records.empty());
  ASSERT_TRUE(record_quarantine(disk_, "log", record(128)));
  QuarantineRecord other = record(4096);
  other.kept = "";
  other.first_seq = Seq(5);
  other.last_seq = Seq(4);
  other.reason = "two words\nand a line";
  ASSERT_TRUE(record_quarantine(disk_, "log", other));
  const auto all = read_quarantine(disk_, "log");
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->damaged_at.empty());
  ASSERT_EQ(all->records.size(), 2U);
  EXPECT_EQ(all->records[0].time, record(128).time);
  EXPECT_EQ(all->records[0].file, record(128).file);
  EXPECT_EQ(all->records[0].kept, record(128).kept);
  EXPECT_EQ(all->records[0].offset, 128U);
  EXPECT_EQ(all->records[0].bytes, 832U);
  EXPECT_EQ(all->records[0].first_seq, Seq(11));
  EXPECT_EQ(all->records[0].last_seq, Seq(20));
  EXPECT_TRUE(all->records[0].has_events());
  EXPECT_EQ(all->records[0].reason, "block checksum does not match");
  EXPECT_EQ(all->records[1].kept, "");
  EXPECT_FALSE(all->records[1].has_events());
  EXPECT_EQ(all->records[1].reason, "two words and a line");
}

TEST_F(QuarantineTest, WhatIsKnownIsNotWrittenDownAgain) {
  ASSERT_TRUE(record_quarantine(disk_, "log", record(128)));
  QuarantineRecord later = record(128);
  later.time += 1'000'000'000;
  ASSERT_TRUE(record_quarantine(disk_, "log", later));
  EXPECT_EQ(read_quarantine(disk_, "log")->records.size(), 1U);
}

TEST_F(QuarantineTest, ALineIsWhatTheFormatSays) {
  ASSERT_TRUE(record_quarantine(disk_, "log", record(128)));
  EXPECT_EQ(text(),
            "63c67c0a8e18fef7 "
            "2026-05-01T00:00:00Z 00000000000000000001.hot 128 832 11 20 "
            "00000000000000000001.hot.damaged block checksum does not match\n");
}

TEST_F(QuarantineTest, AFlippedBitLosesItsLineAloneAndIsTold) {
  for (const std::uint64_t offset : {128, 1024, 2048}) {
    ASSERT_TRUE(record_quarantine(disk_, "log", record(offset)));
  }
  const std::string path = quarantine_path("log");
  const std::uint64_t line = text().size() / 3;
  for (std::uint64_t bit = line * 8; bit < text().size() * 8; ++bit) {
    disk_.flip_bit(path, bit);
    const auto all = read_quarantine(disk_, "log");
    ASSERT_TRUE(all);
    EXPECT_FALSE(all->damaged_at.empty()) << "bit " << bit;
    EXPECT_GE(all->records.size(), 1U) << "bit " << bit;
    EXPECT_EQ(all->records[0].offset, 128U);
    disk_.flip_bit(path, bit);
  }
  disk_.flip_bit(path, line * 8 + 100);
  ASSERT_TRUE(record_quarantine(disk_, "log", record(9000)));
  const auto all = read_quarantine(disk_, "log");
  EXPECT_EQ(all->records.size(), 3U);
  EXPECT_EQ(all->damaged_at, std::vector<std::uint64_t>{line});
}

TEST_F(QuarantineTest, AFileThatCannotBeReadIsKeptAside) {
  ASSERT_TRUE(record_quarantine(disk_, "log", record(128)));
  disk_.spoil(quarantine_path("log"), 0, 1);
  EXPECT_EQ(read_quarantine(disk_, "log").error().code, ErrorCode::corrupt);
  ASSERT_TRUE(record_quarantine(disk_, "log", record(256)));
  EXPECT_EQ(read_quarantine(disk_, "log")->records.size(), 1U);
  EXPECT_TRUE(*disk_.exists(quarantine_path("log") + ".damaged"));
}

TEST_F(QuarantineTest, AFullFileTakesNoMore) {
  disk_.plant(quarantine_path("log"),
              std::vector<std::byte>(quarantine_bytes_max, std::byte{'\n'}));
  const auto recorded = record_quarantine(disk_, "log", record(128));
  ASSERT_FALSE(recorded);
  EXPECT_EQ(recorded.error().code, ErrorCode::overloaded);
}

// Whoever wrote it: a line that is not what the format says is told and left out.
TEST_F(QuarantineTest, ALineOfAnotherFormUnderAMatchingChecksumIsDamage) {
  const std::string path = quarantine_path("log");
  const auto plant = [&](const std::string& content) {
    const std::string line =
        fmt::format("{:016x} {}\n", checksum64(as_byte_span(content)), content);
    disk_.plant(path, as_byte_span(line));
    return read_quarantine(disk_, "log").value();
  };
  const std::string sound = "2026-05-01T00:00:00Z 1.hot 128 832 11 20 - why";
  EXPECT_EQ(plant(sound).records.size(), 1U);
  for (const char* other :
       {"yesterday 1.hot 128 832 11 20 - why", "2026-05-01T00:00:00Z 1.hot -1 832 11 20 - why",
        "2026-05-01T00:00:00Z 1.hot 128 832x 11 20 - why",
        "2026-05-01T00:00:00Z 1.hot 128 832 11.5 20 - why",
        "2026-05-01T00:00:00Z 1.hot 128 832 11 99999999999999999999 - why",
        "2026-05-01T00:00:00Z 1.hot 128 832 11 20", "", "one"}) {
    const Quarantine read = plant(other);
    EXPECT_TRUE(read.records.empty()) << other;
    EXPECT_EQ(read.damaged_at, std::vector<std::uint64_t>{0}) << other;
  }
}

TEST_F(QuarantineTest, ALineThatWasCutIsDamageAndTheNextOneIsALineOfItsOwn) {
  ASSERT_TRUE(record_quarantine(disk_, "log", record(128)));
  std::string cut = text();
  cut.pop_back();
  disk_.plant(quarantine_path("log"), as_byte_span(cut));
  EXPECT_EQ(read_quarantine(disk_, "log")->damaged_at, std::vector<std::uint64_t>{0});
  ASSERT_TRUE(record_quarantine(disk_, "log", record(256)));
  EXPECT_EQ(read_quarantine(disk_, "log")->records.size(), 2U) << "it had only lost its end";
}

TEST_F(QuarantineTest, AnotherPlaceOrAnotherFileIsARecordOfItsOwn) {
  const std::vector<void (*)(QuarantineRecord&)> changes = {
      [](QuarantineRecord& r) { r.file = "2.hot"; }, [](QuarantineRecord& r) { r.kept = "x"; },
      [](QuarantineRecord& r) { ++r.offset; },       [](QuarantineRecord& r) { ++r.bytes; },
      [](QuarantineRecord& r) { r.first_seq += 1; }, [](QuarantineRecord& r) { r.last_seq += 1; }};
  ASSERT_TRUE(record_quarantine(disk_, "log", record(128)));
  for (const auto& change : changes) {
    QuarantineRecord other = record(128);
    change(other);
    ASSERT_TRUE(record_quarantine(disk_, "log", other));
  }
  EXPECT_EQ(read_quarantine(disk_, "log")->records.size(), 1 + changes.size());
  QuarantineRecord strange = record(9);
  strange.reason = "a\tb\x7f";
  ASSERT_TRUE(record_quarantine(disk_, "log", strange));
  EXPECT_EQ(read_quarantine(disk_, "log")->records.back().reason, "a b ");
}

}  // namespace
}  // namespace docket
