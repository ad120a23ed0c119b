#include "query/unlisted.hpp"

#include <gtest/gtest.h>

#include "tests/query/store_fixture.hpp"

namespace docket::query::testing {
namespace {

constexpr Nanos minute = 60'000'000'000;

// A segment of each list, an event a minute of it. Seqs run on.
StoreSnapshot store_of(MixedStore& store, const std::vector<std::vector<int>>& segments) {
  for (const std::vector<int>& minutes : segments) {
    std::vector<Event> events(minutes.size());
    for (std::size_t i = 0; i < minutes.size(); ++i) {
      events[i].ts = minutes[i] * minute;
      events[i].actor = Actor{"user", "7", "Ann", "owner"};
      events[i].verb = "EDIT";
      events[i].target = Target{"List", "1", ""};
    }
    store.add("activity", events, true);
  }
  return store.snapshot();
}

TEST(Unlisted, ItEndsAtTheEventThatWasListedLast) {
  MixedStore store(1);
  const StoreSnapshot snapshot = store_of(store, {{0, 1, 2}, {3, 4, 5}, {6, 7, 8}});
  const auto rest = [&](Order order, int at, const char* query = "") {
    return unlisted(snapshot.logs[0], 0, Seq(9), parsed(query), order,
                    Position{at * minute, static_cast<std::uint64_t>(at) + 1, 0});
  };
  EXPECT_EQ(rest(Order::oldest_first, 4), (Unlisted{Seq(6), Seq(9)}));
  EXPECT_EQ(rest(Order::newest_first, 4), (Unlisted{Seq(1), Seq(4)}));
  EXPECT_EQ(rest(Order::oldest_first, 2), (Unlisted{Seq(4), Seq(9)}));
  EXPECT_EQ(rest(Order::oldest_first, 8), Unlisted{});
  EXPECT_EQ(rest(Order::newest_first, 0), Unlisted{});
  // What is outside the time that is asked for will not be listed.
  EXPECT_EQ(rest(Order::newest_first, 4, "since:1970-01-01T00:03:00Z"), (Unlisted{Seq(4), Seq(4)}));
  EXPECT_EQ(rest(Order::oldest_first, 1, "until:1970-01-01T00:06:00Z"), (Unlisted{Seq(3), Seq(6)}));
}

TEST(Unlisted, TimesInAnyOrderLeaveWhatIsBehindThePlaceAlone) {
  MixedStore store(1);
  const StoreSnapshot snapshot = store_of(store, {{9, 1, 8}, {2, 7, 3}});
  const auto rest = [&](Order order, int at, std::uint64_t seq) {
    return unlisted(snapshot.logs[0], 0, Seq(6), parsed(""), order, Position{at * minute, seq, 0});
  };
  EXPECT_EQ(rest(Order::oldest_first, 2, 4), (Unlisted{Seq(1), Seq(6)}));
  EXPECT_EQ(rest(Order::oldest_first, 8, 3), (Unlisted{Seq(1), Seq(1)}));
  EXPECT_EQ(rest(Order::newest_first, 8, 3), (Unlisted{Seq(2), Seq(6)}));
  EXPECT_EQ(rest(Order::newest_first, 3, 6), (Unlisted{Seq(2), Seq(4)}));
}

TEST(Unlisted, WhatIsGoneOfItFromTheFrontIsAGap) {
  MixedStore store(1);
  LogSnapshot log = store_of(store, {{0, 1, 2}, {3, 4, 5}, {6, 7, 8}}).logs[0];
  const Unlisted rest{Seq(2), Seq(8)};
  EXPECT_FALSE(retired_of(log, rest));
  log.segments.erase(log.segments.begin(), log.segments.begin() + 2);
  const auto gap = retired_of(log, rest);
  ASSERT_TRUE(gap);
  EXPECT_EQ(*gap, (Gap{"activity", Seq(2), Seq(6), "retired before it was looked at"}));
  EXPECT_FALSE(retired_of(log, Unlisted{Seq(7), Seq(9)}));
  EXPECT_FALSE(retired_of(log, Unlisted{}));
  EXPECT_EQ(retired_of(log, Unlisted{Seq(2), Seq(3)})->last_seq, Seq(3));
  log.segments.clear();
  EXPECT_EQ(retired_of(log, rest)->last_seq, Seq(8));
}

}  // namespace
}  // namespace docket::query::testing
