// Segments are named before they hold anything: whatever file goes, what was in it is missed, and
// its seqs are not given again.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/limits.hpp"
#include "engine/log_list.hpp"
#include "engine/manifest.hpp"
#include "engine/quarantine.hpp"
#include "engine/segment_file.hpp"
#include "tests/engine/stores.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

using testing::log_of;
using testing::open_store;
using testing::plain_events;
using testing::SimDisk;
using testing::store_events;
using testing::store_options;
using testing::wait_until_prepared;

const std::string directory = "data/logs/activity/";
std::string path_of(std::uint64_t id, std::string_view extension) {
  return directory + segment_file_name(SegmentId(id), extension);
}

bool exists(const SimDisk& disk, const std::string& path) {
  return std::ranges::count(disk.files(), path) != 0;
}

void remove_directory(SimDisk& disk) {
  for (const std::string& file : disk.files()) {
    if (file.starts_with(directory)) {
      ASSERT_TRUE(disk.unlink(file));
    }
  }
}

Manifest manifest_on(SimDisk& disk) {
  return decode_manifest(disk.content(directory + "manifest.b")).value();
}

ListedLog listed_on(SimDisk& disk) {
  const ListedLog none;
  const LogList list = decode_log_list(disk.content("data/loglist.b")).value();
  const ListedLog* const found = list.find("activity");
  return found == nullptr ? none : *found;
}

StoreOptions read_only() {
  StoreOptions options = store_options();
  options.read_only = true;
  return options;
}

// The gaps as "1-10 21-30", and how many events can be read.
std::string shape(const LogSnapshot& log) {
  std::string text = std::to_string(testing::read_all(log).size()) + " events";
  for (const Gap& gap : log.gaps) {
    EXPECT_EQ(gap.log, "activity");
    EXPECT_FALSE(gap.reason.empty());
    text += ", " + std::to_string(gap.first_seq.value) + "-" + std::to_string(gap.last_seq.value);
  }
  return text;
}

class Preparing : public ::testing::Test {
 protected:
  // A server that has ten events in its active segment, and is killed.
  std::unique_ptr<SimDisk> killed() {
    SimDisk disk;
    const auto store = open_store(disk);
    Log& log = log_of(*store);
    store_events(log, plain_events(10));
    wait_until_prepared(log, disk);
    return disk.after_kill();
  }
  // The same, stopped.
  std::unique_ptr<SimDisk> stopped() {
    auto disk = std::make_unique<SimDisk>();
    const auto store = open_store(*disk);
    store_events(log_of(*store), plain_events(10));
    wait_until_prepared(log_of(*store), *disk);
    EXPECT_TRUE(store->close());
    return disk;
  }
  // A reader beside it, then two lives of its server see this; the first new event's seq is `next`.
  void expect(SimDisk& disk, const std::string& expected, std::uint64_t next) {
    {
      const auto reader = open_store(disk, read_only());
      ASSERT_EQ(reader->snapshot()->logs.size(), 1U);
      EXPECT_EQ(shape(reader->snapshot()->logs[0]), expected) << "a reader";
      EXPECT_EQ(reader->snapshot()->logs[0].last_seq, Seq(next - 1)) << "a reader";
    }
    for (int life = 0; life < 2; ++life) {
      const auto store = open_store(disk, store_options(&notices_));
      EXPECT_EQ(shape(log_of(*store).snapshot()), expected) << "life " << life;
      EXPECT_EQ(log_of(*store).snapshot().last_seq, Seq(next - 1)) << "life " << life;
    }
    const auto store = open_store(disk);
    EXPECT_EQ(store_events(log_of(*store), plain_events(5)), Seq(next));
  }

  void expect_all_reserved_missing(SimDisk& disk) {
    const std::uint64_t reserved = listed_on(disk).reserved.value;
    expect(disk, "0 events, 1-" + std::to_string(reserved - 1), reserved);
  }

  testing::Notices notices_;
};

TEST_F(Preparing, SegmentIsNamedByManifestAndListBeforeItsFirstEvent) {
  SimDisk disk;
  const auto store = open_store(disk);
  Log& log = log_of(*store);
  EXPECT_FALSE(exists(disk, path_of(1, "next"))) << "a log that nobody uses takes no space";
  EXPECT_EQ(listed_on(disk).begun, SegmentId(0));
  store_events(log, plain_events(10));
  EXPECT_GE(manifest_on(disk).unsealed.size(), 1U);
  EXPECT_GE(listed_on(disk).begun, SegmentId(1));
  wait_until_prepared(log, disk);
  EXPECT_TRUE(exists(disk, path_of(1, "hot")));
  EXPECT_TRUE(exists(disk, path_of(2, "next")));
  EXPECT_EQ(manifest_on(disk).unsealed, (std::vector{SegmentId(1), SegmentId(2)}));
  EXPECT_GE(manifest_on(disk).reserved, Seq(1 + 2 * limits::segment_rows_limit));
  EXPECT_EQ(listed_on(disk).reserved, manifest_on(disk).reserved);
}

TEST_F(Preparing, CommitThatBeginsASegmentFindsItPreparedAndNamed) {
  SimDisk disk;
  const auto store = open_store(disk);
  Log& log = log_of(*store);
  for (std::uint64_t id = 1; id < 5; ++id) {
    store_events(log, plain_events(10));
    EXPECT_TRUE(exists(disk, path_of(id, "hot")));
    wait_until_prepared(log, disk);
    EXPECT_EQ(manifest_on(disk).unsealed, (std::vector{SegmentId(id), SegmentId(id + 1)}));
    EXPECT_TRUE(exists(disk, path_of(id + 1, "next")));
    testing::seal_fully(log, disk);
  }
}

TEST_F(Preparing, SealedSegmentIsNoLongerNamed) {
  SimDisk disk;
  const auto store = open_store(disk);
  Log& log = log_of(*store);
  store_events(log, plain_events(10));
  wait_until_prepared(log, disk);
  testing::seal_fully(log, disk);
  EXPECT_EQ(manifest_on(disk).unsealed, std::vector{SegmentId(2)});
}

TEST_F(Preparing, StopSaysHowFarSeqsWereGiven) {
  const auto disk = stopped();
  EXPECT_EQ(manifest_on(*disk).reserved, Seq(11));
  EXPECT_EQ(listed_on(*disk).reserved, Seq(11));
  const auto store = open_store(*disk);
  EXPECT_EQ(store_events(log_of(*store), plain_events(5)), Seq(11));
  EXPECT_GT(listed_on(*disk).reserved, Seq(15)) << "reserved anew before it was acknowledged";
}

TEST_F(Preparing, PreparedFileIsUsedByTheNextProcess) {
  const auto disk = stopped();
  const auto salt_of = [&](const char* extension) {
    return decode_segment_header(disk->content(path_of(2, extension)))->salt;
  };
  const std::uint32_t salt = salt_of("next");
  const auto store = open_store(*disk);
  EXPECT_TRUE(log_of(*store).seal());
  EXPECT_EQ(store_events(log_of(*store), plain_events(5)), Seq(11));
  EXPECT_EQ(salt_of("hot"), salt);
}

TEST_F(Preparing, HotFileThatIsGoneAfterAKillIsAGapOfAllThatWasReserved) {
  const auto disk = killed();
  ASSERT_TRUE(disk->unlink(path_of(1, "hot")));
  expect_all_reserved_missing(*disk);
  EXPECT_GT(notices_.count("damage_quarantined"), 0U);
  const auto records = read_quarantine(*disk, "data/logs/activity")->records;
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].file, segment_file_name(SegmentId(1), "hot"));
}

TEST_F(Preparing, HotFileThatIsGoneAfterAStopIsAGapOfWhatWasGiven) {
  const auto disk = stopped();
  ASSERT_TRUE(disk->unlink(path_of(1, "hot")));
  expect(*disk, "0 events, 1-10", 11);
}

TEST_F(Preparing, HotFileThatIsEmptyAllAtOnceIsAsGoodAsGoneAndIsKept) {
  const auto disk = stopped();
  disk->plant(path_of(1, "hot"), {});
  expect(*disk, "0 events, 1-10", 11);
  EXPECT_TRUE(exists(*disk, path_of(1, "hot.damaged")));
}

TEST_F(Preparing, DirectoryThatIsGoneAfterAKillIsAGapOfAllThatWasReserved) {
  const auto disk = killed();
  remove_directory(*disk);
  expect_all_reserved_missing(*disk);
  EXPECT_GT(notices_.count("damage_quarantined"), 0U);
}

TEST_F(Preparing, DirectoryThatIsGoneAfterAStopIsAGapOfWhatWasGiven) {
  const auto disk = stopped();
  remove_directory(*disk);
  expect(*disk, "0 events, 1-10", 11);
}

TEST_F(Preparing, OfALostDirectoryWhatHadBeenRetiredIsNoGap) {
  SimDisk disk;
  {
    const auto store = open_store(disk);
    store_events(log_of(*store), plain_events(10));
    testing::seal_fully(log_of(*store), disk);
    const auto plans = store->plan_retirement(
        [](std::string_view) { return RetentionPolicy{{}, 0}; }, 0, testing::receipt_time);
    ASSERT_EQ(plans.size(), 1U);
    ASSERT_TRUE(store->retire(plans[0]));
    store_events(log_of(*store), plain_events(5));
  }
  remove_directory(disk);
  expect(disk, "0 events, 11-15", 16);
}

TEST_F(Preparing, OlderCopyOfADirectoryIsFoundOut) {
  const auto disk = stopped();
  const auto older = disk->after_kill();
  {
    const auto store = open_store(*disk);
    testing::seal_fully(log_of(*store), *disk);
    store_events(log_of(*store), plain_events(5));
    wait_until_prepared(log_of(*store), *disk);
    testing::seal_fully(log_of(*store), *disk);
    store_events(log_of(*store), plain_events(5));
  }
  remove_directory(*disk);
  for (const std::string& file : older->files()) {
    if (file.starts_with(directory)) {
      disk->plant(file, older->content(file));
    }
  }
  expect(*disk, "10 events, 11-20", 21);
}

TEST_F(Preparing, HotFileBeforeWhatIsMissingKeepsItsEvents) {
  const auto disk = killed();
  ASSERT_TRUE(disk->unlink(path_of(2, "next")));
  const std::uint64_t reserved = listed_on(*disk).reserved.value;
  expect(*disk, "10 events, 11-" + std::to_string(reserved - 1), reserved);
  // Nothing is wrong with it: it is sealed and goes.
  const auto store = open_store(*disk, store_options(&notices_));
  const std::size_t told = notices_.count("damage_quarantined");
  testing::seal_fully(log_of(*store), *disk);
  EXPECT_EQ(shape(log_of(*store).snapshot()), "15 events, 11-" + std::to_string(reserved - 1));
  EXPECT_FALSE(exists(*disk, path_of(1, "hot.damaged")));
  EXPECT_EQ(notices_.count("damage_quarantined"), told);
}

TEST_F(Preparing, OneOfTwoUnsealedSegmentsThatIsGoneIsAGapUpToTheOther) {
  SimDisk disk;
  static_cast<void>(log_of(*open_store(disk)));
  testing::HotFile hot(SegmentId(2), Seq(11));
  hot.add(plain_events(10));
  disk.plant(path_of(2, "hot"), hot.bytes());
  Manifest manifest = manifest_on(disk);
  manifest.unsealed = {SegmentId(1), SegmentId(2)};
  manifest.next_segment = SegmentId(3);
  manifest.reserved = Seq(1000);
  ASSERT_TRUE(save_manifest(disk, "data/logs/activity", manifest));
  expect(disk, "10 events, 1-10", 21);
}

TEST_F(Preparing, DamagedPreparedFileIsMadeAnewAndNothingIsMissing) {
  const auto disk = stopped();
  disk->flip_bit(path_of(2, "next"), 300);
  expect(*disk, "10 events", 11);
  EXPECT_EQ(notices_.count("damage_quarantined"), 0U);
}

TEST_F(Preparing, PreparedFileThatNobodyNamesIsRemoved) {
  const auto disk = stopped();
  disk->plant(path_of(7, "next"), disk->content(path_of(2, "next")));
  expect(*disk, "10 events", 11);
  EXPECT_FALSE(exists(*disk, path_of(7, "next")));
}

TEST_F(Preparing, LogThatWasNeverUsedIsNotMissed) {
  SimDisk disk;
  static_cast<void>(log_of(*open_store(disk)));
  remove_directory(disk);
  const auto store = open_store(disk);
  EXPECT_EQ(shape(log_of(*store).snapshot()), "0 events");
}

TEST_F(Preparing, LostListIsMadeAnewAndTold) {
  const auto disk = killed();
  ASSERT_TRUE(disk->unlink("data/loglist.a"));
  ASSERT_TRUE(disk->unlink("data/loglist.b"));
  static_cast<void>(open_store(*disk, store_options(&notices_)));
  EXPECT_EQ(notices_.count("damage_quarantined"), 1U) << notices_.text();
  EXPECT_EQ(listed_on(*disk).reserved, Seq(11));
  remove_directory(*disk);
  expect(*disk, "0 events, 1-10", 11);
}

TEST_F(Preparing, OneCopyOfTheListIsEnoughAndTheOtherIsWrittenAnew) {
  for (const char* copy : {"data/loglist.a", "data/loglist.b"}) {
    const auto disk = killed();
    const std::uint64_t reserved = listed_on(*disk).reserved.value;
    disk->flip_bit(copy, 400);
    remove_directory(*disk);
    expect(*disk, "0 events, 1-" + std::to_string(reserved - 1), reserved);
    EXPECT_EQ(disk->content("data/loglist.a"), disk->content("data/loglist.b"));
  }
}

TEST_F(Preparing, BusyDirectoryOrNewerListIsLeftAsItIs) {
  SimDisk disk;
  const auto store = open_store(disk);
  store_events(log_of(*store), plain_events(10));
  wait_until_prepared(log_of(*store), disk);
  const auto list = disk.content("data/loglist.a");
  EXPECT_EQ(Store::open(disk, "data", store_options()).error().code, ErrorCode::busy);
  EXPECT_EQ(disk.content("data/loglist.a"), list);
}

// Wherever a life ends around the beginning of segments, nobody takes a file for missing.
TEST_F(Preparing, NoCrashAroundABeginningMakesAGap) {
  for (std::uint64_t n = 1;; ++n) {
    SimDisk disk;
    disk.inject({.at = n, .forever = true, .seed = n});
    std::uint64_t acknowledged = 0;
    {
      const auto store = Store::open(disk, "data", store_options());
      const auto log = store ? (*store)->log("activity") : fail(store.error());
      for (int segment = 0; log && segment < 3; ++segment) {
        const auto sent = testing::submit(**log, testing::encode(plain_events(5)));
        acknowledged += sent ? sent->rows : 0;
        static_cast<void>((*log)->seal());
      }
    }
    const bool hit = disk.fault_hit();
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      const auto survivor = seed == 0 ? disk.after_kill() : disk.after_power_loss(seed);
      for (const bool by_reader : {true, false}) {
        const auto store =
            Store::open(*survivor, "data", by_reader ? read_only() : store_options());
        if (!store) {
          EXPECT_EQ(acknowledged, 0U);
          continue;
        }
        const auto snapshot = (*store)->snapshot();
        std::uint64_t events = 0;
        for (const LogSnapshot& log : snapshot->logs) {
          EXPECT_TRUE(log.gaps.empty()) << "call " << n << ": " << log.gaps[0].reason;
          events += testing::read_all(log).size();
        }
        EXPECT_GE(events, acknowledged) << "call " << n;
      }
    }
    if (!hit || HasFailure()) {
      break;
    }
  }
}

}  // namespace
}  // namespace docket
