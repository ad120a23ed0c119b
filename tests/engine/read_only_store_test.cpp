#include "engine/read_only_store.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "engine/hot_scan.hpp"
#include "engine/segment_file.hpp"
#include "tests/engine/stores.hpp"
#include "tests/engine/watched_disk.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

using testing::as_stored;
using testing::log_of;
using testing::open_store;
using testing::plain_events;
using testing::read_all;
using testing::SimDisk;
using testing::store_events;
using testing::store_options;
using testing::submit;
using testing::WatchedDisk;

StoreOptions read_only_options() {
  StoreOptions options = store_options();
  options.read_only = true;
  return options;
}

// A writer and a reader of the same directory.
class ReadOnlyStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> open_reader() { return open_store(watched_, read_only_options()); }
  // Of log `activity`, looked at again.
  static LogSnapshot look(Store& reader) {
    const auto snapshot = reader.snapshot();
    EXPECT_TRUE(snapshot) << snapshot.error().describe();
    return snapshot && !snapshot->logs.empty() ? snapshot->logs[0] : LogSnapshot{};
  }
  static void expect_all(const LogSnapshot& snapshot, std::uint64_t events) {
    EXPECT_EQ(snapshot.last_seq, Seq(events));
    EXPECT_TRUE(snapshot.gaps.empty()) << snapshot.gaps[0].reason;
    EXPECT_TRUE(read_all(snapshot) == as_stored(plain_events(events)));
  }
  void write(std::uint64_t count) {
    store_events(log_of(*writer_), plain_events(count, written_));
    written_ += count;
  }
  [[nodiscard]] std::map<std::string, std::vector<std::byte>> everything() const {
    std::map<std::string, std::vector<std::byte>> all;
    for (const std::string& file : disk_.files()) {
      all[file] = disk_.content(file);
    }
    return all;
  }

  SimDisk disk_;
  WatchedDisk watched_{disk_};
  std::unique_ptr<Store> writer_ = open_store(disk_);
  std::uint64_t written_ = 0;
};

TEST_F(ReadOnlyStoreTest, SeesEachCommitOfTheLiveWriter) {
  const auto reader = open_reader();
  EXPECT_TRUE(reader->logs().empty());
  for (int n = 0; n < 20; ++n) {
    write(50);
    expect_all(look(*reader), written_);
  }
}

TEST_F(ReadOnlyStoreTest, FollowsThroughSealingAndReopeningOfTheWriter) {
  const auto reader = open_reader();
  for (int n = 0; n < 4; ++n) {
    write(30);
    expect_all(look(*reader), written_);
    ASSERT_TRUE(log_of(*writer_).seal());
    expect_all(look(*reader), written_);
    write(30);
    writer_.reset();
    expect_all(look(*reader), written_);
    writer_ = open_store(disk_);
    write(30);
    expect_all(look(*reader), written_);
  }
}

TEST_F(ReadOnlyStoreTest, FollowsThroughRetirementAndKeepsWhatItHasOpen) {
  const auto reader = open_reader();
  write(30);
  ASSERT_TRUE(log_of(*writer_).seal());
  write(30);
  const LogSnapshot before = look(*reader);
  expect_all(before, 60);
  const auto plans = writer_->plan_retirement(
      [](std::string_view) { return RetentionPolicy{-1, {}}; }, 0, testing::receipt_time);
  ASSERT_EQ(plans.size(), 1U);
  ASSERT_TRUE(writer_->retire(plans[0]));
  const LogSnapshot after = look(*reader);
  EXPECT_TRUE(read_all(after) == as_stored(plain_events(30, 30), Seq(31)));
  EXPECT_TRUE(after.gaps.empty());
  EXPECT_EQ(reader->find_log("activity")->stats().retired_events, 30U);
  expect_all(before, 60);
}

TEST_F(ReadOnlyStoreTest, SeesLogsThatAreMadeLater) {
  const auto reader = open_reader();
  write(1);
  store_events(log_of(*writer_, "campaign"), plain_events(2));
  const auto snapshot = reader->snapshot();
  ASSERT_EQ(snapshot->logs.size(), 2U);
  EXPECT_EQ(snapshot->logs[1].log, "campaign");
  EXPECT_NE(reader->find_log("campaign"), nullptr);
  EXPECT_EQ(reader->logs().size(), 2U);
}

TEST_F(ReadOnlyStoreTest, OlderSnapshotsStayAsTheyWere) {
  const auto reader = open_reader();
  write(10);
  const LogSnapshot first = look(*reader);
  write(10);
  const LogSnapshot second = look(*reader);
  ASSERT_TRUE(log_of(*writer_).seal());
  const LogSnapshot third = look(*reader);
  expect_all(first, 10);
  expect_all(second, 20);
  expect_all(third, 20);
}

TEST_F(ReadOnlyStoreTest, ShowsOnlyWhatIsDurable) {
  write(10);
  // The writer has written a group and not yet synced it: what the reader then shows, it has made
  // durable itself.
  writer_.reset();
  StoreOptions options = store_options();
  options.log.sync = false;
  writer_ = open_store(disk_, options);
  write(10);
  const auto reader = open_reader();
  const Seq shown = look(*reader).last_seq;
  EXPECT_EQ(shown, Seq(20));
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const auto survivor = disk_.after_power_loss(seed);
    EXPECT_GE(log_of(*open_store(*survivor)).snapshot().last_seq, shown);
  }
}

TEST_F(ReadOnlyStoreTest, NeverChangesAnything) {
  write(100);
  testing::seal_fully(log_of(*writer_), disk_);
  write(100);
  testing::wait_until_prepared(log_of(*writer_), disk_);
  // Things that an owner would put right.
  disk_.plant("data/logs/activity/00000000000000000099.seg.tmp", {});
  disk_.plant("data/logs/activity/00000000000000000098.idx", {});
  disk_.plant("data/logs/activity/00000000000000000097.seg", {});
  const auto before = everything();
  {
    const auto reader = open_reader();
    for (int n = 0; n < 3; ++n) {
      expect_all(look(*reader), 200);
    }
    EXPECT_EQ(reader->find_log("activity")->stats().events, 200U);
    EXPECT_EQ(reader->find_log("activity")->producers().size(), 1U);
    EXPECT_EQ(reader
                  ->plan_retirement([](std::string_view) { return RetentionPolicy{-1, {}}; }, 0,
                                    testing::receipt_time)
                  .size(),
              1U);
    EXPECT_TRUE(reader->close());
  }
  EXPECT_EQ(watched_.changes(), std::vector<std::string>());
  EXPECT_TRUE(everything() == before);
}

TEST_F(ReadOnlyStoreTest, RefusesToStoreSealRetireAndMakeLogs) {
  write(10);
  const auto reader = open_reader();
  Log& log = *reader->find_log("activity");
  const auto submitted = submit(log, testing::encode(plain_events(1)));
  ASSERT_FALSE(submitted);
  EXPECT_EQ(submitted.error().code, ErrorCode::closed);
  EXPECT_FALSE(log.seal());
  EXPECT_FALSE(reader->retire(RetirementPlan{}));
  const auto other = reader->log("other");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::not_found);
  EXPECT_EQ(watched_.changes(), std::vector<std::string>());
}

TEST_F(ReadOnlyStoreTest, TornTailIsNotShownAndNotCut) {
  write(50);
  writer_.reset();
  const std::string hot = "data/logs/activity/" + segment_file_name(SegmentId(1), "hot");
  auto bytes = disk_.content(hot);
  // Half of another block behind the last one.
  const auto torn = std::vector<std::byte>(bytes.begin() + 128, bytes.begin() + 1128);
  auto end = bytes.end();
  while (*(end - 1) == std::byte{0}) {
    --end;
  }
  std::copy(torn.begin(), torn.end(), bytes.begin() + (end - bytes.begin() + 63) / 64 * 64);
  disk_.plant(hot, bytes);
  const auto before = everything();
  expect_all(look(*open_reader()), 50);
  EXPECT_TRUE(everything() == before);
}

TEST_F(ReadOnlyStoreTest, DamageIsNamedAsAGapAndNotRepaired) {
  for (int n = 0; n < 3; ++n) {
    write(10);
  }
  writer_.reset();
  const std::string hot = "data/logs/activity/" + segment_file_name(SegmentId(1), "hot");
  const auto reader = open_reader();
  expect_all(look(*reader), 30);
  std::uint64_t second = 0;
  const auto file = disk_.open(hot, OpenMode::read);
  ASSERT_TRUE(
      scan_hot_segment(**file, "activity", SegmentId(1), FileOffset(segment_header_bytes), Seq(1),
                       Seq(0), [&second](const BlockHeader& header, const BlockSender&) {
                         second = header.first_seq == Seq(11) ? header.offset.value : second;
                       }));
  disk_.flip_bit(hot, (second + 900) * 8);
  const auto fresh = open_reader();
  const LogSnapshot snapshot = look(*fresh);
  ASSERT_EQ(snapshot.gaps.size(), 1U);
  EXPECT_EQ(snapshot.gaps[0].log, "activity");
  EXPECT_EQ(read_all(snapshot).size(), 20U);
  EXPECT_EQ(watched_.changes(), std::vector<std::string>());
}

TEST_F(ReadOnlyStoreTest, ADamagedCopyOfTheManifestStaysAsItIs) {
  write(10);
  ASSERT_TRUE(log_of(*writer_).seal());
  writer_.reset();
  disk_.flip_bit("data/logs/activity/manifest.a", 500);
  const auto before = everything();
  expect_all(look(*open_reader()), 10);
  EXPECT_TRUE(everything() == before);
  EXPECT_EQ(watched_.changes(), std::vector<std::string>());
}

TEST_F(ReadOnlyStoreTest, MissingSegmentFileIsAGap) {
  write(10);
  ASSERT_TRUE(log_of(*writer_).seal());
  write(10);
  writer_.reset();
  ASSERT_TRUE(disk_.unlink("data/logs/activity/" + segment_file_name(SegmentId(1), "seg")));
  const auto reader = open_reader();
  const LogSnapshot snapshot = look(*reader);
  ASSERT_EQ(snapshot.gaps.size(), 1U);
  EXPECT_EQ(snapshot.gaps[0].first_seq, Seq(1));
  EXPECT_EQ(snapshot.gaps[0].last_seq, Seq(10));
  EXPECT_EQ(read_all(snapshot).size(), 10U);
}

TEST_F(ReadOnlyStoreTest, DirectoryThatIsNoStoreIsNotFoundAndLeftAsItIs) {
  disk_.plant("letters/a.txt", {});
  for (const char* directory : {"letters", "nowhere"}) {
    const auto store = Store::open(watched_, directory, read_only_options());
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::not_found);
  }
  EXPECT_EQ(watched_.changes(), std::vector<std::string>());
}

// --- the writer goes on between the reader's calls -----------------------------------------------

TEST_F(ReadOnlyStoreTest, SealingBetweenAnyTwoCallsOfTheReaderIsNoGapAndNoLoss) {
  for (int n = 1;; ++n) {
    SCOPED_TRACE("before call " + std::to_string(n));
    write(20);
    const auto reader = open_reader();
    write(20);
    bool hit = false;
    watched_.set_hook([&, left = n](const std::string&, const std::string&) mutable {
      if (--left == 0) {
        hit = true;
        EXPECT_TRUE(log_of(*writer_).seal());
      }
    });
    const LogSnapshot snapshot = look(*reader);
    watched_.set_hook({});
    expect_all(snapshot, written_);
    if (!hit || HasFailure()) {
      break;
    }
  }
}

TEST_F(ReadOnlyStoreTest, RetirementBetweenAnyTwoCallsOfTheReaderIsNoGap) {
  std::uint64_t retired = 0;
  for (int n = 1;; ++n) {
    SCOPED_TRACE("before call " + std::to_string(n));
    write(10);
    ASSERT_TRUE(log_of(*writer_).seal());
    write(10);
    ASSERT_TRUE(log_of(*writer_).seal());
    const auto reader = open_reader();
    bool hit = false;
    watched_.set_hook([&, left = n](const std::string&, const std::string&) mutable {
      if (--left == 0) {
        hit = true;
        const auto plans = writer_->plan_retirement(
            [](std::string_view) { return RetentionPolicy{-1, {}}; }, 0, testing::receipt_time);
        EXPECT_TRUE(writer_->retire(plans[0]));
        retired += plans[0].last_seq - plans[0].first_seq + 1;
      }
    });
    const LogSnapshot snapshot = look(*reader);
    watched_.set_hook({});
    EXPECT_TRUE(snapshot.gaps.empty()) << snapshot.gaps[0].reason;
    EXPECT_EQ(snapshot.last_seq, Seq(written_));
    if (!hit || HasFailure()) {
      break;
    }
  }
  EXPECT_GT(retired, 50U);
}

TEST_F(ReadOnlyStoreTest, CommitsBetweenTheCallsAreSeenNowOrNextTime) {
  for (int n = 1; n < 40; ++n) {
    const auto reader = open_reader();
    write(5);
    const std::uint64_t before = written_;
    watched_.set_hook([&, left = n](const std::string&, const std::string&) mutable {
      if (--left == 0) {
        write(5);
      }
    });
    const LogSnapshot snapshot = look(*reader);
    watched_.set_hook({});
    EXPECT_GE(snapshot.last_seq, Seq(before));
    expect_all(snapshot, snapshot.last_seq.value);
    expect_all(look(*reader), written_);
  }
}

// A hot file may come after the reader has listed the files, and the manifest that proves what is
// in it before the reader reads that.
TEST_F(ReadOnlyStoreTest, AStopBetweenAnyTwoCallsOfTheReaderIsNoGap) {
  for (int n = 1; n < 40; ++n) {
    write(5);
    ASSERT_TRUE(log_of(*writer_).seal());
    const auto reader = open_reader();
    watched_.set_hook([&, left = n](const std::string&, const std::string&) mutable {
      if (--left == 0) {
        write(5);
        ASSERT_TRUE(writer_->close());
        writer_ = open_store(disk_);
      }
    });
    const LogSnapshot snapshot = look(*reader);
    watched_.set_hook({});
    expect_all(snapshot, snapshot.last_seq.value);
    expect_all(look(*reader), written_);
  }
}

// A reader is as good as the last call of its disk: an error, and then everything.
TEST_F(ReadOnlyStoreTest, ACallThatFailsIsAnErrorAndTheNextLookSeesEverything) {
  write(10);
  ASSERT_TRUE(log_of(*writer_).seal());
  write(10);
  const auto reader = open_reader();
  expect_all(look(*reader), 20);
  write(10);
  for (std::uint64_t n = 1;; ++n) {
    const auto copy = disk_.after_kill();
    const auto fresh = open_store(*copy, read_only_options());
    copy->inject({.at = n});
    const auto snapshot = fresh->snapshot();
    const bool ended = !copy->fault_hit();
    copy->inject({});
    if (snapshot) {
      expect_all(snapshot->logs[0], 30);
    }
    expect_all(look(*fresh), 30);
    const auto tried = disk_.after_kill();
    tried->inject({.at = n});
    const auto opened = Store::open(*tried, "data", read_only_options());
    EXPECT_TRUE(opened || tried->fault_hit()) << n;
    if (ended && !tried->fault_hit()) {
      break;
    }
  }
  expect_all(look(*reader), 30);
}

TEST_F(ReadOnlyStoreTest, DamageBehindWhatIsFollowedIsNamedAtTheNextLook) {
  write(10);
  const auto reader = open_reader();
  expect_all(look(*reader), 10);
  write(10);
  write(10);
  const std::string hot = "data/logs/activity/" + segment_file_name(SegmentId(1), "hot");
  std::uint64_t second = 0;
  const auto file = disk_.open(hot, OpenMode::read);
  ASSERT_TRUE(
      scan_hot_segment(**file, "activity", SegmentId(1), FileOffset(segment_header_bytes), Seq(1),
                       Seq(0), [&second](const BlockHeader& header, const BlockSender&) {
                         second = header.first_seq == Seq(11) ? header.offset.value : second;
                       }));
  disk_.flip_bit(hot, (second + 900) * 8);
  for (int time = 0; time < 2; ++time) {
    const LogSnapshot snapshot = look(*reader);
    ASSERT_EQ(snapshot.gaps.size(), 1U);
    EXPECT_EQ(snapshot.gaps[0].first_seq, Seq(11));
    EXPECT_EQ(snapshot.gaps[0].last_seq, Seq(20));
    EXPECT_EQ(snapshot.last_seq, Seq(30));
    EXPECT_EQ(read_all(snapshot).size(), 20U);
  }
}

TEST_F(ReadOnlyStoreTest, SeesNothingMissingWhileSegmentsBegin) {
  std::atomic<bool> done = false;
  std::thread sender([&] {
    for (int n = 0; n < 60; ++n) {
      write(3);
      EXPECT_TRUE(log_of(*writer_).seal());
    }
    done = true;
  });
  const auto reader = open_reader();
  while (!done) {
    // Nothing, where too much has moved on meanwhile.
    for (const LogSnapshot& log : reader->snapshot().value_or(StoreSnapshot{}).logs) {
      EXPECT_TRUE(log.gaps.empty()) << log.gaps[0].reason;
    }
  }
  sender.join();
  expect_all(look(*reader), 180);
}

TEST_F(ReadOnlyStoreTest, WhatIsNoLogBesideTheLogsIsLeftAlone) {
  write(10);
  disk_.plant("data/logs/Not A Log/x", {});
  disk_.plant("data/logs/file", {});
  const auto reader = open_reader();
  EXPECT_EQ(reader->snapshot()->logs.size(), 1U);
  EXPECT_EQ(reader->log("api").error().code, ErrorCode::not_found);
  EXPECT_EQ(reader->find_log("api"), nullptr);
}

TEST_F(ReadOnlyStoreTest, AStoreWithoutLogsIsEmpty) {
  writer_.reset();
  SimDisk disk;
  static_cast<void>(open_store(disk));
  for (const std::string& file : disk.files()) {
    if (file.starts_with("data/logs/")) {
      ASSERT_TRUE(disk.unlink(file));
    }
  }
  const auto reader = open_store(disk, read_only_options());
  EXPECT_TRUE(reader->snapshot()->logs.empty());
  EXPECT_TRUE(reader->logs().empty());
}

TEST_F(ReadOnlyStoreTest, StatsOfALogWhoseSegmentsAreAllRetiredGoOnBehindThem) {
  write(10);
  ASSERT_TRUE(log_of(*writer_).seal());
  const auto everything_of = [](std::string_view) { return RetentionPolicy{0, {}}; };
  const auto reader = open_reader();
  const auto plans = reader->plan_retirement(everything_of, 1, INT64_MAX);
  ASSERT_EQ(plans.size(), 1U) << "what the server would retire";
  ASSERT_TRUE(writer_->retire(plans[0]));
  static_cast<void>(look(*reader));
  const LogStats stats = log_of(*reader).stats();
  EXPECT_EQ(stats.segments, 0U);
  EXPECT_EQ(stats.first_seq, Seq(11));
  EXPECT_EQ(stats.last_seq, Seq(10));
  EXPECT_EQ(stats.retired_events, 10U);
}

}  // namespace
}  // namespace docket
