// The store as its users see it: logs, batches in, snapshots out. What it does with damaged
// directories is tested in log_recovery_test.cpp, what it promises through crashes in
// tests/durability.
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

#include "engine/hot_scan.hpp"
#include "engine/limits.hpp"
#include "engine/log.hpp"
#include "engine/segment_file.hpp"
#include "engine/timestamp.hpp"
#include "tests/engine/stores.hpp"
#include "tests/support/random_events.hpp"
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

std::string error_of(const Result<Receipt>& result) {
  return result ? "none" : std::string(to_string(result.error().code));
}

// A completion that keeps its answer.
struct Answer {
  std::shared_ptr<std::promise<Result<Receipt>>> promise =
      std::make_shared<std::promise<Result<Receipt>>>();
  std::future<Result<Receipt>> future = promise->get_future();
  [[nodiscard]] Completion completion() const {
    return [p = promise](Result<Receipt> result) { p->set_value(std::move(result)); };
  }
};

TEST(StoreLogs, AreCreatedOnFirstUseAndListedByName) {
  SimDisk disk;
  const auto store = open_store(disk);
  EXPECT_TRUE(store->logs().empty());
  EXPECT_EQ(store->find_log("campaign"), nullptr);
  Log& campaign = log_of(*store, "campaign");
  log_of(*store, "activity");
  EXPECT_EQ(&log_of(*store, "campaign"), &campaign);
  EXPECT_EQ(store->find_log("campaign"), &campaign);
  ASSERT_EQ(store->logs().size(), 2U);
  EXPECT_EQ(store->logs()[0]->name(), "activity");
  EXPECT_EQ(store->logs()[1]->name(), "campaign");
  EXPECT_EQ(store->snapshot()->logs[1].log, "campaign");
}

TEST(StoreLogs, NameThatIsNoneIsRefusedAndMakesNothing) {
  SimDisk disk;
  const auto store = open_store(disk);
  const auto files = disk.files();
  for (const char* name : {"", "Activity", "1st", "a b", "../up", "a/b", "a.b",
                           "a2345678901234567890123456789012x", "\xc3\xa9"}) {
    const auto log = store->log(name);
    ASSERT_FALSE(log) << name;
    EXPECT_EQ(log.error().code, ErrorCode::invalid_argument) << name;
  }
  EXPECT_EQ(disk.files(), files);
  EXPECT_TRUE(store->log("a2345678901234567890123456789012"));
}

TEST(StoreLogs, SixtyFifthIsRefusedAndTheOthersGoOn) {
  SimDisk disk;
  const auto store = open_store(disk);
  for (std::size_t n = 0; n < limits::logs_max; ++n) {
    log_of(*store, "log-" + std::to_string(n));
  }
  const auto one_more = store->log("one-more");
  ASSERT_FALSE(one_more);
  EXPECT_EQ(one_more.error().code, ErrorCode::overloaded);
  EXPECT_TRUE(store->log("log-63"));
  EXPECT_EQ(store_events(log_of(*store, "log-63"), plain_events(1)), Seq(1));
}

TEST(StoreLogs, EachHasSeqsOfItsOwn) {
  SimDisk disk;
  const auto store = open_store(disk);
  EXPECT_EQ(store_events(log_of(*store, "a"), plain_events(10)), Seq(1));
  EXPECT_EQ(store_events(log_of(*store, "b"), plain_events(3)), Seq(1));
  EXPECT_EQ(store_events(log_of(*store, "a"), plain_events(5, 10)), Seq(11));
  EXPECT_TRUE(read_all(store->find_log("a")->snapshot()) ==
              as_stored(plain_events(15), Seq(1), "a"));
  EXPECT_TRUE(read_all(store->find_log("b")->snapshot()) ==
              as_stored(plain_events(3), Seq(1), "b"));
}

TEST(StoreLock, SecondOwnerIsTurnedAwayUntilTheFirstIsGone) {
  SimDisk disk;
  auto store = open_store(disk);
  const auto second = Store::open(disk, "data", store_options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::busy);
  ASSERT_TRUE(store->close());
  EXPECT_TRUE(Store::open(disk, "data", store_options())) << "close() lets go of the lock";
}

TEST(StoreLock, DirectoryOfOtherThingsIsLeftAsItWas) {
  SimDisk disk;
  disk.plant("data/letter.txt", {});
  const auto store = Store::open(disk, "data", store_options());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(disk.files(), std::vector<std::string>{"data/letter.txt"});
}

TEST(StoreReopening, EverythingIsThereAgainAndSeqsGoOn) {
  SimDisk disk;
  testing::RandomEvents random(9);
  const auto events = random.take(3000);
  for (int life = 0; life < 3; ++life) {
    testing::Notices notices;
    const auto store = open_store(disk, store_options(&notices));
    Log& log = log_of(*store);
    const auto from = events.begin() + life * 1000;
    EXPECT_EQ(store_events(log, {from, from + 1000}), Seq(1 + static_cast<unsigned>(life) * 1000));
    EXPECT_TRUE(read_all(log.snapshot()) == as_stored({events.begin(), from + 1000}));
    EXPECT_EQ(notices.text(), "");
    if (life == 1) {
      ASSERT_TRUE(log.seal());
    }
  }
}

TEST(StoreReopening, IsTheSameAfterSealingEverything) {
  SimDisk disk;
  {
    const auto store = open_store(disk);
    Log& log = log_of(*store);
    for (std::uint64_t n = 0; n < 5; ++n) {
      store_events(log, plain_events(100, n * 100));
      ASSERT_TRUE(log.seal());
    }
  }
  const auto store = open_store(disk);
  const LogSnapshot snapshot = log_of(*store).snapshot();
  EXPECT_EQ(snapshot.segments.size(), 5U);
  EXPECT_TRUE(read_all(snapshot) == as_stored(plain_events(500)));
  EXPECT_EQ(store_events(log_of(*store), plain_events(1)), Seq(501));
}

TEST(StoreSealing, KeepsEveryEventAndReplacesTheHotFile) {
  SimDisk disk;
  testing::Notices notices;
  const auto store = open_store(disk, store_options(&notices));
  Log& log = log_of(*store);
  store_events(log, plain_events(10));
  const auto before = log.snapshot();
  EXPECT_FALSE(before.segments[0]->info().sealed);
  testing::seal_fully(log, disk);
  const auto after = log.snapshot();
  ASSERT_EQ(after.segments.size(), 1U);
  EXPECT_TRUE(after.segments[0]->info().sealed);
  EXPECT_EQ(notices.sealed(), std::vector<SegmentId>{SegmentId(1)});
  EXPECT_TRUE(read_all(after) == as_stored(plain_events(10)));
  EXPECT_TRUE(read_all(before) == as_stored(plain_events(10))) << "an older snapshot";
  ASSERT_TRUE(log.seal()) << "nothing to seal is fine";
  EXPECT_EQ(log.snapshot().segments.size(), 1U);
}

TEST(StoreSealing, HappensByItselfAtTheSizeAndAtTheRowsAskedFor) {
  for (const bool by_rows : {false, true}) {
    SimDisk disk;
    testing::Notices notices;
    StoreOptions options = store_options(&notices);
    (by_rows ? options.log.segment_rows : options.log.segment_bytes) = by_rows ? 250 : 40'000;
    const auto store = open_store(disk, options);
    Log& log = log_of(*store);
    for (std::uint64_t n = 0; n < 50; ++n) {
      store_events(log, plain_events(100, n * 100));
    }
    ASSERT_TRUE(log.seal());
    const auto snapshot = log.snapshot();
    EXPECT_GE(snapshot.segments.size(), by_rows ? 15U : 3U);
    for (const auto& segment : snapshot.segments) {
      EXPECT_LE(segment->info().rows, by_rows ? 300U : 2000U);
    }
    EXPECT_TRUE(read_all(snapshot) == as_stored(plain_events(5000)));
  }
}

TEST(StoreSealing, HappensByItselfAtTheAgeAskedFor) {
  SimDisk disk;
  StoreOptions options = store_options();
  options.log.segment_age = 1;  // a nanosecond: overdue with the first event
  const auto store = open_store(disk, options);
  Log& log = log_of(*store);
  store_events(log, plain_events(10));
  while (!log.snapshot().segments[0]->info().sealed) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(read_all(log.snapshot()) == as_stored(plain_events(10)));
}

TEST(StoreProducers, ResendGetsTheOriginalReceiptAcrossSealingAndReopening) {
  SimDisk disk;
  for (int life = 0; life < 3; ++life) {
    const auto store = open_store(disk);
    Log& log = log_of(*store);
    for (std::uint64_t batch = 1; batch <= 3; ++batch) {
      const auto receipt =
          submit(log, testing::encode(plain_events(10, batch * 10)), {"node-1", 4, batch});
      ASSERT_TRUE(receipt) << receipt.error().describe();
      EXPECT_EQ(receipt->first_seq, Seq(batch * 10 - 9));
      EXPECT_EQ(receipt->rows, 10U);
      EXPECT_EQ(receipt->duplicate, life > 0);
    }
    if (life == 1) {
      ASSERT_TRUE(log.seal());
    }
    EXPECT_EQ(read_all(log.snapshot()).size(), 30U);
    ASSERT_EQ(log.producers().size(), 1U);
    EXPECT_EQ(log.producers()[0].last_batch, 3U);
  }
}

TEST(StoreProducers, TheEpochBeforeIsKnownAcrossSealingAndReopening) {
  SimDisk disk;
  for (int life = 0; life < 3; ++life) {
    const auto store = open_store(disk);
    Log& log = log_of(*store);
    Seq first(1);
    // In the order in which they are stored first: the lower epoch, then the one that ends it.
    for (const std::uint64_t epoch : {4U, 9U}) {
      const auto receipt =
          submit(log, testing::encode(plain_events(10, epoch)), {"node-1", epoch, 1});
      ASSERT_TRUE(receipt) << receipt.error().describe();
      EXPECT_EQ(receipt->first_seq, first);
      EXPECT_EQ(receipt->duplicate, life > 0);
      first += 10;
    }
    EXPECT_EQ(error_of(submit(log, testing::encode(plain_events(1)), {"node-1", 4, 2})),
              "out_of_order");
    if (life == 1) {
      ASSERT_TRUE(log.seal());
    }
    EXPECT_EQ(read_all(log.snapshot()).size(), 20U);
  }
}

TEST(StoreProducers, GapIsRefusedWithTheExpectedNumberAndNothingIsStored) {
  SimDisk disk;
  const auto store = open_store(disk);
  Log& log = log_of(*store);
  const auto refused = submit(log, testing::encode(plain_events(1)), {"node-1", 4, 2});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::out_of_order);
  EXPECT_EQ(refused.error().offset, 1U);
  EXPECT_EQ(log.snapshot().last_seq, Seq(0));
}

TEST(StoreProducers, NumberedBatchWithoutRowsIsTakenOnceAndForEver) {
  SimDisk disk;
  for (int life = 0; life < 2; ++life) {
    const auto store = open_store(disk);
    Log& log = log_of(*store);
    const auto receipt = submit(log, testing::encode({}), {"node-1", 1, 1});
    ASSERT_TRUE(receipt);
    EXPECT_EQ(receipt->rows, 0U);
    EXPECT_EQ(receipt->duplicate, life > 0);
    EXPECT_TRUE(read_all(log.snapshot()).empty());
    ASSERT_TRUE(log.seal());
  }
  const auto store = open_store(disk);
  EXPECT_EQ(error_of(submit(log_of(*store), testing::encode({}), {"node-1", 1, 3})),
            "out_of_order");
  EXPECT_EQ(error_of(submit(log_of(*store), testing::encode(plain_events(1)), {"node-1", 1, 2})),
            "none");
  EXPECT_EQ(error_of(submit(log_of(*store), testing::encode({}), {"node-1", 0, 0})),
            "invalid_argument")
      << "unnumbered and empty says nothing";
}

TEST(StoreProducers, NodeThatIsNoneIsRefused) {
  SimDisk disk;
  const auto store = open_store(disk);
  const auto batch = testing::encode(plain_events(1));
  EXPECT_EQ(error_of(submit(log_of(*store), batch, {"", 0, 0})), "invalid_argument");
  EXPECT_EQ(error_of(submit(log_of(*store), batch, {std::string(129, 'x'), 0, 0})),
            "invalid_argument");
  EXPECT_EQ(error_of(submit(log_of(*store), batch, {"\xff", 1, 1})), "invalid_argument");
}

TEST(StoreCommit, BatchesOfOneCallerAreStoredInTheirOrder) {
  SimDisk disk;
  const auto store = open_store(disk);
  Log& log = log_of(*store);
  std::vector<Answer> answers(200);
  for (std::uint64_t n = 0; n < answers.size(); ++n) {
    log.submit(testing::encode(plain_events(3, n * 3)), {"node-1", 1, n + 1}, testing::receipt_time,
               answers[n].completion());
  }
  for (std::uint64_t n = 0; n < answers.size(); ++n) {
    const auto receipt = answers[n].future.get();
    ASSERT_TRUE(receipt);
    EXPECT_EQ(receipt->first_seq, Seq(n * 3 + 1));
  }
  EXPECT_TRUE(read_all(log.snapshot()) == as_stored(plain_events(600)));
  const LogStats stats = log.stats();
  EXPECT_EQ(stats.batches, 200U);
  EXPECT_LE(stats.commits, 200U);
  EXPECT_EQ(stats.queued_bytes, 0U);
}

TEST(StoreCommit, WhatIsHeldIsOneGroup) {
  SimDisk disk;
  const auto store = open_store(disk);
  Log& log = log_of(*store);
  log.start_commit();  // of nothing
  std::uint64_t batch = 0;
  std::uint64_t commits = 0;
  // A committer that is awake, for a mark or because it has just begun, takes what is there.
  for (int i = 0; i < 10 && commits != 1; ++i) {
    const std::uint64_t before = log.stats().commits;
    std::vector<Answer> answers(4);
    for (Answer& answer : answers) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));  // whoever is woken comes
      log.submit_held(testing::encode(plain_events(3, batch * 3)), {"node-1", 1, batch + 1},
                      testing::receipt_time, answer.completion());
      ++batch;
    }
    log.start_commit();
    for (std::uint64_t n = 0; n < answers.size(); ++n) {
      const auto receipt = answers[n].future.get();
      ASSERT_TRUE(receipt);
      EXPECT_EQ(receipt->first_seq, Seq((batch - answers.size() + n) * 3 + 1));
    }
    commits = log.stats().commits - before;
  }
  EXPECT_EQ(commits, 1U);
}

TEST(StoreCommit, WhatIsHeldGoesWithTheNextOneAndIsNotLeftAtTheEnd) {
  SimDisk disk;
  const auto store = open_store(disk);
  Log& log = log_of(*store);
  Answer first;
  Answer second;
  Answer last;
  log.submit_held(testing::encode(plain_events(3)), {"node-1", 1, 1}, testing::receipt_time,
                  first.completion());
  log.submit(testing::encode(plain_events(3, 3)), {"node-1", 1, 2}, testing::receipt_time,
             second.completion());
  EXPECT_TRUE(first.future.get());
  EXPECT_TRUE(second.future.get());
  log.submit_held(testing::encode(plain_events(3, 6)), {"node-1", 1, 3}, testing::receipt_time,
                  last.completion());
  EXPECT_TRUE(store->close());
  EXPECT_TRUE(last.future.get());
}

TEST(StoreCommit, DuplicateWithinOneGroupGetsTheOriginalReceipt) {
  SimDisk disk;
  const auto store = open_store(disk);
  Log& log = log_of(*store);
  std::vector<Answer> answers(100);
  for (Answer& answer : answers) {
    log.submit(testing::encode(plain_events(3)), {"node-1", 1, 1}, testing::receipt_time,
               answer.completion());
  }
  int originals = 0;
  for (Answer& answer : answers) {
    const auto receipt = answer.future.get();
    ASSERT_TRUE(receipt);
    EXPECT_EQ(receipt->first_seq, Seq(1));
    originals += receipt->duplicate ? 0 : 1;
  }
  EXPECT_EQ(originals, 1);
  EXPECT_EQ(read_all(log.snapshot()).size(), 3U);
}

TEST(StoreCommit, WhatIsAcknowledgedIsDurableAndWhatIsSeenIsAcknowledged) {
  SimDisk disk;
  testing::Notices notices;
  const auto store = open_store(disk, store_options(&notices));
  Log& log = log_of(*store);
  for (std::uint64_t n = 0; n < 20; ++n) {
    store_events(log, plain_events(5, n * 5));
    const Seq visible = log.snapshot().last_seq;
    EXPECT_EQ(visible, Seq(n * 5 + 5));
    const auto survivor = disk.after_power_loss(n);
    const auto reopened = open_store(*survivor);
    EXPECT_TRUE(read_all(log_of(*reopened).snapshot()) == as_stored(plain_events(n * 5 + 5)));
  }
}

TEST(StoreCommit, SnapshotIsFrozenWhileMoreIsStored) {
  SimDisk disk;
  const auto store = open_store(disk);
  Log& log = log_of(*store);
  store_events(log, plain_events(5));
  const LogSnapshot before = log.snapshot();
  store_events(log, plain_events(5, 5));
  ASSERT_TRUE(log.seal());
  store_events(log, plain_events(5, 10));
  EXPECT_EQ(before.last_seq, Seq(5));
  EXPECT_TRUE(read_all(before) == as_stored(plain_events(5)));
}

TEST(StoreClosing, CommitsWhatIsQueuedAndRefusesWhatComesAfter) {
  SimDisk disk;
  std::vector<Answer> answers(100);
  {
    const auto store = open_store(disk);
    Log& log = log_of(*store);
    for (std::uint64_t n = 0; n < answers.size(); ++n) {
      log.submit(testing::encode(plain_events(3, n * 3)), {"node-1", 0, 0}, testing::receipt_time,
                 answers[n].completion());
    }
    ASSERT_TRUE(store->close());
    EXPECT_EQ(error_of(submit(log, testing::encode(plain_events(1)))), "closed");
    EXPECT_FALSE(log.seal());
    const auto made = store->log("another");
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::closed);
    EXPECT_TRUE(store->close()) << "twice is fine";
    EXPECT_EQ(read_all(log.snapshot()).size(), 300U) << "readers go on";
  }
  for (Answer& answer : answers) {
    EXPECT_TRUE(answer.future.get());
  }
  const auto store = open_store(disk);
  EXPECT_TRUE(read_all(log_of(*store).snapshot()) == as_stored(plain_events(300)));
}

TEST(StoreFailure, FailedSyncIsUnknownAndStickyUntilReopening) {
  SimDisk disk;
  testing::Notices notices;
  auto store = open_store(disk, store_options(&notices));
  Log& log = log_of(*store);
  Log& other = log_of(*store, "other");
  store_events(log, plain_events(5));
  testing::wait_until_prepared(log, disk);
  disk.inject({.at = 1, .kinds = Io::sync});
  EXPECT_EQ(error_of(submit(log, testing::encode(plain_events(5, 5)))), "unknown_outcome");
  EXPECT_EQ(error_of(submit(log, testing::encode(plain_events(5, 5)))), "closed");
  EXPECT_TRUE(log.stats().failed);
  EXPECT_EQ(notices.count("commit_failed"), 1U);
  EXPECT_FALSE(log.seal());
  EXPECT_EQ(log.snapshot().last_seq, Seq(5)) << "what may be stored is not shown";
  EXPECT_EQ(read_all(log.snapshot()).size(), 5U) << "what is stored can be read";
  EXPECT_EQ(store_events(other, plain_events(5)), Seq(1)) << "another log goes on";
  store.reset();
  store = open_store(disk);
  EXPECT_GE(log_of(*store).snapshot().last_seq, Seq(5));
  store_events(log_of(*store), plain_events(1));
}

TEST(StoreFailure, WhatAFailedSyncHasLeftInMemoryIsDurableBeforeItIsShown) {
  std::size_t shown = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SimDisk disk;
    auto store = open_store(disk);
    store_events(log_of(*store), plain_events(5));
    testing::wait_until_prepared(log_of(*store), disk);
    disk.inject({.at = 1, .kinds = Io::sync, .seed = seed});
    EXPECT_EQ(error_of(submit(log_of(*store), testing::encode(plain_events(5, 5)))),
              "unknown_outcome");
    store.reset();
    disk.inject({});
    store = open_store(disk);
    const Seq last = log_of(*store).snapshot().last_seq;
    shown += last == Seq(10) ? 1 : 0;
    const auto survivor = disk.after_power_loss(seed);
    EXPECT_GE(log_of(*open_store(*survivor)).snapshot().last_seq, last) << "seed " << seed;
  }
  EXPECT_GT(shown, 0U) << "this test cannot tell";
}

TEST(StoreFailure, ProducersShowOnlyWhatIsDurable) {
  SimDisk disk;
  const auto store = open_store(disk);
  Log& log = log_of(*store);
  ASSERT_TRUE(submit(log, testing::encode(plain_events(5)), {"node-1", 1, 1}));
  testing::wait_until_prepared(log, disk);
  disk.inject({.at = 1, .kinds = Io::sync});
  EXPECT_EQ(error_of(submit(log, testing::encode(plain_events(5, 5)), {"node-1", 1, 2})),
            "unknown_outcome");
  ASSERT_EQ(log.producers().size(), 1U);
  EXPECT_EQ(log.producers()[0].last_batch, 1U);
}

// Strings that compress well must not grow to more than memory holds when they are sealed.
TEST(StoreSealing, BeginsBeforeTheDistinctStringsAreTooManyToHold) {
  SimDisk disk;
  const auto store = open_store(disk);
  Log& log = log_of(*store);
  std::uint64_t n = 0;
  // Ids of 240 equal bytes and a number: 2 MB of strings a batch.
  const auto next_batch = [&n] {
    auto events = plain_events(limits::block_rows_max);
    for (Event& event : events) {
      event.target.id = std::string(240, 'x') + std::to_string(n++);
      event.payload.clear();
      event.related.clear();
    }
    return events;
  };
  const auto enough = limits::segment_strings_bytes_max / (limits::block_rows_max * 240) + 2;
  std::uint64_t batches = 0;
  do {
    store_events(log, next_batch());
    ++batches;
  } while (log.stats().segments == 1 && batches < enough);
  EXPECT_EQ(log.stats().segments, 2U);
  EXPECT_GT(batches, enough / 2);
  EXPECT_LT(log.stats().bytes, std::uint64_t{64} << 20) << "the file is not what has grown";
}

TEST(StoreMark, StandsBehindTheLastGroupOfALogThatFallsQuiet) {
  SimDisk disk;
  const auto store = open_store(disk);
  store_events(log_of(*store), plain_events(5));
  store_events(log_of(*store), plain_events(5, 5));
  const auto vouched_for = [&disk] {
    const auto file = disk.open("data/logs/activity/00000000000000000001.hot", OpenMode::read);
    const auto scan =
        scan_hot_segment(**file, "activity", SegmentId(1), FileOffset(segment_header_bytes), Seq(1),
                         Seq(0), [](const BlockHeader&, const BlockSender&) {});
    return scan->durable_seq;
  };
  while (vouched_for() != Seq(10)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(store_events(log_of(*store), plain_events(5, 10)), Seq(11));
  EXPECT_TRUE(read_all(log_of(*store).snapshot()) == as_stored(plain_events(15)));
}

TEST(StoreClosing, LetsGoOfWhoeverWaitsForASealingThatFails) {
  for (std::uint64_t n = 0; n < 50; ++n) {
    SimDisk disk;
    const auto store = open_store(disk);
    Log& log = log_of(*store);
    store_events(log, plain_events(5));
    disk.set_capacity(1);
    std::thread sealing([&log] { EXPECT_FALSE(log.seal()); });
    static_cast<void>(store->close());
    sealing.join();
  }
}

}  // namespace
}  // namespace docket
