#include "tests/simulation/machine.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace docket::simulation {
namespace {

// Three threads that take a lock and note who they are.
std::string order_under(std::uint64_t seed) {
  std::string order;
  Machine machine(seed);
  machine.run([&] {
    std::mutex mutex;
    std::vector<std::thread> threads;
    for (const char name : {'a', 'b', 'c'}) {
      threads.emplace_back([&order, &mutex, name] {
        for (int i = 0; i < 20; ++i) {
          const std::lock_guard lock(mutex);
          order += name;
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  });
  return order;
}

TEST(Machine, TakesTheSameTurnsUnderTheSameSeed) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(order_under(seed), order_under(seed));
  }
}

TEST(Machine, TakesOtherTurnsUnderOtherSeeds) {
  std::set<std::string> orders;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    orders.insert(order_under(seed));
  }
  EXPECT_GT(orders.size(), 20U);
}

TEST(Machine, LetsTimePassOnlyWhenAllWait) {
  Machine machine(1);
  machine.run([&] {
    const auto before = std::chrono::steady_clock::now();
    std::thread other([] { std::this_thread::sleep_for(std::chrono::hours(1)); });
    std::this_thread::sleep_for(std::chrono::minutes(1));
    const auto between = std::chrono::steady_clock::now();
    EXPECT_GE(between - before, std::chrono::minutes(1));
    EXPECT_LT(between - before, std::chrono::minutes(2));
    other.join();
    EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::hours(1));
  });
}

TEST(Machine, JumpsWithTheWallClockAlone) {
  Machine machine(1);
  machine.run([&] {
    const auto steady = std::chrono::steady_clock::now();
    const auto wall = std::chrono::system_clock::now();
    machine.jump_wall_clock(-3600 * second);
    EXPECT_LT(std::chrono::system_clock::now(), wall - std::chrono::minutes(59));
    EXPECT_GE(std::chrono::steady_clock::now(), steady);
  });
}

TEST(Machine, WakesWhoWaitsForAConditionOrItsTime) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Machine machine(seed);
    machine.run([] {
      std::mutex mutex;
      std::condition_variable changed;
      int value = 0;
      std::thread other([&] {
        std::unique_lock lock(mutex);
        EXPECT_FALSE(changed.wait_for(lock, std::chrono::seconds(1), [&] { return value == 2; }));
        value = 1;
        changed.notify_all();
      });
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return value == 1; });
      }
      other.join();
    });
  }
}

TEST(Machine, HasFuturesAndDice) {
  std::vector<std::uint32_t> drawn;
  for (int time = 0; time < 2; ++time) {
    Machine machine(7);
    machine.run([&] {
      std::promise<int> promise;
      std::thread other([&] { promise.set_value(5); });
      EXPECT_EQ(promise.get_future().get(), 5);
      other.join();
      drawn.push_back(std::random_device()());
    });
  }
  EXPECT_EQ(drawn[0], drawn[1]);
}

TEST(MachineDeathTest, SaysWhoWaitsForWhomWhenNobodyCanGoOn) {
  const auto wait_for_ever = [] {
    Machine machine(1);
    machine.run([] {
      std::mutex mutex;
      std::condition_variable never;
      std::unique_lock lock(mutex);
      never.wait(lock);
    });
  };
  EXPECT_DEATH(wait_for_ever(), "all threads wait for one another");
}

}  // namespace
}  // namespace docket::simulation
