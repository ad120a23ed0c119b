#include "query/explain.hpp"

#include <gtest/gtest.h>

#include "query/parser.hpp"
#include "tests/query/store_fixture.hpp"

namespace docket::query::testing {
namespace {

constexpr Nanos minute = 60'000'000'000;

// A minute apart from `first` on; every second one a deletion, every thousandth by an actor of its
// own.
std::vector<Event> some_events(std::size_t count, Nanos first) {
  std::vector<Event> events(count);
  for (std::size_t i = 0; i < count; ++i) {
    events[i].ts = first + static_cast<Nanos>(i) * minute;
    events[i].actor = Actor{"user", i % 5000 == 7 ? "rare" : "7", "Ann", "owner"};
    events[i].verb = i % 2 == 0 ? "CREATE" : "DELETE";
    events[i].target = Target{"List", "1", ""};
    events[i].payload = R"({"n":)" + std::to_string(i) + "}";
  }
  return events;
}

Explanation explained(MixedStore& store, const std::string& text) {
  auto found = store.searcher().explain(parsed(text));
  EXPECT_TRUE(found);
  return found.value_or(Explanation());
}

// Three sealed segments a year apart, and an active one behind them.
class Explain : public ::testing::Test {
 protected:
  Explain() : store_(1) {
    for (Nanos year = 0; year < 3; ++year) {
      store_.add("activity", some_events(20'000, year * 525'600 * minute), true);
    }
    store_.add("activity", some_events(100, Nanos{3} * 525'600 * minute), false);
  }
  MixedStore store_;
};

TEST_F(Explain, CountsWhatTheCountCountsAndTellsItsCounters) {
  for (const char* text : {"", "verb:DELETE", "actor:rare since:1971-01-01T00:00:00Z",
                           "verb:DELETE -actor:rare payload:99", "verb:NONE"}) {
    Searcher counting = store_.searcher();
    const auto counted = counting.count(parsed(text));
    ASSERT_TRUE(counted);
    const Explanation found = explained(store_, text);
    EXPECT_EQ(found.count, counted->count) << text;
    EXPECT_EQ(found.counters.segments, counting.counters().segments) << text;
    EXPECT_EQ(found.counters.segments_pruned, counting.counters().segments_pruned) << text;
    EXPECT_EQ(found.counters.blocks, counting.counters().blocks) << text;
    EXPECT_EQ(found.counters.blocks_pruned, counting.counters().blocks_pruned) << text;
    EXPECT_EQ(found.counters.postings_read, counting.counters().postings_read) << text;
    EXPECT_EQ(found.counters.columns_scanned, counting.counters().columns_scanned) << text;
    EXPECT_EQ(found.counters.payload_rows_scanned, counting.counters().payload_rows_scanned);
  }
}

TEST_F(Explain, TellsSegmentsOutsideTheTimeFromThoseWithoutTheValue) {
  const Explanation found = explained(store_, "verb:NONE until:1971-06-01T00:00:00Z");
  EXPECT_EQ(found.counters.segments, 4U);
  EXPECT_EQ(found.counters.segments_outside, 2U);
  EXPECT_EQ(found.counters.segments_pruned, 4U);
  ASSERT_EQ(found.conditions.size(), 2U);
  EXPECT_EQ(found.conditions[0].condition, "verb:NONE");
  EXPECT_EQ(found.conditions[0].segments, 2U);
  EXPECT_EQ(found.conditions[0].without, 2U);
  EXPECT_EQ(found.conditions[1].condition, "until:1971-06-01T00:00:00Z");
  EXPECT_EQ(found.conditions[1].every_row, 2U);
}

TEST_F(Explain, TellsFrequentValuesFromRareOnes) {
  const Explanation found = explained(store_, "verb:DELETE actor:rare");
  ASSERT_EQ(found.conditions.size(), 2U);
  const ConditionPlan& verb = found.conditions[0];
  EXPECT_EQ(verb.bitmaps, 3U);
  EXPECT_EQ(verb.bitmap_rows, 30'000U);
  EXPECT_EQ(verb.rare_values, 0U);
  EXPECT_EQ(verb.scanned, 1U) << "the active segment";
  const ConditionPlan& actor = found.conditions[1];
  EXPECT_EQ(actor.bitmaps, 0U);
  EXPECT_EQ(actor.rare_values, 3U);
  EXPECT_EQ(actor.rare_rows, 12U);
  EXPECT_EQ(found.count, 13U);
}

TEST_F(Explain, ListsEachConditionOnceWhereverItStands) {
  const Explanation found = explained(store_, "(verb:DELETE OR -(verb:DELETE actor:x)) payload:7");
  ASSERT_EQ(found.conditions.size(), 3U);
  EXPECT_EQ(found.conditions[0].condition, "verb:DELETE");
  EXPECT_EQ(found.conditions[1].condition, "actor:x");
  EXPECT_EQ(found.conditions[2].condition, "payload:7");
  EXPECT_EQ(found.conditions[2].scanned, 4U);
  EXPECT_TRUE(explained(store_, "").conditions.empty());
}

TEST_F(Explain, SaysHowManyConditionsItLeavesOut) {
  std::string text;
  for (std::size_t i = 0; i < explained_conditions_max + 3; ++i) {
    text += (i == 0 ? "" : " AND ") + std::string("actor:a") + std::to_string(i);
  }
  const Explanation found = explained(store_, text);
  EXPECT_EQ(found.conditions.size(), explained_conditions_max);
  EXPECT_EQ(found.conditions_left_out, 3U);
}

TEST_F(Explain, NamesTheLogsThatAreAsked) {
  store_.add("api", some_events(10, 0), true);
  store_.add("docket", some_events(10, 0), true);
  EXPECT_EQ(explained(store_, "").logs, (std::vector<std::string>{"activity", "api"}));
  EXPECT_EQ(explained(store_, "log:docket").logs, (std::vector<std::string>{"docket"}));
}

}  // namespace
}  // namespace docket::query::testing
