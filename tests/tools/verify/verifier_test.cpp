#include "tools/verify/verifier.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <span>

#include "index/index_file.hpp"
#include "tests/tools/api/store_fixture.hpp"

namespace docket::verify {
namespace {

using ::testing::HasSubstr;

// A store with a sealed segment of three events and its index; a later look at it through a store
// of its own, as another process has it.
class VerifierTest : public api::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    add("activity", {event(1, "CREATE"), event(2, "DELETE"), event(3, "DELETE")});
    ASSERT_TRUE(store_->find_log("activity")->seal());
    const auto segment = store_->find_log("activity")->snapshot().segments.back();
    sealed_ = segment->info();
    ASSERT_TRUE(catalog_.build(segment));
    ASSERT_TRUE(store_->close());
  }

  Findings check(bool deep) {
    StoreOptions options;
    options.read_only = true;
    const auto store = Store::open(posix_disk(), directory_.path(), options);
    index::Catalog catalog(posix_disk(), {.read_only = true});
    Verifier verifier(
        posix_disk(), [&](const SegmentInfo& info) { return is_retired(**store, info); },
        deep ? &catalog : nullptr);
    const StoreSnapshot snapshot = (*store)->snapshot().value();
    for (const LogSnapshot& log : snapshot.logs) {
      verifier.check_log(directory_.path(), log);
      for (const auto& segment : log.segments) {
        verifier.check_segment(segment);
      }
    }
    return verifier.findings();
  }
  [[nodiscard]] std::string index_path() const {
    return std::filesystem::path(sealed_.path).replace_extension(".idx").string();
  }
  static std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  SegmentInfo sealed_;
};

TEST_F(VerifierTest, ASoundStoreIsCountedAndHasNoDamage) {
  for (const bool deep : {false, true}) {
    const Findings found = check(deep);
    EXPECT_TRUE(found.damage.empty());
    EXPECT_EQ(found.logs, 1U);
    EXPECT_EQ(found.segments, 1U);
    EXPECT_EQ(found.events, 3U);
    EXPECT_EQ(found.bytes, std::filesystem::file_size(sealed_.path));
  }
}

TEST_F(VerifierTest, WhatIsSetAsideIsToldAndAFlippedBitInItsRecordIsDamage) {
  const std::string files = directory_.path() + "/logs/activity";
  ASSERT_TRUE(record_quarantine(posix_disk(), files,
                                {.file = "1.hot", .kept = "1.hot.damaged", .reason = "why"}));
  const Findings found = check(false);
  EXPECT_TRUE(found.damage.empty());
  ASSERT_EQ(found.set_aside.size(), 1U);
  EXPECT_EQ(found.set_aside[0].first, "activity");
  EXPECT_EQ(found.set_aside[0].second.kept, "1.hot.damaged");
  std::string text = read(quarantine_path(files));
  text[20] = static_cast<char>(text[20] ^ 1);
  std::ofstream(quarantine_path(files), std::ios::binary) << text;
  const Findings flipped = check(false);
  EXPECT_TRUE(flipped.set_aside.empty());
  ASSERT_EQ(flipped.damage.size(), 1U);
  EXPECT_EQ(flipped.damage[0].path, quarantine_path(files));
}

TEST_F(VerifierTest, AnyFlippedByteOfASealedSegmentIsFoundInItsFile) {
  const std::string whole = read(sealed_.path);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
    std::ofstream(sealed_.path, std::ios::binary) << flipped;
    const Findings found = check(false);
    ASSERT_FALSE(found.damage.empty()) << at;
    EXPECT_EQ(found.damage[0].path, sealed_.path) << at;
  }
}

TEST_F(VerifierTest, OnlyADeepLookFindsAnIndexThatLiesUnderMatchingChecksums) {
  const std::string whole = read(index_path());
  const auto bytes = std::as_bytes(std::span(whole));
  const auto header = index::parse_header(bytes, bytes.size()).value();
  const auto table =
      index::parse_table(
          bytes.subspan(index::header_bytes, header.sections * index::section_entry_bytes), header)
          .value();
  index::IndexFileWriter writer;
  for (const index::SectionEntry& entry : table) {
    std::vector<std::byte> section(entry.bytes);
    std::ranges::copy(bytes.subspan(entry.offset, entry.bytes), section.begin());
    if (&entry == table.data()) {
      section[0] ^= std::byte{0x08};  // how many rows have which verb
    }
    writer.add(entry.kind, entry.dimension, entry.first, section);
  }
  const std::vector<std::byte> lie = writer.finish(header);
  std::ofstream(index_path(), std::ios::binary)
      << std::string(reinterpret_cast<const char*>(lie.data()), lie.size());  // NOLINT
  EXPECT_TRUE(check(false).damage.empty());
  const Findings found = check(true);
  ASSERT_EQ(found.damage.size(), 1U);
  EXPECT_EQ(found.damage[0].segment, sealed_.id.value);
  EXPECT_EQ(found.damage[0].path, index_path());
  EXPECT_EQ(found.damage[0].offset, table[0].offset);
  EXPECT_THAT(found.damage[0].what, HasSubstr("differ from the segment"));
}

}  // namespace
}  // namespace docket::verify
