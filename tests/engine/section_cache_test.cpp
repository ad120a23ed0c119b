#include "engine/section_cache.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace docket {
namespace {

constexpr std::uint64_t budget = 64 << 10;

using Key = SectionCache::Key;

void put(SectionCache& cache, const Key& key, const std::string& text, std::size_t bytes) {
  cache.put<std::string>(key, std::make_shared<const std::string>(text), bytes);
}

TEST(SectionCache, FindsWhatWasPutAndNothingElse) {
  SectionCache cache(budget);
  put(cache, {1, 100}, "a", 10);
  put(cache, {2, 100}, "b", 10);
  put(cache, {1, 101}, "c", 10);
  EXPECT_EQ(*cache.find<std::string>({1, 100}), "a");
  EXPECT_EQ(*cache.find<std::string>({2, 100}), "b");
  EXPECT_EQ(*cache.find<std::string>({1, 101}), "c");
  EXPECT_EQ(cache.find<std::string>({2, 101}), nullptr);
}

TEST(SectionCache, PuttingAgainReplaces) {
  SectionCache cache(budget);
  put(cache, {1, 1}, "old", 1000);
  const std::uint64_t before = cache.bytes();
  put(cache, {1, 1}, "new", 1000);
  EXPECT_EQ(*cache.find<std::string>({1, 1}), "new");
  EXPECT_EQ(cache.bytes(), before);
}

TEST(SectionCache, NeverHoldsMoreThanItsBudget) {
  SectionCache cache(budget);
  for (std::uint64_t i = 0; i < 5000; ++i) {
    put(cache, {1, i}, "x", i % 3000);
    ASSERT_LE(cache.bytes(), budget);
  }
  EXPECT_GT(cache.bytes(), budget / 2) << "the budget is not used";
}

TEST(SectionCache, SmallEntriesAreChargedForWhatKeepingThemTakes) {
  SectionCache cache(budget);
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    put(cache, {1, i}, "x", 0);
  }
  EXPECT_LE(cache.bytes(), budget);
  std::size_t kept = 0;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    kept += cache.find<std::string>({1, i}) != nullptr ? 1 : 0;
  }
  EXPECT_LT(kept, budget / 64);
}

TEST(SectionCache, LeastRecentlyUsedGoesFirst) {
  SectionCache cache(budget);
  put(cache, {7, 7}, "kept", 100);
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    ASSERT_NE(cache.find<std::string>({7, 7}), nullptr) << "used, and gone after " << i;
    put(cache, {1, i}, "passing", 100);
  }
  for (std::uint64_t i = 10'000; i < 20'000; ++i) {
    put(cache, {1, i}, "passing", 100);
  }
  EXPECT_EQ(cache.find<std::string>({7, 7}), nullptr);
}

TEST(SectionCache, WhatIsTooLargeIsNotKeptAndDrivesNothingOut) {
  SectionCache cache(budget);
  for (std::uint64_t i = 0; i < 50; ++i) {
    put(cache, {1, i}, "small", 100);
  }
  const std::uint64_t before = cache.bytes();
  put(cache, {2, 2}, "large", budget);
  EXPECT_EQ(cache.find<std::string>({2, 2}), nullptr);
  EXPECT_EQ(cache.bytes(), before);
}

TEST(SectionCache, ReaderKeepsWhatTheCacheHasLetGo) {
  SectionCache cache(budget);
  put(cache, {1, 1}, "mine", 10);
  const auto held = cache.find<std::string>({1, 1});
  for (std::uint64_t i = 2; i < 10'000; ++i) {
    put(cache, {1, i}, "x", 1000);
  }
  EXPECT_EQ(cache.find<std::string>({1, 1}), nullptr);
  EXPECT_EQ(*held, "mine");
}

TEST(SectionCache, BudgetOfNothingKeepsNothing) {
  SectionCache cache(0);
  put(cache, {1, 1}, "x", 1);
  EXPECT_EQ(cache.find<std::string>({1, 1}), nullptr);
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST(SectionCache, OwnersAreUnique) {
  EXPECT_NE(SectionCache::next_owner(), SectionCache::next_owner());
}

TEST(SectionCache, ThreadsShareIt) {
  SectionCache cache(budget);
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&cache, t] {
      for (std::uint64_t i = 0; i < 5000; ++i) {
        const Key key{1, (i * 7 + t) % 300};
        const auto found = cache.find<std::string>(key);
        if (found) {
          EXPECT_EQ(*found, std::to_string(key.place));
        } else {
          put(cache, key, std::to_string(key.place), 500);
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_LE(cache.bytes(), budget);
}

}  // namespace
}  // namespace docket
