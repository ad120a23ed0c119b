// Random queries of a store that does not hold still, against a plain look at every event.
#include "tests/query/moving_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "query/parser.hpp"
#include "tests/query/oracle.hpp"
#include "tests/query/random_query.hpp"

namespace docket::query::testing {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t filters_usual = 2000;  // each takes about ten times as long
#else
constexpr std::uint64_t filters_usual = 20'000;
#endif

std::uint64_t number_of(const char* variable, std::uint64_t usual) {
  const char* const text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe)
  return text == nullptr ? usual : static_cast<std::uint64_t>(std::atoll(text));
}

// As the language reads it from its own text.
Query next_query(RandomQueries& queries) {
  Query query = queries.next();
  const auto again = parse(query.text, ParseContext{});
  EXPECT_TRUE(again) << query.text;
  query.names_log = again && again->names_log;
  return query;
}

std::string name_of(const Event& event) {
  return event.log + ":" + std::to_string(event.seq.value);
}

class MovingStoreTest : public ::testing::Test {
 protected:
  static constexpr std::size_t events_kept = 700;
  static constexpr std::size_t queries_a_look = 20;

  MovingStoreTest()
      : seed_(number_of("DOCKET_SEED", 1)),
        store_(seed_, events_kept),
        sample_(docket::testing::RandomEvents(seed_).take(500)) {
    for (std::size_t i = 0; i < sample_.size(); ++i) {
      sample_[i].log = i % 2 == 0 ? "activity" : "authentication";
      sample_[i].seq = Seq(1 + i * 7);
      sample_[i].node = "node";
    }
  }

  void check_count(const MovingStore::Look& look, const Query& query) {
    const auto expected = select(look.events, query, Order::newest_first);
    Searcher searcher(look.snapshot, store_.catalog());
    const auto counted = searcher.count(query);
    ASSERT_TRUE(counted);
    ASSERT_EQ(counted->count, expected.size()) << query.text;
    ASSERT_TRUE(counted->gaps.empty()) << query.text << ": " << counted->gaps.front().reason;
  }

  void check_facets(const MovingStore::Look& look, const Query& query) {
    const auto expected = select(look.events, query, Order::newest_first);
    Searcher searcher(look.snapshot, store_.catalog());
    const auto answer =
        searcher.facets(query, {Field::verb, Field::actor, Field::target, Field::ip}, 1'000'000);
    ASSERT_TRUE(answer);
    for (const Facet& found : answer->facets) {
      std::map<std::string, std::uint64_t> counts;
      for (const FacetValue& value : found.values) {
        counts[value.value] = value.count;
      }
      ASSERT_EQ(counts, facet(expected, found.field)) << query.text;
    }
  }

  // Pages, each asked of the store as it is then.
  void check_walk(const MovingStore::Look& look, const Query& query, Order order) {
    const auto expected = select(look.events, query, order);
    std::vector<std::string> walked;
    PageRequest request;
    request.order = order;
    request.limit = static_cast<std::uint32_t>(std::max<std::size_t>(5, expected.size() / 6));
    StoreSnapshot snapshot = look.snapshot;
    std::set<std::string> retired;
    do {
      Searcher searcher(snapshot, store_.catalog());
      const auto page = searcher.search(query, request);
      ASSERT_TRUE(page) << page.error().message;
      for (const Event& event : page->events) {
        walked.push_back(name_of(event));
      }
      request.cursor = page->next;
      snapshot = store_.snapshot();
    } while (!request.cursor.empty());
    // What was retired meanwhile may be missing, and nothing else.
    std::map<std::string, std::uint64_t> first;
    for (const LogSnapshot& log : snapshot.logs) {
      first[log.log] =
          log.segments.empty() ? UINT64_MAX : log.segments.front()->info().first_seq.value;
    }
    std::size_t at = 0;
    for (const Event* event : expected) {
      if (at < walked.size() && walked[at] == name_of(*event)) {
        ++at;
      } else {
        ASSERT_LT(event->seq.value, first[event->log]) << name_of(*event) << " of " << query.text;
      }
    }
    ASSERT_EQ(at, walked.size()) << walked[at] << " of " << query.text;
  }

  std::uint64_t seed_;
  MovingStore store_;
  std::vector<Event> sample_;
};

// More of them with DOCKET_FILTERS, others with DOCKET_SEED.
TEST_F(MovingStoreTest, RandomFiltersFindWhatAScanFindsWhileEverythingMoves) {
  const std::uint64_t filters = number_of("DOCKET_FILTERS", filters_usual);
  RandomQueries queries(seed_, sample_);
  for (std::uint64_t asked = 0; asked < filters && !HasFatalFailure();) {
    const MovingStore::Look look = store_.look();
    for (std::size_t i = 0; i < queries_a_look && asked < filters; ++i, ++asked) {
      const Query query = next_query(queries);
      check_count(look, query);
      if (asked % 32 == 3) {
        check_facets(look, query);
      }
      if (asked % 32 == 11) {
        check_walk(look, query, asked % 64 == 11 ? Order::newest_first : Order::oldest_first);
      }
      if (HasFatalFailure()) {
        return;
      }
    }
  }
  EXPECT_EQ(store_.catalog().stats().damaged, 0U);
  EXPECT_GT(store_.sealed(), 2U);
  EXPECT_GT(store_.retired(), 2U);
}

}  // namespace
}  // namespace docket::query::testing
