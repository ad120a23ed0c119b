#include "tools/backup/store_copy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "engine/log_list.hpp"
#include "engine/manifest.hpp"
#include "engine/store_layout.hpp"
#include "tests/engine/stores.hpp"
#include "tests/engine/watched_disk.hpp"
#include "tests/support/sim_disk.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket::backup {
namespace {

using testing::as_stored;
using testing::log_of;
using testing::open_store;
using testing::plain_events;
using testing::read_all;
using testing::seal_fully;
using testing::SimDisk;
using testing::store_events;
using testing::store_options;
using testing::WatchedDisk;

// Of the first log.
struct Found {
  std::vector<Event> events;
  std::vector<Gap> gaps;
  Seq last_seq;
};

Found found_in(Store& store) {
  const auto snapshot = store.snapshot();
  if (!snapshot || snapshot->logs.empty()) {
    ADD_FAILURE() << (snapshot ? "no log" : snapshot.error().describe());
    return {};
  }
  const LogSnapshot& log = snapshot->logs[0];
  return {read_all(log), log.gaps, log.last_seq};
}

// A store whose server is at work, on a disk of its own.
struct Running {
  SimDisk disk;
  WatchedDisk watched{disk};
  std::unique_ptr<Store> store = open_store(disk);
  std::uint64_t written = 0;

  void write(std::uint64_t count) {
    store_events(log_of(*store), plain_events(count, written));
    written += count;
  }
  // Seals, and waits until the hot file has been put away, too.
  void seal() {
    ASSERT_TRUE(log_of(*store).seal());
    const auto is_hot = [](const std::string& file) {
      return file.starts_with("data/") && file.ends_with(".hot");
    };
    for (int wait = 0; wait < 10'000 && std::ranges::count_if(disk.files(), is_hot) > 0; ++wait) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  void retire_oldest() {
    const auto plans = store->plan_retirement(
        [](std::string_view) { return RetentionPolicy{-1, {}}; }, 0, testing::receipt_time);
    ASSERT_FALSE(plans.empty());
    ASSERT_TRUE(store->retire(plans[0]));
  }
  Result<Copied> copy(const Link& link = no_link) {
    return copy_store(watched, "data", "copy", link);
  }
  // What a reader finds in the copy.
  Found copied() {
    StoreOptions options = store_options();
    options.read_only = true;
    return found_in(*open_store(disk, options, "copy"));
  }
  // The same when a server has opened it, and stored 7 events more.
  Found restored() {
    const auto server = open_store(disk, store_options(), "copy");
    store_events(log_of(*server), plain_events(7, log_of(*server).snapshot().last_seq.value));
    return found_in(*server);
  }
};

TEST(StoreCopy, HoldsEveryEventAndGoesOn) {
  Running running;
  running.write(300);
  seal_fully(log_of(*running.store), running.disk);
  running.write(200);
  store_events(log_of(*running.store, "campaign"), plain_events(5));
  const auto copied = running.copy();
  ASSERT_TRUE(copied) << copied.error().describe();
  EXPECT_EQ(copied->logs, 2U);
  EXPECT_EQ(copied->segments, 3U);
  EXPECT_EQ(copied->events, 505U);
  EXPECT_EQ(copied->files_linked, 0U);
  for (const std::string& change : running.watched.changes()) {
    EXPECT_EQ(change.find(" data/"), std::string::npos) << change;
  }
  EXPECT_TRUE(running.copied().events == as_stored(plain_events(500)));
  const Found restored = running.restored();
  EXPECT_TRUE(restored.gaps.empty());
  EXPECT_TRUE(restored.events == as_stored(plain_events(507)));
}

TEST(StoreCopy, NamesWhatIsInItAndReservesNoSeqBehind) {
  Running running;
  running.write(30);
  testing::wait_until_prepared(log_of(*running.store), running.disk);
  ASSERT_TRUE(running.copy());
  const auto manifest = decode_manifest(running.disk.content("copy/logs/activity/manifest.b"));
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->unsealed, std::vector{SegmentId(1)});
  EXPECT_EQ(manifest->reserved, Seq(31));
  const auto list = decode_log_list(running.disk.content("copy/loglist.b"));
  ASSERT_TRUE(list);
  EXPECT_EQ(list->logs, (std::vector{ListedLog{"activity", SegmentId(2), Seq(1), Seq(31)}}));
}

TEST(StoreCopy, HasTheGapsOfWhatTheStoreHasLost) {
  for (const bool is_whole_log : {false, true}) {
    Running running;
    running.write(30);
    testing::wait_until_prepared(log_of(*running.store), running.disk);
    ASSERT_TRUE(running.store->close());
    for (const std::string& file : running.disk.files()) {
      if (file.starts_with("data/logs/") && (is_whole_log || file.ends_with(".hot"))) {
        ASSERT_TRUE(running.disk.unlink(file));
      }
    }
    ASSERT_TRUE(running.copy());
    for (const Found& found : {running.copied(), running.restored()}) {
      ASSERT_EQ(found.gaps.size(), 1U);
      EXPECT_EQ(found.gaps[0].first_seq, Seq(1));
      EXPECT_EQ(found.gaps[0].last_seq, Seq(30));
    }
  }
}

TEST(StoreCopy, SurvivesThatThePowerGoes) {
  Running running;
  running.write(30);
  seal_fully(log_of(*running.store), running.disk);
  running.write(20);
  ASSERT_TRUE(running.copy());
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto disk = running.disk.after_power_loss(seed);
    StoreOptions options = store_options();
    options.read_only = true;
    const auto reader = open_store(*disk, options, "copy");
    EXPECT_TRUE(found_in(*reader).events == as_stored(plain_events(50))) << seed;
  }
}

TEST(StoreCopy, SealingBetweenAnyTwoCallsIsNoGapAndNoLoss) {
  for (int n = 1;; ++n) {
    SCOPED_TRACE("before call " + std::to_string(n));
    Running running;
    running.write(20);
    ASSERT_TRUE(log_of(*running.store).seal());
    running.write(20);
    bool hit = false;
    running.watched.set_hook([&, left = n](const std::string&, const std::string&) mutable {
      if (--left == 0) {
        hit = true;
        running.write(3);
        running.seal();
        running.write(3);
      }
    });
    const auto copied = running.copy();
    running.watched.set_hook({});
    ASSERT_TRUE(copied) << copied.error().describe();
    const Found restored = running.restored();
    EXPECT_TRUE(restored.gaps.empty()) << restored.gaps[0].reason;
    const std::uint64_t events = restored.last_seq.value - 7;
    EXPECT_EQ(events, copied->events);
    EXPECT_GE(events, 40U);
    EXPECT_TRUE(restored.events == as_stored(plain_events(events + 7)));
    if (!hit || HasFailure()) {
      EXPECT_GT(n, 30);
      break;
    }
  }
}

TEST(StoreCopy, RetirementBetweenAnyTwoCallsIsNoGap) {
  for (int n = 1;; ++n) {
    SCOPED_TRACE("before call " + std::to_string(n));
    Running running;
    for (int segment = 0; segment < 3; ++segment) {
      running.write(10);
      seal_fully(log_of(*running.store), running.disk);
    }
    bool hit = false;
    running.watched.set_hook([&, left = n](const std::string&, const std::string&) mutable {
      if (--left == 0) {
        hit = true;
        running.retire_oldest();
      }
    });
    const auto copied = running.copy();
    running.watched.set_hook({});
    ASSERT_TRUE(copied) << copied.error().describe();
    const Found snapshot = running.copied();
    EXPECT_TRUE(snapshot.gaps.empty()) << snapshot.gaps[0].reason;
    EXPECT_EQ(snapshot.last_seq, Seq(30));
    const std::uint64_t first = copied->events == 30 ? 0 : 10;
    EXPECT_TRUE(snapshot.events == as_stored(plain_events(30 - first, first), Seq(first + 1)));
    if (!hit || HasFailure()) {
      EXPECT_GT(n, 30);
      break;
    }
  }
}

TEST(StoreCopy, AFaultAnywhereLeavesNoStoreOrAWholeOne) {
  int whole = 0;
  for (std::uint64_t n = 1;; ++n) {
    SCOPED_TRACE("fault at call " + std::to_string(n));
    Running running;
    running.write(20);
    seal_fully(log_of(*running.store), running.disk);
    running.write(20);
    testing::Fault fault;
    fault.at = n;
    running.disk.inject(fault);
    const auto copied = running.copy();
    const bool hit = running.disk.fault_hit();
    running.disk.inject({});
    EXPECT_TRUE(copied || hit);
    if (check_store_marker(running.disk, "copy")) {
      ++whole;
      EXPECT_TRUE(running.copied().events == as_stored(plain_events(40)));
    } else {
      EXPECT_FALSE(copied);
    }
    if (!hit || HasFailure()) {
      EXPECT_GT(n, 30U);
      break;
    }
  }
  EXPECT_GT(whole, 0);
}

TEST(StoreCopy, WhatIsDamagedIsAsDamagedThere) {
  Running running;
  running.write(10);
  seal_fully(log_of(*running.store), running.disk);
  running.write(10);
  seal_fully(log_of(*running.store), running.disk);
  ASSERT_TRUE(running.disk.unlink("data/logs/activity/00000000000000000001.seg"));
  running.disk.plant("data/logs/activity/quarantine.txt", {});
  running.disk.plant("data/logs/activity/00000000000000000001.hot.damaged", {});
  const auto copied = running.copy();
  ASSERT_TRUE(copied) << copied.error().describe();
  const Found snapshot = running.copied();
  ASSERT_EQ(snapshot.gaps.size(), 1U);
  EXPECT_EQ(snapshot.gaps[0].last_seq, Seq(10));
  EXPECT_EQ(snapshot.events.size(), 10U);
  EXPECT_TRUE(*running.disk.exists("copy/logs/activity/quarantine.txt"));
  EXPECT_TRUE(*running.disk.exists("copy/logs/activity/00000000000000000001.hot.damaged"));
}

TEST(StoreCopy, NothingIsMadeOfWhatIsNoStoreOrWhereSomethingIs) {
  Running running;
  EXPECT_EQ(copy_store(running.disk, "nowhere", "copy", no_link).error().code,
            ErrorCode::not_found);
  EXPECT_FALSE(*running.disk.exists("copy"));
  running.disk.plant("copy/letter.txt", {});
  EXPECT_EQ(running.copy().error().code, ErrorCode::exists);
  EXPECT_FALSE(*running.disk.exists("copy/DOCKET"));
}

TEST(StoreCopy, SealedFilesAreLinkedAndHotOnesAreNot) {
  const testing::TemporaryDirectory directory;
  const auto store = open_store(posix_disk(), store_options(), directory / "data");
  Log& log = log_of(*store);
  store_events(log, plain_events(10));
  ASSERT_TRUE(log.seal());
  store_events(log, plain_events(10, 10));
  const auto copied = copy_store(posix_disk(), directory / "data", directory / "copy", hard_link);
  ASSERT_TRUE(copied) << copied.error().describe();
  EXPECT_EQ(copied->files_linked, 1U);
  EXPECT_EQ(copied->files_copied, 1U);
  EXPECT_EQ(copied->events, 20U);
  // Behind the last block there is nothing: not the space that is prepared in the original.
  for (const auto& entry : std::filesystem::directory_iterator(directory / "data/logs/activity")) {
    if (entry.path().extension() == ".hot") {
      EXPECT_LT(copied->bytes_copied, entry.file_size());
    }
  }
  EXPECT_EQ(hard_link(directory / "none", directory / "x").error().code, ErrorCode::not_found);
  const auto again = copy_store(posix_disk(), directory / "copy", directory / "back", no_link);
  ASSERT_TRUE(again) << again.error().describe();
  EXPECT_EQ(again->files_linked, 0U);
  EXPECT_EQ(again->events, 20U);
  const auto server = open_store(posix_disk(), store_options(), directory / "back");
  store_events(log_of(*server), plain_events(5, 20));
  EXPECT_TRUE(found_in(*server).events == as_stored(plain_events(25)));
}

}  // namespace
}  // namespace docket::backup
