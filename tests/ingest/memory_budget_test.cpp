#include "ingest/memory_budget.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace docket::ingest {
namespace {

struct Waiting {
  int granted = 0;
  std::function<void()> callback() {
    return [this] { ++granted; };
  }
};

TEST(MemoryBudget, WhatFitsIsGivenAtOnceAndTheRestWaits) {
  MemoryBudget budget(100);
  MemoryBudget::Account a;
  MemoryBudget::Account b;
  Waiting w;
  EXPECT_TRUE(budget.take(a, 60, w.callback()));
  EXPECT_FALSE(budget.longest_wait().has_value());
  EXPECT_FALSE(budget.take(b, 50, w.callback()));
  EXPECT_TRUE(budget.longest_wait().has_value());
  EXPECT_EQ(w.granted, 0);
  budget.give_back(a, 10);
  EXPECT_EQ(w.granted, 1);
  EXPECT_EQ(budget.used(), 100U);
  budget.settle(a);
  budget.settle(b);
  EXPECT_EQ(budget.used(), 0U);
}

TEST(MemoryBudget, ARequestLargerThanAllIsServedWhenNothingIsHeld) {
  MemoryBudget budget(100);
  MemoryBudget::Account a;
  MemoryBudget::Account b;
  Waiting w;
  EXPECT_TRUE(budget.take(a, 1, w.callback()));
  EXPECT_FALSE(budget.take(b, 500, w.callback()));
  budget.give_back(a, 1);
  EXPECT_EQ(w.granted, 1);
  budget.settle(b);
}

TEST(MemoryBudget, TheGreedyWaitBehindThoseWithinTheirShare) {
  MemoryBudget budget(100);
  MemoryBudget::Account greedy;
  MemoryBudget::Account modest;
  Waiting more;
  Waiting first;
  EXPECT_TRUE(budget.take(greedy, 100, {}));
  EXPECT_FALSE(budget.take(greedy, 20, more.callback()));
  EXPECT_FALSE(budget.take(modest, 20, first.callback()));
  budget.give_back(greedy, 20);
  EXPECT_EQ(first.granted, 1);  // although it came second
  EXPECT_EQ(more.granted, 0);
  budget.give_back(greedy, 20);
  EXPECT_EQ(more.granted, 1);
  budget.settle(greedy);
  budget.settle(modest);
}

TEST(MemoryBudget, FreeMemoryIsGivenToTheGreedyWhenNobodyElseWantsIt) {
  MemoryBudget budget(100);
  MemoryBudget::Account a;
  MemoryBudget::Account b;
  EXPECT_TRUE(budget.take(a, 80, {}));
  EXPECT_TRUE(budget.take(b, 10, {}));
  EXPECT_TRUE(budget.take(a, 10, {}));
  budget.settle(a);
  budget.settle(b);
}

TEST(MemoryBudget, SmallRequestsDoNotOvertakeALargeOneForEver) {
  MemoryBudget budget(100);
  MemoryBudget::Account holder;
  MemoryBudget::Account large;
  MemoryBudget::Account small;
  Waiting l;
  Waiting s;
  EXPECT_TRUE(budget.take(holder, 90, {}));
  EXPECT_FALSE(budget.take(large, 50, l.callback()));
  EXPECT_FALSE(budget.take(small, 10, s.callback()));
  EXPECT_FALSE(budget.try_take(small, 1));
  budget.give_back(holder, 30);
  EXPECT_EQ(l.granted + s.granted, 0);
  budget.give_back(holder, 10);
  EXPECT_EQ(l.granted, 1);
  EXPECT_EQ(s.granted, 0);
  budget.settle(holder);
  EXPECT_EQ(s.granted, 1);
  budget.settle(large);
  budget.settle(small);
}

TEST(MemoryBudget, LargeRequestsLeaveAQuarterToSmallAccountsWhichOvertakeThem) {
  MemoryBudget budget(100, 10);
  MemoryBudget::Account holder;
  MemoryBudget::Account large;
  MemoryBudget::Account small;
  MemoryBudget::Account other;
  Waiting l;
  Waiting s;
  EXPECT_TRUE(budget.take(holder, 70, {}));
  EXPECT_FALSE(budget.take(large, 20, l.callback())) << "a quarter is not for it";
  EXPECT_TRUE(budget.take(small, 10, {})) << "and this one does not wait behind it";
  EXPECT_TRUE(budget.try_take(other, 10));
  EXPECT_FALSE(budget.try_take(small, 1)) << "it would not be small any more";
  budget.give_back(small, 5);
  EXPECT_TRUE(budget.take(small, 5, {}));
  EXPECT_EQ(budget.used(), 90U);
  MemoryBudget::Account third;
  MemoryBudget::Account fourth;
  EXPECT_TRUE(budget.take(third, 10, {}));
  EXPECT_FALSE(budget.take(fourth, 10, s.callback())) << "small ones wait for one another";
  EXPECT_FALSE(budget.try_take(holder, 1));
  budget.give_back(third, 10);
  EXPECT_EQ(s.granted, 1);
  EXPECT_EQ(l.granted, 0);
  budget.settle(holder);
  EXPECT_EQ(l.granted, 1);
  for (auto* account : {&large, &small, &other, &third, &fourth}) {
    budget.settle(*account);
  }
  EXPECT_EQ(budget.used(), 0U);
}

TEST(MemoryBudget, AWaiterThatLeavesLetsTheNextOneIn) {
  MemoryBudget budget(100);
  MemoryBudget::Account holder;
  MemoryBudget::Account leaver;
  MemoryBudget::Account next;
  Waiting l;
  Waiting n;
  EXPECT_TRUE(budget.take(holder, 60, {}));
  EXPECT_FALSE(budget.take(leaver, 100, l.callback()));
  EXPECT_FALSE(budget.take(next, 40, n.callback()));
  budget.settle(leaver);
  EXPECT_EQ(l.granted, 0);
  EXPECT_EQ(n.granted, 1);
  budget.settle(holder);
  budget.settle(next);
}

TEST(MemoryBudget, LeavingTheLineKeepsWhatIsHeld) {
  MemoryBudget budget(100);
  MemoryBudget::Account a;
  MemoryBudget::Account b;
  Waiting w;
  EXPECT_TRUE(budget.take(a, 60, {}));
  EXPECT_FALSE(budget.take(a, 60, w.callback()));
  budget.leave(a);
  budget.leave(a);
  EXPECT_EQ(budget.used(), 60U);
  EXPECT_TRUE(budget.take(b, 40, {}));
  budget.give_back(a, 60);
  EXPECT_EQ(w.granted, 0);
  budget.settle(b);
  EXPECT_EQ(budget.used(), 0U);
}

TEST(MemoryBudget, ForcedBytesCountAndHoldUpOthers) {
  MemoryBudget budget(100);
  MemoryBudget::Account a;
  MemoryBudget::Account b;
  budget.force(a, 150);
  EXPECT_EQ(budget.used(), 150U);
  EXPECT_FALSE(budget.try_take(b, 1));
  budget.settle(a);
  EXPECT_TRUE(budget.try_take(b, 1));
  budget.settle(b);
}

TEST(MemoryBudget, WaitsThatAreAbandonedLetGoOfWhoWaited) {
  MemoryBudget budget(100);
  MemoryBudget::Account holder;
  MemoryBudget::Account waiter;
  EXPECT_TRUE(budget.take(holder, 100, {}));
  auto who = std::make_shared<int>(0);
  const std::weak_ptr<int> seen = who;
  EXPECT_FALSE(budget.take(waiter, 10, [who] { ++*who; }));
  who.reset();
  EXPECT_FALSE(seen.expired());
  budget.abandon_waits();
  EXPECT_TRUE(seen.expired());
  EXPECT_FALSE(budget.longest_wait().has_value());
  budget.settle(holder);
  budget.settle(waiter);
  EXPECT_EQ(budget.used(), 0U);
}

}  // namespace
}  // namespace docket::ingest
