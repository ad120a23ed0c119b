#include "query/searcher.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/query/store_fixture.hpp"
#include "tests/support/random_events.hpp"

namespace docket::query::testing {
namespace {

using docket::testing::MemorySegment;
using docket::testing::RandomEvents;

// Events a minute apart, from minute 0 on, all of one actor and verb unless changed.
std::vector<Event> plain_events(std::size_t count) {
  std::vector<Event> events(count);
  for (std::size_t i = 0; i < count; ++i) {
    events[i].ts = static_cast<Nanos>(i) * 60'000'000'000;
    events[i].actor = Actor{"user", "7", "Ann", "owner"};
    events[i].verb = i % 2 == 0 ? "CREATE" : "DELETE";
    events[i].target = Target{"List", std::to_string(i), ""};
    events[i].payload = R"({"n":)" + std::to_string(i) + "}";
  }
  return events;
}

std::uint64_t count_of(MixedStore& store, const std::string& text) {
  const auto answer = store.searcher().count(parsed(text));
  EXPECT_TRUE(answer);
  EXPECT_TRUE(answer->gaps.empty()) << text;
  return answer->count;
}

TEST(Searcher, AnEmptyStoreHasNoEvents) {
  MixedStore store(1);
  EXPECT_EQ(count_of(store, ""), 0U);
  const auto page = store.searcher().search(parsed(""), PageRequest{});
  ASSERT_TRUE(page);
  EXPECT_TRUE(page->events.empty());
  EXPECT_TRUE(page->next.empty());
}

TEST(Searcher, TheSystemsLogIsLeftOutUnlessNamed) {
  MixedStore store(1);
  store.add("activity", plain_events(10), true);
  store.add("docket", plain_events(4), true);
  EXPECT_EQ(count_of(store, ""), 10U);
  EXPECT_EQ(count_of(store, "log:docket"), 4U);
  EXPECT_EQ(count_of(store, "log:*"), 14U);
  EXPECT_EQ(count_of(store, "log:docket,activity verb:DELETE"), 7U);
}

TEST(Searcher, WordsAreFoundInAnyCaseAndBehindEscapes) {
  for (const bool sealed : {true, false}) {
    MixedStore store(1);
    std::vector<Event> events = plain_events(4);
    events[0].actor.name = "Jürgen Groß";
    events[1].target.name = "Project Ωmega";
    events[2].target.type = "Çelik";
    events[2].payload = R"({"n":"caf\u00e9 \"Noir\""})";
    events[3].payload = R"({"n":"Café"})";
    store.add("activity", events, sealed);
    EXPECT_EQ(count_of(store, "JÜRGEN"), 1U);
    EXPECT_EQ(count_of(store, "ωMEGA"), 1U);
    EXPECT_EQ(count_of(store, "target.type:çelik"), 1U);
    EXPECT_EQ(count_of(store, "café"), 2U);
    EXPECT_EQ(count_of(store, "payload:CAFÉ"), 2U);
    EXPECT_EQ(count_of(store, R"(payload:"\"noir\"")"), 1U);
    EXPECT_EQ(count_of(store, R"(payload:"caf\\u00e9")"), 1U);
    EXPECT_EQ(count_of(store, "-café"), 2U);
  }
}

TEST(Searcher, ACountOverWholeSegmentsReadsNoRow) {
  MixedStore store(1);
  store.add("activity", plain_events(20'000), true);
  Searcher searcher = store.searcher();
  const auto all = searcher.count(parsed(""));
  ASSERT_TRUE(all);
  EXPECT_EQ(all->count, 20'000U);
  const auto deleted = searcher.count(parsed("verb:DELETE"));
  ASSERT_TRUE(deleted);
  EXPECT_EQ(deleted->count, 10'000U);
  EXPECT_EQ(searcher.counters().columns_scanned, 0U);
}

TEST(Searcher, ARareTargetReadsOnlyItsBlock) {
  MixedStore store(1);
  store.add("activity", plain_events(5 * limits::block_rows_max), true);
  Searcher searcher = store.searcher();
  const auto page = searcher.search(parsed("target:List:20000"), PageRequest{});
  ASSERT_TRUE(page);
  ASSERT_EQ(page->events.size(), 1U);
  EXPECT_EQ(page->events[0].target.id, "20000");
  EXPECT_EQ(searcher.counters().columns_scanned, 1U);
  EXPECT_EQ(searcher.counters().blocks_pruned, 4U);
}

TEST(Searcher, NewestEventsComeFromTheNewestBlockAlone) {
  MixedStore store(1);
  store.add("activity", plain_events(5 * limits::block_rows_max), true);
  Searcher searcher = store.searcher();
  PageRequest request;
  request.limit = 3;
  const auto page = searcher.search(parsed(""), request);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->events.size(), 3U);
  EXPECT_EQ(page->events[0].seq, Seq(5 * limits::block_rows_max));
  EXPECT_EQ(searcher.counters().events_decoded, 3U);
  // Neither is an index built for it.
  EXPECT_EQ(store.catalog().stats().built, 0U);
}

TEST(Searcher, EventsOfOneInstantAreInTheOrderOfSeqThenLog) {
  MixedStore store(1);
  std::vector<Event> events = plain_events(3);
  for (Event& event : events) {
    event.ts = 5;
  }
  store.add("beta", events, true);
  store.add("alpha", events, false);
  PageRequest request;
  request.order = Order::oldest_first;
  const auto page = store.searcher().search(parsed(""), request);
  ASSERT_TRUE(page);
  std::vector<std::string> names;
  for (const Event& event : page->events) {
    names.push_back(event.log + std::to_string(event.seq.value));
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{"alpha1", "beta1", "alpha2", "beta2", "alpha3", "beta3"}));
}

// More of them than are compared at a time, and a page that ends among them.
TEST(Searcher, APageEndsWithinManyEventsOfOneInstantAsItShould) {
  for (const bool alpha_has_more : {true, false}) {
    MixedStore store(1);
    std::vector<Event> events = plain_events(5000);
    for (Event& event : events) {
      event.ts = 5;
    }
    const std::vector<Event> fewer(events.begin(), events.begin() + 3000);
    store.add("alpha", alpha_has_more ? events : fewer, true);
    store.add("beta", alpha_has_more ? fewer : events, true);
    const std::string more = alpha_has_more ? "alpha" : "beta";
    PageRequest request;
    request.limit = 20;
    const auto newest = store.searcher().search(parsed(""), request);
    request.order = Order::oldest_first;
    const auto oldest = store.searcher().search(parsed(""), request);
    ASSERT_TRUE(newest && oldest);
    for (std::uint64_t i = 0; i < 20; ++i) {
      EXPECT_EQ(newest->events[i].log, more);
      EXPECT_EQ(newest->events[i].seq, Seq(5000 - i));
      EXPECT_EQ(oldest->events[i].log, i % 2 == 0 ? "alpha" : "beta");
      EXPECT_EQ(oldest->events[i].seq, Seq(1 + i / 2));
    }
  }
}

TEST(Searcher, ALimitOutsideItsBoundsIsRefused) {
  MixedStore store(1);
  PageRequest request;
  for (const std::uint32_t limit : {0U, page_limit_max + 1}) {
    request.limit = limit;
    const auto page = store.searcher().search(parsed(""), request);
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().code, ErrorCode::invalid_argument);
  }
}

TEST(Searcher, ACursorOfAnotherQueryOrOrderIsRefused) {
  MixedStore store(1);
  store.add("activity", plain_events(10), true);
  PageRequest request;
  request.limit = 2;
  const auto page = store.searcher().search(parsed("verb:CREATE"), request);
  ASSERT_TRUE(page);
  request.cursor = page->next;
  EXPECT_TRUE(store.searcher().search(parsed("verb:CREATE"), request));
  EXPECT_FALSE(store.searcher().search(parsed("verb:DELETE"), request));
  request.order = Order::oldest_first;
  EXPECT_FALSE(store.searcher().search(parsed("verb:CREATE"), request));
  request.order = Order::newest_first;
  request.cursor.back() = request.cursor.back() == 'A' ? 'B' : 'A';
  const auto damaged = store.searcher().search(parsed("verb:CREATE"), request);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::invalid_argument);
}

TEST(Searcher, ACancelledQueryStops) {
  MixedStore store(1);
  store.add("activity", plain_events(100), true);
  const std::atomic<bool> cancel{true};
  Searcher searcher(store.snapshot(), store.catalog(), &cancel);
  const auto count = searcher.count(parsed("verb:CREATE"));
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().code, ErrorCode::cancelled);
  EXPECT_FALSE(searcher.search(parsed(""), PageRequest{}));
  EXPECT_FALSE(searcher.facets(parsed(""), {Field::verb}, 5));
  EXPECT_FALSE(searcher.histogram(parsed(""), BucketWidth{}, TimeZone::utc(), std::nullopt));
}

TEST(Searcher, AnEventIsFoundByItsName) {
  MixedStore store(1);
  store.add("activity", plain_events(20'000), true);
  store.add("activity", plain_events(50), false);
  for (const std::uint64_t seq : {1U, 8192U, 8193U, 20'000U, 20'001U, 20'050U}) {
    const auto event = store.searcher().event("activity", Seq(seq));
    ASSERT_TRUE(event) << seq;
    EXPECT_EQ(*event, store.events()[seq - 1]);
  }
  for (const std::uint64_t seq : {0U, 20'051U}) {
    const auto event = store.searcher().event("activity", Seq(seq));
    ASSERT_FALSE(event);
    EXPECT_EQ(event.error().code, ErrorCode::not_found);
  }
  EXPECT_FALSE(store.searcher().event("campaign", Seq(1)));
}

TEST(Searcher, AnEventInAGapIsCorrupt) {
  MixedStore store(1);
  store.add("activity", plain_events(10), true);
  StoreSnapshot snapshot = store.snapshot();
  snapshot.logs[0].gaps.push_back(Gap{"activity", Seq(11), Seq(20), "a block was damaged"});
  snapshot.logs[0].last_seq = Seq(20);
  const auto event = Searcher(snapshot, store.catalog()).event("activity", Seq(15));
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code, ErrorCode::corrupt);
}

// --- gaps ----------------------------------------------------------------------------------------

// Three blocks sealed and one active, with something unreadable in the second.
class SearcherGaps : public ::testing::Test {
 protected:
  static constexpr std::uint32_t rows = limits::block_rows_max;

  SearcherGaps() : store_(1) {
    store_.add("activity", plain_events(3 * rows), true);
    store_.add("activity", plain_events(10), false);
    segment_ = store_.segments("activity")[0];
  }

  // Expects the second block as the only gap.
  static void expect_second_block(const std::vector<Gap>& gaps) {
    ASSERT_EQ(gaps.size(), 1U);
    EXPECT_EQ(gaps[0].log, "activity");
    EXPECT_EQ(gaps[0].first_seq, Seq(rows + 1));
    EXPECT_EQ(gaps[0].last_seq, Seq(2 * rows));
    EXPECT_NE(gaps[0].reason.find("damaged"), std::string::npos);
  }

  MixedStore store_;
  std::shared_ptr<MemorySegment> segment_;
};

TEST_F(SearcherGaps, ABlockWhoseColumnIsDamagedIsAGapAndTheRestIsCounted) {
  segment_->damage_column(1, RowColumn::verb);
  const auto answer = store_.searcher().count(parsed("verb:DELETE"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->count, rows + 5);
  expect_second_block(answer->gaps);
}

TEST_F(SearcherGaps, DamageThatAQueryNeedNotReadIsNoGap) {
  segment_->damage_column(1, RowColumn::verb);
  EXPECT_EQ(count_of(store_, "target.id:5"), 2U);
  EXPECT_EQ(count_of(store_, "since:1970-01-01T00:00:00Z until:1970-01-01T00:10:00Z verb:CREATE"),
            10U);
}

TEST_F(SearcherGaps, ADamagedTimeColumnIsAGapOfPagesAndHistograms) {
  segment_->damage_column(1, RowColumn::ts);
  PageRequest request;
  request.limit = page_limit_max;
  std::size_t walked = 0;
  std::vector<Gap> gaps;  // of the pages that had to look there
  do {
    const auto page = store_.searcher().search(parsed(""), request);
    ASSERT_TRUE(page);
    walked += page->events.size();
    request.cursor = page->next;
    gaps.insert(gaps.end(), page->gaps.begin(), page->gaps.end());
  } while (!request.cursor.empty());
  EXPECT_EQ(walked, 2 * rows + 10);
  gaps.erase(std::unique(gaps.begin(), gaps.end()), gaps.end());
  expect_second_block(gaps);
  const auto histogram =
      store_.searcher().histogram(parsed(""), BucketWidth{1, 'h'}, TimeZone::utc(), std::nullopt);
  ASSERT_TRUE(histogram);
  std::uint64_t sum = 0;
  for (const HistogramBucket& bucket : histogram->buckets) {
    sum += bucket.count;
  }
  EXPECT_EQ(sum, 2 * rows + 10);
  expect_second_block(histogram->gaps);
}

TEST_F(SearcherGaps, ADamagedPayloadIsAGapOfPayloadQueries) {
  segment_->damage_payloads(1);
  const auto answer = store_.searcher().count(parsed("payload:n"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->count, 2 * rows + 10);
  expect_second_block(answer->gaps);
}

TEST(SearcherChanged, PostingsAnswerAndNoPayloadIsRead) {
  constexpr std::uint32_t rows = limits::block_rows_max;
  std::vector<Event> events = plain_events(3 * rows);
  for (std::uint32_t row = 0; row < events.size(); ++row) {
    events[row].payload = row % 2 == 0
                              ? R"({"before":{"limits":{"hourly":1}},"after":{"limits":{}}})"
                              : R"({"changes":[{"field":"limit"}]})";
  }
  events[rows + 7].payload = R"({"changes":[{"field":"secret"},{"field":"limits"}]})";
  MixedStore store(1);
  store.add("activity", events, true);
  ASSERT_TRUE(store.catalog().of(store.segments("activity")[0]));
  const auto count = [&](const std::string& text, std::uint64_t payloads) {
    Searcher searcher = store.searcher();
    const auto answer = searcher.count(parsed(text));
    EXPECT_TRUE(answer && answer->gaps.empty()) << text;
    EXPECT_EQ(searcher.counters().payload_rows_scanned, payloads) << text;
    return answer->count;
  };
  EXPECT_EQ(count("changed:limits.hourly", 0), 3 * rows / 2);
  EXPECT_EQ(count("changed:limits", 0), 3 * rows / 2 + 1);
  EXPECT_EQ(count("changed:limits,limits.hourly seq:1..100", 0), 50U);
  EXPECT_EQ(count("changed:limit*", 0), 3 * rows);
  EXPECT_EQ(count("-changed:limits.hourly", 0), 3 * rows / 2);
  EXPECT_EQ(count("changed:limits.hourl", 0), 0U);
  // A rare one is looked for where its list says that it is.
  EXPECT_EQ(count("changed:secret", 0), 1U);
  EXPECT_EQ(count("changed:secret verb:CREATE,EDIT,DELETE,SUPPRESS", 1024), 1U);
  EXPECT_EQ(count("changed:secret seq:1..8000", 0), 0U);
  // Not even where payloads cannot be read.
  store.segments("activity")[0]->damage_payloads(0);
  EXPECT_EQ(count("changed:limits.hourly seq:1..100", 0), 50U);
}

TEST(SearcherText, BlocksThatCannotHaveTheTextAreLeftOut) {
  constexpr std::uint32_t rows = limits::block_rows_max;
  std::vector<Event> events = plain_events(3 * rows);
  events[5].payload = R"({"note":"Spring Sale"})";
  events[rows + 7].payload = R"({"note":"autumn \u0053ale \u00c9t\u00e9"})";
  events[2 * rows].payload =
      R"({"changes":[{"field":"note","old":"autumn sale","new":"s\u0061le"}]})";
  MixedStore store(1);
  store.add("activity", events, true);
  const auto count = [&](const std::string& text, std::uint64_t payloads) {
    Searcher searcher = store.searcher();
    const auto answer = searcher.count(parsed(text));
    EXPECT_TRUE(answer && answer->gaps.empty()) << text;
    EXPECT_EQ(searcher.counters().payload_rows_scanned, payloads) << text;
    return answer->count;
  };
  EXPECT_EQ(count("payload:\"spring sale\"", rows), 1U);
  EXPECT_EQ(count("payload:\"AUTUMN SALE\"", 2 * rows), 2U);
  EXPECT_EQ(count("payload:\"autumn sale ÉTÉ\"", rows), 1U);
  EXPECT_EQ(count("payload:ÉTÉ", 3 * rows), 1U);  // no three characters that the filter knows
  EXPECT_EQ(count("payload:newsletter", 0), 0U);
  EXPECT_EQ(count("-payload:newsletter", 0), 3 * rows);
  EXPECT_EQ(count("payload:spring,newsletter", rows), 1U);
  EXPECT_EQ(count("old:autumn*", 2 * rows), 1U);
  EXPECT_EQ(count("new:sale", 3 * rows), 1U);
  EXPECT_EQ(count("new:newsletter", 0), 0U);
  EXPECT_EQ(count("newsletter", 0), 0U);
  EXPECT_EQ(count("spring OR verb:CREATE", rows / 2), 3 * rows / 2 + 1);
}

TEST_F(SearcherGaps, GapsAndCountsAreTheSameWithAndWithoutHelpers) {
  segment_->damage_payloads(0);
  segment_->damage_payloads(2);
  WorkerPool workers(3);
  for (const std::string text :
       {"payload:n", "-payload:n", "payload:n OR verb:DELETE", "payload:n seq:100..120"}) {
    Searcher alone(store_.snapshot(), store_.catalog());
    Searcher helped(store_.snapshot(), store_.catalog(), nullptr, &workers);
    const auto expected = alone.count(parsed(text));
    const auto answer = helped.count(parsed(text));
    ASSERT_TRUE(expected && answer);
    EXPECT_EQ(answer->count, expected->count) << text;
    EXPECT_EQ(answer->gaps, expected->gaps) << text;
    EXPECT_FALSE(answer->gaps.empty());
  }
}

TEST_F(SearcherGaps, ARowThatCannotBeDecodedIsAGapOfThatRow) {
  segment_->damage_payloads(1);
  PageRequest request;
  request.limit = 3;
  const auto page = store_.searcher().search(parsed("target.id:8191..8193"), request);
  ASSERT_TRUE(page);
  const auto near = store_.searcher().search(parsed("seq:8191..8194"), request);
  ASSERT_TRUE(near);
  EXPECT_EQ(near->events.size(), 1U);
  ASSERT_EQ(near->gaps.size(), 1U);
  EXPECT_EQ(near->gaps[0].first_seq, Seq(8193));
  EXPECT_EQ(near->gaps[0].last_seq, Seq(8194));
  EXPECT_FALSE(near->next.empty());
}

TEST_F(SearcherGaps, DamagedRelatedTargetsAreAGap) {
  std::vector<Event> events = plain_events(2 * rows);
  events[rows + 3].related = {Target{"Contact", "9", ""}};
  MixedStore store(2);
  store.add("activity", events, true);
  store.segments("activity")[0]->damage_related(1);
  const auto answer = store.searcher().count(parsed("target.type:Contact"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->count, 0U);
  expect_second_block(answer->gaps);
}

TEST_F(SearcherGaps, AnUnreadableDirectoryIsAGapOfTheSegment) {
  segment_->damage_directory();
  const auto answer = store_.searcher().count(parsed("verb:DELETE"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->count, 5U);
  ASSERT_EQ(answer->gaps.size(), 1U);
  EXPECT_EQ(answer->gaps[0].first_seq, Seq(1));
  EXPECT_EQ(answer->gaps[0].last_seq, Seq(3 * rows));
}

TEST_F(SearcherGaps, UnreadableDictionariesAreAGapOfWhatNeedsThem) {
  segment_->damage_strings(0, DictionaryField::verb);
  const auto answer = store_.searcher().count(parsed("verb:DELETE"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->count, 5U);
  ASSERT_EQ(answer->gaps.size(), 1U);
  EXPECT_EQ(answer->gaps[0].last_seq, Seq(3 * rows));
  EXPECT_EQ(count_of(store_, "target.id:5"), 2U);
}

TEST_F(SearcherGaps, FacetsThatCannotTellTheirValuesLeaveTheSegmentOut) {
  segment_->damage_strings(0, DictionaryField::verb);
  const auto answer = store_.searcher().facets(parsed(""), {Field::outcome, Field::verb}, 5);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->count, 10U);
  ASSERT_EQ(answer->facets.size(), 2U);
  ASSERT_EQ(answer->facets[0].values.size(), 1U);
  EXPECT_EQ(answer->facets[0].values[0].count, 10U);
  ASSERT_EQ(answer->gaps.size(), 1U);
  EXPECT_EQ(answer->gaps[0].last_seq, Seq(3 * rows));
}

TEST_F(SearcherGaps, AnActiveBlockIsAGapByItself) {
  store_.segments("activity")[1]->damage_dictionaries(1);
  const auto answer = store_.searcher().facets(parsed(""), {Field::verb}, 5);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->count, 3 * rows + 1);
  ASSERT_EQ(answer->gaps.size(), 1U);
  EXPECT_EQ(answer->gaps[0].first_seq, Seq(3 * rows + 2));
  EXPECT_EQ(answer->gaps[0].last_seq, Seq(3 * rows + 10));
}

TEST_F(SearcherGaps, KnownGapsOfAskedLogsAreToldAndOthersAreNot) {
  StoreSnapshot snapshot = store_.snapshot();
  snapshot.logs[0].gaps.push_back(Gap{"activity", Seq(90'000), Seq(90'010), "a torn block"});
  snapshot.logs[0].last_seq = Seq(90'020);
  Searcher searcher(snapshot, store_.catalog());
  EXPECT_EQ(searcher.count(parsed("verb:DELETE"))->gaps.size(), 1U);
  EXPECT_EQ(searcher.count(parsed("log:campaign"))->gaps.size(), 0U);
}

TEST_F(SearcherGaps, ExportsTellTheirGaps) {
  segment_->damage_column(1, RowColumn::actor);
  std::size_t exported = 0;
  const auto gaps =
      store_.searcher().for_each(parsed("actor:7"), Order::oldest_first, [&](const Event&) {
        ++exported;
        return true;
      });
  ASSERT_TRUE(gaps);
  EXPECT_EQ(exported, 2 * rows + 10);
  expect_second_block(*gaps);
}

}  // namespace
}  // namespace docket::query::testing
