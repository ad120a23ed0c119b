#include "query/worker_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine/read_account.hpp"

namespace docket::query {
namespace {

TEST(WorkerPool, EveryItemIsDoneOnceByWorkersWithNumbersOfTheirOwn) {
  for (const std::size_t threads : {0, 1, 3}) {
    WorkerPool pool(threads);
    EXPECT_EQ(pool.workers(), threads + 1);
    for (const std::size_t items : {0, 1, 2, 1000}) {
      std::vector<std::atomic<int>> done(items);
      std::vector<std::atomic<int>> at_work(pool.workers());
      std::atomic<bool> shared{false};
      pool.run(items, [&](std::size_t item, std::size_t worker) {
        shared = shared || at_work[worker]++ != 0;
        ++done[item];
        --at_work[worker];
      });
      for (const std::atomic<int>& times : done) {
        EXPECT_EQ(times, 1);
      }
      EXPECT_FALSE(shared);
    }
  }
}

TEST(WorkerPool, QuestionsAtTheSameTimeShareTheThreads) {
  WorkerPool pool(2);
  std::atomic<std::size_t> sum{0};
  std::vector<std::thread> askers;
  for (int asker = 0; asker < 4; ++asker) {
    askers.emplace_back([&] {
      for (int turn = 0; turn < 200; ++turn) {
        pool.run(10, [&](std::size_t item, std::size_t) { sum += item; });
      }
    });
  }
  for (std::thread& asker : askers) {
    asker.join();
  }
  EXPECT_EQ(sum, 4U * 200 * 45);
}

// Both sides of the work wait for one another, so that a helper has certainly read.
TEST(WorkerPool, WhatHelpersReadIsReadByTheAsker) {
  WorkerPool pool(1);
  const ReadAccount account;
  std::atomic<int> here{0};
  pool.run(2, [&](std::size_t, std::size_t worker) {
    ++here;
    while (here < 2) {
      std::this_thread::yield();
    }
    ReadAccount::add(worker == 0 ? 1 : 100);
  });
  EXPECT_EQ(account.bytes(), 101U);
}

TEST(WorkerPool, WhatGoesOnBesideIsDoneOnceByTheAsker) {
  WorkerPool pool(2);
  for (const std::size_t items : {0U, 1U, 7U}) {
    std::size_t calls = 0;
    std::atomic<std::size_t> done = 0;
    const auto asker = std::this_thread::get_id();
    pool.run(
        items, [&](std::size_t, std::size_t) { ++done; },
        [&] {
          ++calls;
          EXPECT_EQ(std::this_thread::get_id(), asker);
        });
    EXPECT_EQ(calls, 1U);
    EXPECT_EQ(done, items);
  }
}

TEST(WorkerPool, HelpersDoTheItemsWhileTheAskerWaitsBeside) {
  WorkerPool pool(2);
  std::atomic<std::size_t> done = 0;
  pool.run(
      5, [&](std::size_t, std::size_t) { ++done; },
      [&] {
        while (done < 5) {
          std::this_thread::yield();
        }
      });
  EXPECT_EQ(done, 5U);
}

TEST(WorkerPool, WhatIsThrownBesideIsThrownOnceAllHaveStopped) {
  WorkerPool pool(2);
  std::atomic<int> at_work = 0;
  EXPECT_THROW(pool.run(
                   50,
                   [&](std::size_t, std::size_t) {
                     ++at_work;
                     std::this_thread::yield();
                     --at_work;
                   },
                   [] { throw std::runtime_error("full"); }),
               std::runtime_error);
  EXPECT_EQ(at_work, 0);
}

TEST(WorkerPool, WhatACallThrowsIsThrownOnceAllHaveStopped) {
  WorkerPool pool(2);
  for (const std::size_t thrower : {0, 1}) {  // the asker, some helper
    std::atomic<int> here{0};
    std::atomic<int> running{0};
    EXPECT_THROW(pool.run(3,
                          [&](std::size_t, std::size_t worker) {
                            ++running;
                            ++here;
                            while (here < 3) {
                              std::this_thread::yield();
                            }
                            --running;
                            if ((worker != 0) == (thrower != 0)) {
                              throw std::bad_alloc();
                            }
                          }),
                 std::bad_alloc);
    EXPECT_EQ(running, 0);
  }
  std::atomic<int> after{0};
  pool.run(5, [&](std::size_t, std::size_t) { ++after; });
  EXPECT_EQ(after, 5);
}

}  // namespace
}  // namespace docket::query
