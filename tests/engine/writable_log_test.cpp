// Full disks and retention: what a log does beside storing.
#include "engine/writable_log.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <numeric>
#include <random>

#include "engine/bytes.hpp"
#include "engine/codec.hpp"
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
using testing::store_options;
using testing::submit;

constexpr std::uint64_t plenty = std::uint64_t{1} << 40;

std::string error_of(const Result<Receipt>& result) {
  return result ? "none" : std::string(to_string(result.error().code));
}

// Files of log `activity`, without its manifests and what is only prepared.
std::vector<std::string> segment_files(const SimDisk& disk) {
  auto files = disk.files();
  std::erase_if(files, [](const std::string& file) {
    return file.find("/activity/0") == std::string::npos || file.ends_with(".next");
  });
  return files;
}

// --- what it counts ------------------------------------------------------------------------------

TEST(WritableLogStats, ABatchSentAgainCountsAsADuplicate) {
  SimDisk disk;
  const auto store = open_store(disk);
  Log& log = log_of(*store);
  const ProducerStamp stamp{"web-1", 1, 1};
  ASSERT_TRUE(submit(log, testing::encode(plain_events(3)), stamp));
  EXPECT_EQ(log.stats().duplicates, 0U);
  ASSERT_TRUE(submit(log, testing::encode(plain_events(3)), stamp)->duplicate);
  EXPECT_EQ(log.stats().duplicates, 1U);
  EXPECT_EQ(log.stats().batches, 1U);
}

TEST(WritableLogStats, WhatIsStoredIsCountedWithItsTimes) {
  SimDisk disk;
  const auto store = open_store(disk);
  Log& log = log_of(*store);
  store_events(log, plain_events(3));
  LogStats stats = log.stats();
  EXPECT_EQ(stats.batches, 1U);
  EXPECT_EQ(stats.commits, 1U);
  const auto all = [](const DurationCounts& times) {
    return std::accumulate(times.counts.begin(), times.counts.end(), std::uint64_t{0});
  };
  EXPECT_EQ(all(stats.commit_time), 1U);
  EXPECT_EQ(all(stats.sync_time), 1U);
  EXPECT_GT(stats.commit_time.sum, stats.sync_time.sum);
  EXPECT_EQ(stats.queued_batches, 0U);
  ASSERT_TRUE(log.seal());
  disk.plant("data/logs/activity/" + segment_file_name(SegmentId(1), "idx"),
             std::vector<std::byte>(77));
  const std::uint64_t without = stats.bytes;
  stats = log.stats();
  EXPECT_EQ(stats.index_bytes, 77U);
  EXPECT_GT(stats.bytes, 77U) << without;
  EXPECT_EQ(stats.unsealed_segments, 0U);
}

// --- behind with sealing -------------------------------------------------------------------------

// Sealing that does not come to its end before it may.
class SlowSealing final : public StoreObserver {
 public:
  void segment_sealed(const std::string& log,
                      const std::shared_ptr<const SegmentReader>& /*segment*/,
                      const std::string& /*directory*/) override {
    logs_.push_back(log);
    if (logs_.size() == 1) {
      first_.set_value();
    }
    may_end_.get_future().wait();
    may_end_ = std::promise<void>();
    may_end_.set_value();
  }
  void events_visible(const std::string& /*log*/, Seq /*last*/) override {}
  void notice(const std::string& /*log*/, const std::string& /*kind*/,
              const std::string& /*detail*/) override {}
  void wait_for_first() { first_.get_future().wait(); }
  void release() { may_end_.set_value(); }
  // Whose segments were sealed, in order. Once the store is closed.
  [[nodiscard]] const std::vector<std::string>& logs() const { return logs_; }

 private:
  std::vector<std::string> logs_;
  std::promise<void> first_;
  std::promise<void> may_end_;
};

TEST(WritableLogBehind, SendersWaitForSealingAndAreNotRefused) {
  SimDisk disk;
  SlowSealing sealing;
  StoreOptions options = store_options();
  options.log.segment_rows = 1;
  options.observer = &sealing;
  const auto store = open_store(disk, options);
  Log& log = log_of(*store);
  constexpr std::uint64_t unsealed_max = 17;  // waiting, and the active one
  for (std::uint64_t i = 0; i < unsealed_max; ++i) {
    store_events(log, plain_events(1, i));
  }
  std::promise<Result<Receipt>> last;
  log.submit(testing::encode(plain_events(1, unsealed_max)), {"node-1", 0, 0},
             testing::receipt_time,
             [&](Result<Receipt> result) { last.set_value(std::move(result)); });
  auto stored = last.get_future();
  EXPECT_EQ(stored.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  EXPECT_EQ(log.stats().unsealed_segments, unsealed_max - 1);
  sealing.release();
  EXPECT_EQ(error_of(stored.get()), "none");
  ASSERT_TRUE(log.seal());
  EXPECT_TRUE(read_all(log.snapshot()) == as_stored(plain_events(unsealed_max + 1)));
}

TEST(WritableLogBehind, TheLogThatIsFurthestBehindIsSealedFirst) {
  SimDisk disk;
  SlowSealing sealing;
  StoreOptions options = store_options();
  options.log.segment_rows = 1;
  options.observer = &sealing;
  const auto store = open_store(disk, options);
  const auto freeze = [&](const std::string& log, std::uint64_t segments) {
    for (std::uint64_t i = 0; i <= segments; ++i) {
      store_events(*store->log(log).value(), plain_events(1, i));
    }
  };
  freeze("mail", 1);
  sealing.wait_for_first();  // held up from here on
  freeze("api", 1);
  freeze("web", 5);
  sealing.release();
  ASSERT_TRUE(store->log("api").value()->seal());
  ASSERT_TRUE(store->close());
  ASSERT_GE(sealing.logs().size(), 4U);
  EXPECT_EQ(std::vector(sealing.logs().begin(), sealing.logs().begin() + 3),
            (std::vector<std::string>{"mail", "web", "web"}));
}

TEST(WritableLogBehind, SendersAreRefusedWhereSealingFails) {
  SimDisk disk;
  StoreOptions options = store_options();
  options.log.segment_rows = 1;
  const auto store = open_store(disk, options);
  Log& log = log_of(*store);
  disk.inject({.at = 1, .kinds = Io::read, .forever = true});  // of which a commit does none
  for (std::uint64_t i = 0; i < 17; ++i) {
    store_events(log, plain_events(1, i));
  }
  EXPECT_EQ(error_of(submit(log, testing::encode(plain_events(1, 17)))), "overloaded");
  disk.inject({});
  store_events(log, plain_events(1, 17));
  ASSERT_TRUE(log.seal());
  EXPECT_TRUE(read_all(log.snapshot()) == as_stored(plain_events(18)));
}

// --- full disks ----------------------------------------------------------------------------------

TEST(WritableLogDiskFull, RefusalIsRetryableAndServiceResumesByItself) {
  SimDisk disk;
  const auto store = open_store(disk);
  Log& log = log_of(*store);
  std::uint64_t stored = 0;
  store_events(log, plain_events(100));
  stored += 100;
  disk.set_capacity(1);
  std::string error = "none";
  while (error == "none") {
    error = error_of(submit(log, testing::encode(plain_events(100, stored))));
    stored += error == "none" ? 100 : 0;
  }
  EXPECT_EQ(error, "no_space");
  EXPECT_EQ(log.snapshot().last_seq, Seq(stored));
  EXPECT_TRUE(read_all(log.snapshot()) == as_stored(plain_events(stored))) << "queries go on";
  EXPECT_FALSE(log.stats().failed);
  disk.set_capacity(plenty);
  EXPECT_EQ(store_events(log, plain_events(100, stored)), Seq(stored + 1));
  EXPECT_TRUE(read_all(log.snapshot()) == as_stored(plain_events(stored + 100)));
}

TEST(WritableLogDiskFull, FirstBatchOfALogCanBeTheOneThatFindsItFull) {
  SimDisk disk;
  const auto store = open_store(disk);
  Log& log = log_of(*store);
  disk.set_capacity(1);
  EXPECT_EQ(error_of(submit(log, testing::encode(plain_events(1)))), "no_space");
  disk.set_capacity(plenty);
  EXPECT_EQ(store_events(log, plain_events(1)), Seq(1));
}

TEST(WritableLogDiskFull, FloorOfFreeSpaceIsKeptForSealingAndRetention) {
  SimDisk disk;
  StoreOptions options = store_options();
  options.free_space_floor = 10 << 20;
  const auto store = open_store(disk, options);
  Log& log = log_of(*store);
  disk.set_capacity(40 << 20);
  store_events(log, plain_events(100));
  disk.set_capacity(9 << 20);
  EXPECT_EQ(error_of(submit(log, testing::encode(plain_events(1)))), "no_space");
  EXPECT_TRUE(log.seal()) << "sealing may use what senders may not";
  disk.set_capacity(40 << 20);
  EXPECT_EQ(store_events(log, plain_events(1)), Seq(101));
}

TEST(WritableLogDiskFull, ManyBatchesAtOnceLeaveTheReserveToSealingAndRetention) {
  constexpr std::uint64_t floor = 4 << 20;
  std::vector<Event> events = plain_events(8);
  std::minstd_rand random(1);
  for (Event& event : events) {
    std::string text(64 << 10, ' ');
    std::ranges::generate(text, [&random] { return static_cast<char>('0' + random() % 64); });
    std::ranges::replace(text, '\\', '_');
    event.payload = "\"" + text + "\"";
  }
  const EncodedBatch batch = testing::encode(events);
  for (const std::uint64_t above : {std::uint64_t{1}, std::uint64_t{1} << 20}) {
    // All of them wait behind one that is being synced: they are a group of their own.
    std::atomic<bool> holds = false;
    std::promise<void> reached;
    std::promise<void> end;
    SimDisk disk;
    disk.set_pause([&, ended = end.get_future().share()](Io kind) {
      if (kind == Io::sync && holds.exchange(false)) {
        reached.set_value();
        ended.wait();
      }
    });
    StoreOptions options = store_options();
    options.free_space_floor = floor;
    const auto store = open_store(disk, options);
    Log& log = log_of(*store);
    store_events(log, plain_events(1));
    testing::wait_until_prepared(log, disk);
    std::vector<std::future<Result<Receipt>>> answers;
    const auto send = [&log, &answers](EncodedBatch sent) {
      auto answer = std::make_shared<std::promise<Result<Receipt>>>();
      answers.push_back(answer->get_future());
      log.submit(std::move(sent), {"node-1", 0, 0}, testing::receipt_time,
                 [answer](Result<Receipt> receipt) { answer->set_value(std::move(receipt)); });
    };
    holds = true;
    send(testing::encode(plain_events(1)));
    reached.get_future().wait();
    disk.set_capacity(plenty);
    disk.set_capacity(plenty - *disk.free_bytes("data") + floor + above);
    for (int i = 0; i < 40; ++i) {
      send(batch);
    }
    end.set_value();
    std::uint64_t stored = 0;
    for (auto& answer : answers) {
      const auto receipt = answer.get();
      stored += receipt ? 1 : 0;
      if (!receipt) {
        EXPECT_EQ(receipt.error().code, ErrorCode::no_space);
      }
    }
    EXPECT_GT(stored, 1U) << "the first of a group may dip into the reserve";
    EXPECT_LT(stored, 8U);
    EXPECT_GE(*disk.free_bytes("data") + batch.bytes.size() + (64 << 10), floor);
    EXPECT_EQ(log.snapshot().last_seq, Seq(2 + (stored - 1) * 8));
    EXPECT_TRUE(log.seal());
  }
}

TEST(WritableLogDiskFull, TheSystemsOwnLogMayUseMostOfTheReserveSoThatRetentionCanMakeRoom) {
  SimDisk disk;
  StoreOptions options = store_options();
  options.free_space_floor = 40 << 20;
  const auto store = open_store(disk, options);
  Log& own = *store->log("docket").value();
  disk.set_capacity(30 << 20);
  EXPECT_EQ(error_of(submit(log_of(*store), testing::encode(plain_events(1)))), "no_space");
  EXPECT_TRUE(submit(own, testing::encode(plain_events(1))));
  disk.set_capacity(9 << 20);
  EXPECT_EQ(error_of(submit(own, testing::encode(plain_events(1)))), "no_space");
}

TEST(WritableLogDiskFull, SealingThatFindsItFullIsToldAndTriedAgain) {
  SimDisk disk;
  testing::Notices notices;
  auto store = open_store(disk, store_options(&notices));
  Log& log = log_of(*store);
  store_events(log, plain_events(1000));
  disk.set_capacity(1);
  const auto sealed = log.seal();
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().code, ErrorCode::no_space);
  EXPECT_TRUE(read_all(log.snapshot()) == as_stored(plain_events(1000)));
  disk.set_capacity(plenty);
  EXPECT_TRUE(log.seal());
  EXPECT_TRUE(log.snapshot().segments[0]->info().sealed);
  EXPECT_TRUE(read_all(log.snapshot()) == as_stored(plain_events(1000)));
  store.reset();  // it tells when it has told the caller
  EXPECT_GE(notices.count("seal_failed"), 1U);
}

// --- retention -----------------------------------------------------------------------------------

class WritableLogRetention : public ::testing::Test {
 protected:
  WritableLogRetention() : store_(open_store(disk_, store_options(&notices_))) {
    Log& log = log_of(*store_);
    for (std::uint64_t n = 0; n < 3; ++n) {
      store_events(log, plain_events(10, n * 10), static_cast<Nanos>(n + 1) * 1'000'000);
      testing::seal_fully(log, disk_);
    }
    store_events(log, plain_events(10, 30));
  }

  // What a policy of `age` retires at the time of the last receipt.
  std::vector<RetirementPlan> plan(Nanos age) {
    return store_->plan_retirement([age](std::string_view) { return RetentionPolicy{age, {}}; }, 0,
                                   3'000'000);
  }
  [[nodiscard]] std::vector<std::uint64_t> segments() const {
    std::vector<std::uint64_t> ids;
    for (const auto& segment : store_->find_log("activity")->snapshot().segments) {
      ids.push_back(segment->info().id.value);
    }
    return ids;
  }

  SimDisk disk_;
  testing::Notices notices_;
  std::unique_ptr<Store> store_;
};

TEST(WritableLogClock, SetBackLeavesSeqsInOrderAndRetiresNothingEarly) {
  constexpr Nanos hour = 3'600'000'000'000;
  SimDisk disk;
  auto store = open_store(disk);
  std::vector<Event> events;
  for (std::uint64_t n = 0; n < 6; ++n) {
    // An hour back with each batch; every second one ends a segment.
    const Nanos received = (100 - static_cast<Nanos>(n)) * hour;
    EXPECT_EQ(store_events(log_of(*store), plain_events(10, n * 10), received), Seq(n * 10 + 1));
    const auto stored =
        as_stored(plain_events(10, n * 10), Seq(n * 10 + 1), "activity", "node-1", received);
    events.insert(events.end(), stored.begin(), stored.end());
    if (n % 2 == 1) {
      testing::seal_fully(log_of(*store), disk);
    }
  }
  EXPECT_TRUE(read_all(log_of(*store).snapshot()) == events);
  EXPECT_EQ(log_of(*store).stats().last_received, 100 * hour);
  const auto plan = [&](Nanos now) {
    const RetentionPolicy policy{10 * hour, {}};
    return store->plan_retirement([&](std::string_view) { return policy; }, 0, now).size();
  };
  EXPECT_EQ(plan(110 * hour), 0U);
  EXPECT_EQ(plan(110 * hour + 1), 3U);
  store.reset();
  store = open_store(disk);
  EXPECT_TRUE(read_all(log_of(*store).snapshot()) == events);
  EXPECT_EQ(store_events(log_of(*store), plain_events(1), hour), Seq(61));
}

TEST_F(WritableLogRetention, OnlySealedSegmentsAreEverPlanned) {
  EXPECT_EQ(plan(-1'000'000'000'000).size(), 3U);
  EXPECT_EQ(plan(1'999'999).size(), 1U);
  EXPECT_EQ(plan(2'000'000).size(), 0U);
}

TEST_F(WritableLogRetention, RetiredSegmentIsGoneFromSnapshotsFilesAndCounts) {
  const auto plans = plan(1'999'999);
  ASSERT_TRUE(store_->retire(plans[0]));
  EXPECT_EQ(segments(), (std::vector<std::uint64_t>{2, 3, 4}));
  EXPECT_EQ(segment_files(disk_).size(), 3U);
  EXPECT_EQ(notices_.count("segment_retired"), 1U);
  const LogStats stats = store_->find_log("activity")->stats();
  EXPECT_EQ(stats.retired_events, 10U);
  EXPECT_EQ(stats.first_seq, Seq(11));
  EXPECT_EQ(stats.events, 30U);
  EXPECT_TRUE(store_->find_log("activity")->snapshot().gaps.empty()) << "no damage, a decision";
}

TEST_F(WritableLogRetention, FilesStayUntilTheLastReaderLetsGo) {
  auto snapshot = store_->find_log("activity")->snapshot();
  disk_.plant("data/logs/activity/" + segment_file_name(SegmentId(1), "idx"), {});
  ASSERT_TRUE(store_->retire(plan(1'999'999)[0]));
  EXPECT_EQ(segment_files(disk_).size(), 5U);
  EXPECT_EQ(read_all(snapshot).size(), 40U) << "and can be read, though retired";
  snapshot.segments.erase(snapshot.segments.begin());
  EXPECT_EQ(segment_files(disk_).size(), 3U) << "the index went with its segment";
}

TEST_F(WritableLogRetention, WhatIsRetiredDoesNotComeBack) {
  ASSERT_TRUE(store_->retire(plan(1'999'999)[0]));
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto survivor = disk_.after_power_loss(seed);
    const auto store = open_store(*survivor);
    const auto events = read_all(log_of(*store).snapshot());
    ASSERT_EQ(events.size(), 30U);
    EXPECT_EQ(events[0].seq, Seq(11));
    EXPECT_TRUE(log_of(*store).snapshot().gaps.empty());
    EXPECT_EQ(log_of(*store).stats().retired_events, 10U);
  }
}

TEST_F(WritableLogRetention, EvenWithAReaderThatKeptTheFilesThroughACrash) {
  const auto snapshot = store_->find_log("activity")->snapshot();
  ASSERT_TRUE(store_->retire(plan(1'999'999)[0]));
  const auto survivor = disk_.after_power_loss(1);
  const auto store = open_store(*survivor);
  EXPECT_EQ(read_all(log_of(*store).snapshot()).size(), 30U);
  EXPECT_EQ(segment_files(*survivor).size(), 3U) << "the left-over file is removed at the start";
}

TEST_F(WritableLogRetention, LeftOverFileThatCannotBeReadJustNowIsNotTakenForDamage) {
  const auto snapshot = store_->find_log("activity")->snapshot();
  ASSERT_TRUE(store_->retire(plan(1'999'999)[0]));
  const auto survivor = disk_.after_power_loss(1);
  bool failing = true;
  for (std::uint64_t n = 1; failing; ++n) {
    const auto disk = survivor->after_kill();
    disk->inject({.at = n, .kinds = Io::read});
    testing::Notices notices;
    static_cast<void>(Store::open(*disk, "data", store_options(&notices)));
    EXPECT_EQ(notices.count("damage_quarantined"), 0U) << "read " << n << "\n" << notices.text();
    failing = disk->fault_hit();
    disk->inject({});
    const auto store = open_store(*disk);
    ASSERT_TRUE(store);
    EXPECT_EQ(read_all(log_of(*store).snapshot()).size(), 30U) << "read " << n;
  }
}

TEST_F(WritableLogRetention, OnlyTheOldestCanBeRetired) {
  auto plans = plan(-1'000'000'000'000);
  EXPECT_FALSE(store_->retire(plans[1]));
  EXPECT_EQ(segments().size(), 4U);
  for (const RetirementPlan& next : plans) {
    ASSERT_TRUE(store_->retire(next));
  }
  EXPECT_FALSE(store_->retire(plans[0])) << "it is gone already";
  EXPECT_EQ(segments(), std::vector<std::uint64_t>{4});
  RetirementPlan unknown = plans[0];
  unknown.log = "nowhere";
  const auto refused = store_->retire(unknown);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::not_found);
}

TEST_F(WritableLogRetention, PlanningLooksAtADirectoryOnce) {
  std::uint64_t calls = 0;
  for (int i = 0; i < 100 && calls != 1; ++i) {  // the maintenance thread may make some meanwhile
    testing::wait_until_prepared(*store_->find_log("activity"), disk_);
    const std::uint64_t before = disk_.io_count();
    ASSERT_EQ(plan(-1'000'000'000'000).size(), 3U);
    calls = disk_.io_count() - before;
  }
  EXPECT_EQ(calls, 1U) << "of 4 sealed segments";
}

TEST_F(WritableLogRetention, SeveralGoInOneStepOrNoneDoes) {
  const auto plans = plan(-1'000'000'000'000);
  ASSERT_EQ(plans.size(), 3U);
  testing::wait_until_prepared(*store_->find_log("activity"), disk_);
  EXPECT_FALSE(store_->retire(std::vector{plans[0], plans[2]})) << "one between them is left out";
  EXPECT_FALSE(store_->retire(std::vector{plans[1], plans[0]})) << "not in their order";
  auto other = plans;
  other[1].log = "campaign";
  EXPECT_FALSE(store_->retire(other)) << "of two logs";
  auto more = plans;
  more.insert(more.end(), 2, plans[2]);
  EXPECT_FALSE(store_->retire(more)) << "more than there are";
  disk_.inject({.at = 1, .kinds = Io::write});
  EXPECT_FALSE(store_->retire(plans));
  EXPECT_EQ(segments(), (std::vector<std::uint64_t>{1, 2, 3, 4}));
  EXPECT_EQ(segment_files(disk_).size(), 4U);
  EXPECT_TRUE(store_->retire(std::span<const RetirementPlan>()));

  const auto snapshot = store_->find_log("activity")->snapshot();
  ASSERT_TRUE(store_->retire(plans));
  EXPECT_EQ(segments(), std::vector<std::uint64_t>{4});
  EXPECT_EQ(notices_.count("segment_retired"), 3U);
  const LogStats stats = store_->find_log("activity")->stats();
  EXPECT_EQ(stats.retired_events, 30U);
  EXPECT_EQ(stats.first_seq, Seq(31));
  EXPECT_EQ(read_all(snapshot).size(), 40U) << "whoever reads goes on";
  EXPECT_EQ(segment_files(disk_).size(), 4U);
}

TEST_F(WritableLogRetention, ManifestThatCannotBeSavedRetiresNothing) {
  const auto plans = plan(1'999'999);
  testing::wait_until_prepared(*store_->find_log("activity"), disk_);
  disk_.inject({.at = 1, .kinds = Io::write});
  EXPECT_FALSE(store_->retire(plans[0]));
  EXPECT_EQ(segments().size(), 4U);
  EXPECT_EQ(segment_files(disk_).size(), 4U);
  EXPECT_TRUE(store_->retire(plans[0]));
}

TEST_F(WritableLogRetention, SeqsGoOnWhenEverythingIsRetired) {
  ASSERT_TRUE(store_->find_log("activity")->seal());
  for (const RetirementPlan& next : plan(-2'000'000'000'000'000'000)) {
    ASSERT_TRUE(store_->retire(next));
  }
  EXPECT_TRUE(segments().empty());
  EXPECT_EQ(store_->find_log("activity")->snapshot().last_seq, Seq(40));
  store_.reset();
  store_ = open_store(disk_);
  EXPECT_EQ(store_->find_log("activity")->snapshot().last_seq, Seq(40));
  EXPECT_EQ(store_events(log_of(*store_), plain_events(1)), Seq(41));
}

// --- newer formats -------------------------------------------------------------------------------

TEST(WritableLogFormat, NewerOneIsRefusedAndNothingIsChanged) {
  SimDisk disk;
  store_events(log_of(*open_store(disk)), plain_events(10));
  const auto refused = [&disk](const std::string& path, std::vector<std::byte> bytes) {
    const auto good = disk.content(path);
    disk.plant(path, bytes);
    const auto files = disk.files();
    const auto store = Store::open(disk, "data", store_options());
    const bool newer = !store && store.error().code == ErrorCode::newer_format;
    const bool unchanged = disk.files() == files && disk.content(path) == bytes;
    disk.plant(path, good);
    return newer && unchanged;
  };
  const auto marker = as_byte_span("docket store, format 2\n");
  EXPECT_TRUE(refused("data/DOCKET", {marker.begin(), marker.end()}));
  const std::string hot = "data/logs/activity/" + segment_file_name(SegmentId(1), "hot");
  auto bytes = disk.content(hot);
  store_le(bytes.data() + 8, format_version + 1);
  store_le(bytes.data() + 120, checksum64(std::span<const std::byte>(bytes).first(120)));
  EXPECT_TRUE(refused(hot, bytes));
  EXPECT_EQ(read_all(log_of(*open_store(disk)).snapshot()).size(), 10U);
}

}  // namespace
}  // namespace docket
