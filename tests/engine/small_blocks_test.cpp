// Runs of small hot blocks, merged in memory for readers.
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "engine/log.hpp"
#include "tests/support/random_events.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

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

}  // namespace
}  // namespace docket
