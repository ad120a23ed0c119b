#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/sealed_segment.hpp"
#include "engine/sealer.hpp"
#include "engine/segment_reader.hpp"
#include "tests/engine/stores.hpp"
#include "tests/support/random_events.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

// The same events in a hot and in a sealed segment.
class EventReaderTest : public ::testing::Test {
 protected:
  EventReaderTest() {
    static_cast<void>(disk_.make_directories("log"));
    testing::RandomEvents random(21);
    for (const std::size_t rows : {1, 40, 3000, 9, 6000}) {
      auto events = random.take(rows);
      file_.add(events);
      expected_.insert(expected_.end(), events.begin(), events.end());
    }
    expected_ = testing::as_stored(std::move(expected_));
    hot_ = file_.open(disk_, "log/1.hot", cache_);
    const auto sealed = seal_segment(disk_, {hot_.get(), "log", {}});
    EXPECT_TRUE(sealed);
    sealed_ = std::make_shared<SealedSegment>(disk_, cache_, sealed->info);
  }

  testing::SimDisk disk_;
  SectionCache cache_{4 << 20};
  testing::HotFile file_;
  std::vector<Event> expected_;
  std::shared_ptr<const SegmentBase> hot_;
  std::shared_ptr<const SealedSegment> sealed_;
};

TEST_F(EventReaderTest, SetsEveryFieldFromHotAndSealedAlike) {
  EXPECT_TRUE(testing::read_all(*hot_) == expected_);
  EXPECT_TRUE(testing::read_all(*sealed_) == expected_);
}

TEST_F(EventReaderTest, AnyOrderOfRowsGivesTheSameEvents) {
  std::mt19937_64 random(2);
  for (const SegmentReader* segment : {static_cast<const SegmentReader*>(hot_.get()),
                                       static_cast<const SegmentReader*>(sealed_.get())}) {
    EventReader reader(*segment);
    Event event;
    for (int i = 0; i < 3000; ++i) {
      const auto row = static_cast<std::uint32_t>(random() % expected_.size());
      ASSERT_TRUE(reader.read(row, event));
      ASSERT_EQ(event, expected_[row]) << row;
    }
  }
}

TEST_F(EventReaderTest, NothingOfTheEventBeforeIsLeftBehind) {
  EventReader reader(*sealed_);
  Event full;
  full.payload = "{}";
  full.related.resize(50);
  full.ip = IpAddress{};
  full.reason = full.session = full.request = "left over";
  for (std::uint32_t row = 0; row < 200; ++row) {
    Event event = full;
    ASSERT_TRUE(reader.read(row, event));
    ASSERT_EQ(event, expected_[row]);
  }
}

TEST_F(EventReaderTest, WithoutPayloadEverythingElseIsThere) {
  EventReader reader(*sealed_);
  Event event;
  event.payload = "left over";
  for (std::uint32_t row = 0; row < 500; ++row) {
    Event expected = expected_[row];
    expected.payload.clear();
    ASSERT_TRUE(reader.read_without_payload(row, event));
    ASSERT_EQ(event, expected);
  }
}

TEST_F(EventReaderTest, GoesOnReadingAfterADamagedBlock) {
  const BlockHeader& damaged = file_.headers()[2];
  disk_.flip_bit("log/1.hot",
                 (damaged.offset.value + block_header_bytes + damaged.directory_bytes + 10) * 8);
  SectionCache cache(1 << 20);
  HotBlocks blocks(std::make_shared<const SegmentSource>(
                       disk_.open("log/1.hot", OpenMode::read).value(), cache, SegmentId(1), "p"),
                   "activity", Seq(1));
  for (const BlockHeader& header : file_.headers()) {
    blocks.append(header);
  }
  const auto segment = blocks.reader(0);
  EventReader reader(*segment);
  Event event;
  for (std::uint32_t row = 0; row < expected_.size(); row += 7) {
    const bool within = row >= 41 && row < 3041;
    const auto read = reader.read(row, event);
    ASSERT_EQ(read.has_value(), !within) << row;
    if (read) {
      ASSERT_EQ(event, expected_[row]);
    } else {
      ASSERT_EQ(read.error().code, ErrorCode::corrupt);
    }
  }
}

TEST_F(EventReaderTest, MovedReaderGoesOn) {
  EventReader first(*sealed_);
  Event event;
  ASSERT_TRUE(first.read(5, event));
  EventReader second(std::move(first));
  ASSERT_TRUE(second.read(6, event));
  EXPECT_EQ(event, expected_[6]);
}

TEST(BlockOfRow, FindsTheBlockThatHoldsTheRow) {
  std::vector<BlockInfo> blocks(3);
  blocks[1].first_row = 3;
  blocks[2].first_row = 4;
  const std::vector<std::uint32_t> expected = {0, 0, 0, 1, 2, 2, 2};
  for (std::uint32_t row = 0; row < expected.size(); ++row) {
    EXPECT_EQ(block_of_row(blocks, row), expected[row]) << row;
  }
}

}  // namespace
}  // namespace docket
