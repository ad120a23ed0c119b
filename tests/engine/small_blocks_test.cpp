// Runs of small hot blocks, merged in memory for readers.
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/log.hpp"
#include "tests/engine/stores.hpp"
#include "tests/support/random_events.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

using testing::as_stored;
using testing::plain_events;
using testing::read_all;

class SmallBlocks : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Store::open(disk_, "/data", {});
    ASSERT_TRUE(opened) << opened.error().describe();
    store_ = std::move(*opened);
    auto log = store_->log("activity");
    ASSERT_TRUE(log);
    log_ = *log;
  }

  // Each event as a batch, and so a block, of its own.
  void append(std::size_t count) {
    for (Event& event : random_.take(count)) {
      event.log = "activity";
      event.seq = Seq(expected_.size() + 1);
      event.node = "node" + std::to_string(expected_.size() % 3);
      event.received = event.ts + static_cast<Nanos>(expected_.size());
      BatchBuilder builder;
      std::vector<TargetView> scratch;
      builder.add(view_of(event, scratch));
      std::promise<Result<Receipt>> done;
      log_->submit(builder.finish(), {event.node, 0, 0}, event.received,
                   [&done](Result<Receipt> receipt) { done.set_value(std::move(receipt)); });
      ASSERT_TRUE(done.get_future().get());
      expected_.push_back(std::move(event));
    }
  }

  static std::size_t blocks_of(const LogSnapshot& snapshot) {
    std::size_t blocks = 0;
    for (const auto& segment : snapshot.segments) {
      blocks += segment->blocks()->size();
    }
    return blocks;
  }

  void expect_holds(const LogSnapshot& snapshot, std::size_t count) const {
    std::size_t next = 0;
    for (const auto& segment : snapshot.segments) {
      EventReader reader(*segment);
      for (std::uint32_t row = 0; row < segment->info().rows; ++row, ++next) {
        Event event;
        ASSERT_TRUE(reader.read(row, event));
        ASSERT_EQ(event, expected_[next]) << "seq " << next + 1;
      }
    }
    EXPECT_EQ(next, count);
  }

  // Readers ask for merging by looking; the maintenance thread does it in its own time.
  void wait_until_merged(std::size_t blocks_max) const {
    while (blocks_of(log_->snapshot()) > blocks_max) {
      std::this_thread::yield();
    }
  }

  testing::SimDisk disk_;
  testing::RandomEvents random_{7};
  std::vector<Event> expected_;
  std::unique_ptr<Store> store_;
  Log* log_ = nullptr;
};

TEST_F(SmallBlocks, MergedBlocksHoldTheSameEvents) {
  append(300);
  wait_until_merged(64);
  expect_holds(log_->snapshot(), 300);
}

TEST_F(SmallBlocks, ASnapshotFromBeforeTheMergeStaysAsItWas) {
  append(200);
  const LogSnapshot before = log_->snapshot();
  const std::size_t blocks = blocks_of(before);
  wait_until_merged(64);
  append(100);
  EXPECT_EQ(blocks_of(before), blocks);
  expect_holds(before, 200);
}

TEST_F(SmallBlocks, WhatIsMergedOnceIsMergedAgainWithWhatFollows) {
  append(150);
  wait_until_merged(64);
  append(150);
  wait_until_merged(64);
  expect_holds(log_->snapshot(), 300);
}

TEST_F(SmallBlocks, SealingReadsTheFileAndKeepsEveryEvent) {
  append(200);
  wait_until_merged(64);
  append(10);
  ASSERT_TRUE(log_->seal());
  const LogSnapshot sealed = log_->snapshot();
  EXPECT_EQ(blocks_of(sealed), 1U);
  expect_holds(sealed, 210);
}

// Blocks of a file, merged step by step and without a store.
class SmallBlockMergeTest : public ::testing::Test {
 protected:
  void add(const std::vector<Event>& events) {
    file_.add(events);
    all_.insert(all_.end(), events.begin(), events.end());
  }
  // `count` blocks of one event each.
  void add_small(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      add(plain_events(1, all_.size()));
    }
  }
  // All blocks added so far.
  HotBlocks& blocks() {
    disk_.plant("f.hot", file_.bytes());
    blocks_.emplace(std::make_shared<const SegmentSource>(
                        disk_.open("f.hot", OpenMode::read).value(), cache_, file_.id(), "f.hot"),
                    "activity", Seq(1));
    for (const BlockHeader& header : file_.headers()) {
      blocks_->append(header);
    }
    return *blocks_;
  }
  static Result<HotBlocks::MergedBlocks> merge(HotBlocks& blocks, const SmallBlockMerge& run) {
    return HotBlocks::merge(*blocks.source(), *blocks.memory(), run);
  }
  static void merge_all(HotBlocks& blocks) {
    const SmallBlockMerge run = blocks.small_run();
    const auto merged = merge(blocks, run);
    ASSERT_TRUE(merged) << merged.error().describe();
    ASSERT_TRUE(blocks.replace(run, *merged));
  }
  void expect_all(const HotBlocks& blocks) {
    EXPECT_TRUE(read_all(*blocks.reader(0)) == as_stored(all_));
  }
  static std::vector<std::uint32_t> rows_of(const HotBlocks& blocks) {
    std::vector<std::uint32_t> rows;
    const auto reader = blocks.reader(0);
    const auto infos = reader->blocks().value();
    for (const BlockInfo& info : infos) {
      rows.push_back(info.rows);
    }
    return rows;
  }

  testing::SimDisk disk_;
  SectionCache cache_{1 << 24};
  testing::HotFile file_;
  std::vector<Event> all_;
  std::optional<HotBlocks> blocks_;
};

TEST_F(SmallBlockMergeTest, AFewAreNotWorthIt) {
  add_small(63);
  EXPECT_FALSE(blocks().has_small_run());
  add_small(1);
  EXPECT_TRUE(blocks().has_small_run());
  add(plain_events(2000, all_.size()));
  EXPECT_FALSE(blocks().has_small_run()) << "a large one ends the run";
}

TEST_F(SmallBlockMergeTest, AGapStaysOneAndSeqsGoOnBehindIt) {
  add_small(40);
  file_.skip(7);
  add_small(30);
  HotBlocks& merged = blocks();
  merge_all(merged);
  EXPECT_EQ(rows_of(merged), (std::vector<std::uint32_t>{40, 30}));
  const auto reader = merged.reader(0);
  EXPECT_EQ(reader->blocks().value()[1].first_seq, Seq(48));
  EXPECT_EQ(read_all(*reader).back().seq, Seq(77));
}

TEST_F(SmallBlockMergeTest, AMergedBlockHasNoMoreRowsThanABlockMayHave) {
  for (int i = 0; i < 70; ++i) {
    add(plain_events(1000, all_.size()));
  }
  HotBlocks& merged = blocks();
  merge_all(merged);
  expect_all(merged);
  for (const std::uint32_t rows : rows_of(merged)) {
    EXPECT_LE(rows, limits::block_rows_max);
  }
  EXPECT_EQ(rows_of(merged).front(), 8000U) << "whole blocks";
}

TEST_F(SmallBlockMergeTest, LargePayloadsAreCutIntoBlocksAlsoWithinABlock) {
  const auto large = [this](std::size_t count) {
    std::vector<Event> events = plain_events(count, all_.size());
    for (Event& event : events) {
      event.payload = R"({"a":")" + std::string(300'000, 'x') + R"("})";
    }
    return events;
  };
  add(large(10));
  add_small(60);
  add(large(12));
  add_small(10);
  add(large(13));
  HotBlocks& merged = blocks();
  merge_all(merged);
  expect_all(merged);
  const std::vector<std::uint32_t> rows = rows_of(merged);
  EXPECT_EQ(rows.size(), 3U) << "of 4 MiB each";
  EXPECT_GT(rows[0], 70U) << "filled up from the block behind it";
}

TEST_F(SmallBlockMergeTest, DamageIsAnErrorWithItsPlaceAndTheOtherBlocksAreReadOneByOne) {
  add_small(70);
  const std::uint64_t at = file_.block_at(33);
  // Of the body: its directory, or a section.
  for (const std::uint64_t offset :
       {block_header_bytes + 9,
        std::size_t{1} + block_header_bytes + file_.headers()[33].directory_bytes}) {
    HotBlocks& damaged = blocks();
    disk_.flip_bit("f.hot", (at + offset) * 8 + 1);
    const SmallBlockMerge run = damaged.small_run();
    const auto merged = merge(damaged, run);
    ASSERT_FALSE(merged) << offset;
    EXPECT_EQ(merged.error().code, ErrorCode::corrupt);
    EXPECT_EQ(merged.error().segment, 1U);
    EXPECT_GE(merged.error().offset, at);
    EXPECT_LT(merged.error().offset, file_.block_at(34));
    EXPECT_EQ(rows_of(damaged).size(), 70U);
    const auto segment = damaged.reader(0);
    EventReader reader(*segment);
    Event event;
    EXPECT_TRUE(reader.read(32, event));
    EXPECT_FALSE(reader.read(33, event));
    EXPECT_TRUE(reader.read(34, event));
  }
}

TEST_F(SmallBlockMergeTest, ABlockThatStandsInTheWrongPlaceIsAnError) {
  add_small(70);
  add(plain_events(2, 70));
  HotBlocks& sound = blocks();
  SmallBlockMerge run = sound.small_run();
  run.refs[5] = run.refs[70];
  const auto merged = merge(sound, run);
  ASSERT_FALSE(merged);
  EXPECT_NE(merged.error().message.find("another block stands in its place"), std::string::npos);
}

TEST_F(SmallBlockMergeTest, WhatTheDiskCannotReadNowIsAnErrorAndCanBeTriedAgain) {
  add_small(70);
  HotBlocks& tried = blocks();
  const SmallBlockMerge run = tried.small_run();
  for (std::uint64_t n = 1; n <= 70; n += 23) {
    disk_.inject({.at = n, .kinds = testing::Io::read});
    const auto failed = merge(tried, run);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::io);
  }
  disk_.inject({});
  merge_all(tried);
  expect_all(tried);
}

TEST_F(SmallBlockMergeTest, ARunThatIsNoLongerThereIsNotReplaced) {
  add_small(70);
  HotBlocks& twice = blocks();
  const SmallBlockMerge run = twice.small_run();
  const auto merged = merge(twice, run).value();
  EXPECT_TRUE(twice.replace(run, merged));
  EXPECT_FALSE(twice.replace(run, merged)) << "merged meanwhile";
  EXPECT_FALSE(twice.replace({}, {}));
  HotBlocks& other = blocks();
  SmallBlockMerge elsewhere = other.small_run();
  ++elsewhere.refs.back().at.value;
  EXPECT_FALSE(other.replace(elsewhere, merged)) << "its end is another's";
  expect_all(other);
}

TEST_F(SmallBlockMergeTest, BlocksBesideTheRunStayAsTheyAre) {
  add(plain_events(2000));
  add_small(70);
  HotBlocks& merged = blocks();
  const SmallBlockMerge run = merged.small_run();
  EXPECT_EQ(run.begin, 1U);
  const auto what = merge(merged, run).value();
  file_.add(plain_events(3, all_.size()));
  merged.append(file_.headers().back());
  ASSERT_TRUE(merged.replace(run, what));
  EXPECT_EQ(rows_of(merged), (std::vector<std::uint32_t>{2000, 70, 3}));
  // Both are small themselves, and count for the next run.
  for (int i = 0; i < 62; ++i) {
    EXPECT_FALSE(merged.has_small_run());
    file_.add(plain_events(1));
    merged.append(file_.headers().back());
  }
  EXPECT_TRUE(merged.has_small_run());
  EXPECT_EQ(merged.small_run().begin, 1U);
}

TEST_F(SmallBlockMergeTest, WhatMergedBlocksTakeIsBounded) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 70; ++i) {
    Event event = testing::plain_event(all_.size());
    event.payload = R"({"a":")";
    while (event.payload.size() < 600'000) {
      event.payload += static_cast<char>('#' + random() % 57);  // compresses hardly
    }
    std::erase(event.payload, '\\');
    event.payload += "\"}";
    add({event});
  }
  HotBlocks& merged = blocks();
  ASSERT_TRUE(merged.has_small_run());
  merge_all(merged);
  for (int i = 0; i < 70; ++i) {
    file_.add(plain_events(1, all_.size()));
    merged.append(file_.headers().back());
  }
  EXPECT_FALSE(merged.has_small_run()) << "the rest is read block by block";
}

}  // namespace
}  // namespace docket
