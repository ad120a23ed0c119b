#include "query/row_search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "tests/query/store_fixture.hpp"

namespace docket::query::testing {
namespace {

// Ten nanoseconds apart, each up to `disorder` too early.
std::vector<Event> events_in_disorder(std::size_t count, std::uint64_t disorder,
                                      std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Event> events(count);
  for (std::size_t i = 0; i < count; ++i) {
    events[i].ts = static_cast<Nanos>(i) * 10 - static_cast<Nanos>(random() % disorder);
    events[i].actor = Actor{"user", "7", "Ann", "owner"};
    events[i].verb = i % 3 == 0 ? "CREATE" : "DELETE";
    events[i].target = Target{"List", "1", ""};
  }
  return events;
}

// All of them by pages, as "log:seq".
std::vector<std::string> walk(MixedStore& store, const Query& query, Order order,
                              std::uint32_t limit) {
  PageRequest request;
  request.order = order;
  request.limit = limit;
  std::vector<std::string> walked;
  do {
    const auto page = store.searcher().search(query, request);
    EXPECT_TRUE(page) << page.error().message;
    if (!page) {
      break;
    }
    for (const Event& event : page->events) {
      walked.push_back(event.log + ":" + std::to_string(event.seq.value));
    }
    request.cursor = page->next;
  } while (!request.cursor.empty());
  return walked;
}

std::vector<std::string> sorted(const MixedStore& store, const std::string& verb, Order order) {
  std::vector<std::tuple<Nanos, std::uint64_t, std::string>> places;
  for (const Event& event : store.events()) {
    if (verb.empty() || event.verb == verb) {
      places.emplace_back(event.ts, event.seq.value, event.log);
    }
  }
  std::sort(places.begin(), places.end());
  if (order == Order::newest_first) {
    std::reverse(places.begin(), places.end());
  }
  std::vector<std::string> names;
  for (const auto& [ts, seq, log] : places) {
    names.push_back(log + ":" + std::to_string(seq));
  }
  return names;
}

// From rows that stand in their order to rows, and blocks, that stand in none.
TEST(RowSearch, RowsAreFoundInOrderHoweverTheyStand) {
  for (const std::uint64_t disorder : {1ULL, 15ULL, 3'000ULL, 100'000ULL, 1'000'000ULL}) {
    MixedStore store(1);
    store.add("alpha", events_in_disorder(20'000, disorder, 1), true);
    store.add("alpha", events_in_disorder(3'000, disorder, 2), false);
    store.add("beta", events_in_disorder(9'000, disorder, 3), true, 3'000);
    for (const Order order : {Order::newest_first, Order::oldest_first}) {
      for (const std::uint32_t limit : {137U, 5'000U}) {
        EXPECT_EQ(walk(store, parsed(""), order, limit), sorted(store, "", order)) << disorder;
      }
      EXPECT_EQ(walk(store, parsed("verb:CREATE"), order, 300), sorted(store, "CREATE", order))
          << disorder;
    }
  }
}

// The least and the greatest time there can be bound nothing.
TEST(RowSearch, TheEndsOfTimeAreFound) {
  MixedStore store(1);
  std::vector<Event> events = events_in_disorder(6'000, 1, 1);
  for (std::size_t i = 0; i < events.size(); ++i) {
    events[i].ts = i % 2 == 0 ? INT64_MAX : INT64_MIN;
  }
  store.add("alpha", events, true);
  for (const Order order : {Order::newest_first, Order::oldest_first}) {
    EXPECT_EQ(walk(store, parsed(""), order, 700), sorted(store, "", order));
  }
}

}  // namespace
}  // namespace docket::query::testing
