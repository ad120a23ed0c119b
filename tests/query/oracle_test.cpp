// Random queries over mixed stores against a plain look at every event.
#include "tests/query/oracle.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <set>

#include "query/parser.hpp"
#include "tests/query/random_query.hpp"
#include "tests/query/store_fixture.hpp"

namespace docket::query::testing {
namespace {

// More queries than the suite has time for: DOCKET_ORACLE_QUERIES=2000.
std::size_t query_count(std::size_t usual) {
  const char* const more = std::getenv("DOCKET_ORACLE_QUERIES");  // NOLINT(concurrency-mt-unsafe)
  return more == nullptr ? usual : static_cast<std::size_t>(std::atoll(more));
}

// The plain look at every event takes the time: fewer queries where there are more events.
std::size_t query_count(std::size_t usual, std::size_t scale) {
  return query_count(usual / scale);
}

// Large segments (several chunks, bitmaps) beside small ones, in several logs.
void fill(MixedStore& store, std::size_t scale) {
  store.add("activity", 10'000 * scale, true);
  store.add("activity", 300, true);
  store.add("activity", 1'000 * scale, false);
  store.add("authentication", 9'000 * scale, true, 1500);  // as where payloads are large
  store.add("authentication", 500 * scale, true);
  store.add("authentication", 100, false);
  store.add("campaign", 700 * scale, false);
  store.add("docket", 400, true);
}

// The query, as the language reads it from its own text.
Query next_query(RandomQueries& queries) {
  Query query = queries.next();
  auto parsed_again = parse(query.text, ParseContext{});
  EXPECT_TRUE(parsed_again) << query.text << "\n" << parsed_again.error().message;
  query.names_log = parsed_again && parsed_again->names_log;
  return query;
}

std::string name_of(const Event& event) {
  return event.log + ":" + std::to_string(event.seq.value);
}

std::vector<std::string> names_of(const std::vector<const Event*>& events) {
  std::vector<std::string> names;
  for (const Event* event : events) {
    names.push_back(name_of(*event));
  }
  return names;
}

class Oracle : public ::testing::TestWithParam<std::size_t> {
 protected:
  Oracle() : store_(GetParam() * 77) { fill(store_, GetParam()); }
  // An index that cannot be read back would go unnoticed otherwise: answers are right without it.
  ~Oracle() override { EXPECT_EQ(store_.catalog().stats().damaged, 0U); }
  MixedStore store_;
};

TEST_P(Oracle, CountsEqualThoseOfAScan) {
  RandomQueries queries(1, store_.events());
  for (std::size_t i = 0; i < query_count(150, GetParam()); ++i) {
    const Query query = next_query(queries);
    const auto expected = select(store_.events(), query, Order::newest_first);
    const auto answer = store_.searcher().count(query);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->count, expected.size()) << query.text;
    EXPECT_TRUE(answer->gaps.empty());
  }
}

TEST_P(Oracle, TextAndTreeGiveTheSameAnswer) {
  RandomQueries queries(2, store_.events());
  for (std::size_t i = 0; i < query_count(100, GetParam()); ++i) {
    const Query tree = next_query(queries);
    const auto text = parse(tree.text, ParseContext{});
    ASSERT_TRUE(text);
    const auto from_tree = store_.searcher().count(tree);
    const auto from_text = store_.searcher().count(*text);
    ASSERT_TRUE(from_tree && from_text);
    EXPECT_EQ(from_tree->count, from_text->count) << tree.text;
  }
}

TEST_P(Oracle, PagesWalkEveryEventOnceInOrder) {
  RandomQueries queries(3, store_.events());
  for (std::size_t i = 0; i < query_count(60, GetParam()); ++i) {
    const Query query = next_query(queries);
    const Order order = i % 2 == 0 ? Order::newest_first : Order::oldest_first;
    const auto expected = names_of(select(store_.events(), query, order));
    PageRequest request;
    request.order = order;
    // Short pages where there is little to walk, else the walk takes too long.
    request.limit = expected.size() < 200 ? 7 : static_cast<std::uint32_t>(expected.size() / 5);
    request.limit = std::min(request.limit, page_limit_max);
    std::vector<std::string> walked;
    do {
      const auto page = store_.searcher().search(query, request);
      ASSERT_TRUE(page) << page.error().message;
      for (const Event& event : page->events) {
        walked.push_back(name_of(event));
      }
      request.cursor = page->next;
    } while (!request.cursor.empty());
    EXPECT_EQ(walked, expected) << query.text;
  }
}

TEST_P(Oracle, ExportsGiveWholeEventsInOrder) {
  RandomQueries queries(4, store_.events());
  for (std::size_t i = 0; i < query_count(20, GetParam()); ++i) {
    const Query query = next_query(queries);
    const Order order = i % 2 == 0 ? Order::oldest_first : Order::newest_first;
    const auto expected = select(store_.events(), query, order);
    std::size_t next = 0;
    const auto gaps = store_.searcher().for_each(query, order, [&](const Event& event) {
      EXPECT_LT(next, expected.size());
      EXPECT_EQ(event, *expected[next]) << query.text;
      ++next;
      return next < expected.size() && !::testing::Test::HasFailure();
    });
    ASSERT_TRUE(gaps);
    EXPECT_EQ(next, expected.size()) << query.text;
  }
}

TEST_P(Oracle, FacetsEqualThoseOfAScan) {
  const std::vector<Field> fields = {Field::verb,    Field::actor,       Field::actor_kind,
                                     Field::target,  Field::target_type, Field::ip,
                                     Field::outcome, Field::log,         Field::reason,
                                     Field::session, Field::request,     Field::node};
  RandomQueries queries(5, store_.events());
  for (std::size_t i = 0; i < query_count(40, GetParam()); ++i) {
    const Query query = i == 0 ? parsed("") : next_query(queries);
    const auto selected = select(store_.events(), query, Order::newest_first);
    const auto answer = store_.searcher().facets(query, fields, 1'000'000);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->count, selected.size()) << query.text;
    ASSERT_EQ(answer->facets.size(), fields.size());
    for (const Facet& found : answer->facets) {
      const auto expected = facet(selected, found.field);
      EXPECT_EQ(found.distinct, expected.size()) << query.text << field_name(found.field);
      EXPECT_EQ(found.other, 0U);
      for (const FacetValue& value : found.values) {
        const auto there = expected.find(value.value);
        ASSERT_NE(there, expected.end()) << field_name(found.field) << " " << value.value;
        EXPECT_EQ(value.count, there->second)
            << query.text << " " << field_name(found.field) << " " << value.value;
      }
    }
  }
}

TEST_P(Oracle, HistogramsEqualThoseOfAScan) {
  constexpr Nanos hour = 3600LL * 1'000'000'000;
  RandomQueries queries(6, store_.events());
  for (std::size_t i = 0; i < query_count(60, GetParam()); ++i) {
    const Query query = next_query(queries);
    const auto selected = select(store_.events(), query, Order::newest_first);
    const auto expected = histogram(selected, hour);
    const auto answer =
        store_.searcher().histogram(query, BucketWidth{1, 'h'}, TimeZone::utc(), std::nullopt);
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->buckets.size(), expected.size()) << query.text;
    auto next = expected.begin();
    for (const HistogramBucket& bucket : answer->buckets) {
      EXPECT_EQ(bucket.start, next->first);
      EXPECT_EQ(bucket.count, next->second) << query.text;
      ++next;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Stores, Oracle, ::testing::Values(1, 8));

// Spellings that choosing one of them finds.
bool find_each_other(const std::string& a, const std::string& b) {
  const auto is_edit = [](const std::string& verb) { return verb == "EDIT" || verb == "UPDATE"; };
  return (is_edit(a) && is_edit(b)) ||
         std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
           return std::tolower(x) == std::tolower(y);
         });
}

// A value that a facet lists can be chosen, and then as many events are there as it and the
// spellings found with it said.
TEST(OracleFacets, CountsAreThoseOfTheQueryWithTheValueAdded) {
  MixedStore store(5);
  fill(store, 1);
  // An event may have two spellings of one target type, so that their counts do not add up.
  const std::vector<Field> fields = {Field::verb,   Field::actor_kind, Field::ip,  Field::outcome,
                                     Field::reason, Field::session,    Field::log, Field::node};
  for (const std::string text : {"", "verb:DELETE", "-actor.kind:user since:2026-05-02"}) {
    const auto answer = store.searcher().facets(parsed(text), fields, 1000);
    ASSERT_TRUE(answer);
    for (const Facet& facet : answer->facets) {
      for (std::size_t i = 0; i < std::min<std::size_t>(5, facet.values.size()); ++i) {
        const FacetValue& value = facet.values[i];
        std::uint64_t found = 0;
        for (const FacetValue& other : facet.values) {
          found += find_each_other(value.value, other.value) ? other.count : 0;
        }
        const std::string chosen =
            text + " AND " + std::string(field_name(facet.field)) + ":\"" + value.value + "\"";
        const auto count = store.searcher().count(parsed(text.empty() ? chosen.substr(5) : chosen));
        ASSERT_TRUE(count);
        EXPECT_EQ(count->count, found) << chosen;
      }
    }
  }
}

TEST(OracleWalk, EventsThatArriveBetweenPagesNeitherComeNorDisturb) {
  MixedStore store(9);
  fill(store, 1);
  RandomQueries queries(7, store.events());
  for (int i = 0; i < 12; ++i) {
    const Query query = next_query(queries);
    PageRequest request;
    request.order = i % 2 == 0 ? Order::newest_first : Order::oldest_first;
    const auto expected = names_of(select(store.events(), query, request.order));
    request.limit = static_cast<std::uint32_t>(expected.size() / 6 + 3);
    std::vector<std::string> walked;
    do {
      const auto page = store.searcher().search(query, request);
      ASSERT_TRUE(page);
      for (const Event& event : page->events) {
        walked.push_back(name_of(event));
      }
      request.cursor = page->next;
      store.add("activity", 120, false);
      store.add("log-" + std::to_string(i), 30, false);
    } while (!request.cursor.empty());
    EXPECT_EQ(walked, expected) << query.text;
  }
}

}  // namespace
}  // namespace docket::query::testing
