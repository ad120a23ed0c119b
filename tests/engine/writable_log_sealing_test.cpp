// Sealing where something goes wrong beside it: damage in what is sealed, calls that fail, nothing
// to seal.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/hot_scan.hpp"
#include "engine/quarantine.hpp"
#include "engine/segment_file.hpp"
#include "tests/engine/stores.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

using testing::as_stored;
using testing::Io;
using testing::log_of;
using testing::open_store;
using testing::plain_events;
using testing::read_all;
using testing::SimDisk;
using testing::store_events;
using testing::submit;

const std::string directory = "data/logs/activity/";

class Sealing : public ::testing::Test {
 protected:
  static std::string path_of(std::uint64_t id, const char* extension) {
    return directory + segment_file_name(SegmentId(id), extension);
  }
  static bool exists(SimDisk& disk, const std::string& path) { return disk.exists(path).value(); }

  // A store with three blocks of ten events in its active segment, the second of them damaged.
  static std::unique_ptr<Store> open_damaged(SimDisk& disk, StoreObserver* observer = nullptr) {
    auto store = open_store(disk, testing::store_options(observer));
    Log& log = log_of(*store);
    for (std::uint64_t n = 0; n < 3; ++n) {
      store_events(log, plain_events(10, n * 10));
    }
    std::vector<BlockHeader> blocks;
    const auto file = disk.open(path_of(1, "hot"), OpenMode::read);
    EXPECT_TRUE(scan_hot_segment(
        **file, "activity", SegmentId(1), FileOffset(segment_header_bytes), Seq(1), Seq(0),
        [&](const BlockHeader& header, const BlockSender&) { blocks.push_back(header); }));
    disk.flip_bit(path_of(1, "hot"), (blocks[1].offset.value + 900) * 8);
    return store;
  }
  // Events 1-10 and 21-30, and a gap between them, in a sealed segment.
  static void expect_gap(const LogSnapshot& log) {
    ASSERT_EQ(log.gaps.size(), 1U);
    EXPECT_EQ(log.gaps[0].first_seq, Seq(11));
    EXPECT_EQ(log.gaps[0].last_seq, Seq(20));
    ASSERT_EQ(log.segments.size(), 1U);
    EXPECT_TRUE(log.segments[0]->info().sealed);
    const auto events = read_all(log);
    ASSERT_EQ(events.size(), 20U);
    EXPECT_EQ(events[9].seq, Seq(10));
    EXPECT_EQ(events[10].seq, Seq(21));
  }
};

// Whatever fails on the way: the damage is written down once, is one gap, and the file is kept.
TEST_F(Sealing, WhatIsLostIsToldOnceHoweverOftenItIsTried) {
  for (std::uint64_t n = 1;; ++n) {
    SimDisk disk;
    auto store = open_damaged(disk);
    disk.inject({.at = n});
    const auto sealed = log_of(*store).seal();
    const bool ended = !disk.fault_hit();
    disk.inject({});
    if (sealed || log_of(*store).seal()) {
      expect_gap(log_of(*store).snapshot());
    } else {
      EXPECT_TRUE(log_of(*store).stats().failed) << "the mark before it could not be written";
    }
    store.reset();
    const auto again = open_store(disk);
    EXPECT_TRUE(log_of(*again).seal());
    expect_gap(log_of(*again).snapshot());
    EXPECT_EQ(read_quarantine(disk, "data/logs/activity")->records.size(), 1U) << n;
    EXPECT_TRUE(exists(disk, path_of(1, "hot.damaged")) != exists(disk, path_of(1, "hot"))) << n;
    if (ended || ::testing::Test::HasFailure()) {
      break;
    }
  }
}

TEST_F(Sealing, GoesOnWhereTheRecordsOfWhatIsLostAreFull) {
  SimDisk disk;
  testing::Notices notices;
  const auto store = open_damaged(disk, &notices);
  const std::vector<std::byte> full((std::size_t{16} << 20) - 1, std::byte{'x'});
  disk.plant(directory + "quarantine.txt", full);
  ASSERT_TRUE(log_of(*store).seal());
  expect_gap(log_of(*store).snapshot());
  EXPECT_EQ(notices.count("damage_quarantined"), 1U) << "it is told all the same";
  EXPECT_EQ(disk.content(directory + "quarantine.txt"), full);
}

TEST_F(Sealing, RecordsThatAreOnABadSectorAreSetAsideThemselves) {
  SimDisk disk;
  const auto store = open_damaged(disk);
  disk.plant(directory + "quarantine.txt", std::vector<std::byte>(1000, std::byte{'x'}));
  disk.spoil(directory + "quarantine.txt", 0, 1);
  ASSERT_TRUE(log_of(*store).seal());
  expect_gap(log_of(*store).snapshot());
  EXPECT_EQ(read_quarantine(disk, "data/logs/activity")->records.size(), 1U);
  EXPECT_TRUE(exists(disk, directory + "quarantine.txt.damaged"));
}

TEST_F(Sealing, AHotFileThatCannotBeRemovedIsRemovedAtTheNextStart) {
  SimDisk disk;
  auto store = open_store(disk);
  store_events(log_of(*store), plain_events(10));
  testing::wait_until_prepared(log_of(*store), disk);
  disk.inject({.at = 1, .kinds = Io::unlink, .forever = true});
  EXPECT_TRUE(log_of(*store).seal()) << "the manifest lists its successor";
  store.reset();
  EXPECT_TRUE(exists(disk, path_of(1, "hot")));
  disk.inject({});
  store = open_store(disk);
  EXPECT_FALSE(exists(disk, path_of(1, "hot")));
  EXPECT_TRUE(read_all(log_of(*store).snapshot()) == as_stored(plain_events(10)));
}

// What senders send whose events have all been rejected: only the numbers are kept.
TEST_F(Sealing, ASegmentWithoutEventsLeavesNoFileAndItsBatchesAreKnown) {
  SimDisk disk;
  StoreOptions options = testing::store_options();
  options.log.segment_bytes = 32 << 10;
  auto store = open_store(disk, options);
  std::uint64_t batch = 0;
  while (!exists(disk, path_of(2, "hot"))) {
    ASSERT_LT(batch, 1000U);
    ASSERT_TRUE(submit(log_of(*store), testing::encode({}), {"node-1", 1, ++batch}));
  }
  store_events(log_of(*store), plain_events(10));
  ASSERT_TRUE(log_of(*store).seal());
  EXPECT_FALSE(exists(disk, path_of(1, "seg")));
  EXPECT_FALSE(exists(disk, path_of(1, "hot")));
  for (int life = 0; life < 2; ++life) {
    const auto again = submit(log_of(*store), testing::encode({}), {"node-1", 1, batch});
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->duplicate);
    EXPECT_TRUE(read_all(log_of(*store).snapshot()) == as_stored(plain_events(10)));
    store.reset();
    store = open_store(disk, options);
  }
}

TEST_F(Sealing, AnEmptyLogHasNothingToSeal) {
  SimDisk disk;
  const auto store = open_store(disk);
  EXPECT_TRUE(log_of(*store).seal());
  EXPECT_TRUE(log_of(*store).snapshot().segments.empty());
}

}  // namespace
}  // namespace docket
