// Every single allocation of a question fails once: the question ends with that, or its answer is
// the right one all the same; and the next one is answered as ever.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/out_of_memory.hpp"
#include "index/catalog.hpp"
#include "query/parser.hpp"
#include "query/render.hpp"
#include "query/searcher.hpp"
#include "tests/durability/allocation_faults.hpp"
#include "tests/durability/exposed_store.hpp"
#include "tests/engine/stores.hpp"
#include "tests/support/random_events.hpp"

namespace docket::testing {
namespace {

using query::Field;
using query::Order;
using query::Searcher;

constexpr Nanos asked_at = 1'780'000'000'000'000'000;

// Sealed and active segments of two logs, with indexes or without, and no cache: whatever
// is asked is read.
class AskedStore {
 public:
  explicit AskedStore(bool has_indexes)
      : disk_(exempt_disk(sim_)),
        store_(open_store(*disk_, options())),
        catalog_options_{.read_only = !has_indexes, .memory_bytes = 4096} {
    RandomEvents events(31);
    for (const char* name : {"activity", "campaign"}) {
      Log& log = log_of(*store_, name);
      store_events(log, events.take(400), asked_at);
      seal_fully(log, sim_);
      store_events(log, events.take(60), asked_at);
    }
    // Its threads are to have nothing left to do; what is there can still be asked for.
    static_cast<void>(store_->close());
    forget_indexes();
    static_cast<void>(ask("verb:DELETE"));
  }

  // No index is in memory.
  void forget_indexes() { catalog_.emplace(*disk_, catalog_options_); }

  // Looks for the index of a sealed segment, in memory and in its file.
  Result<void> find_index() {
    DOCKET_ASSIGN(const StoreSnapshot snapshot, store_->snapshot());
    return catalog_->existing(snapshot.logs.at(0).segments.at(0))
               ? Result<void>()
               : fail(ErrorCode::not_found, "there is no index");
  }

  // Everything that can be asked about a query, as text. An index that is not there is built.
  Result<std::string> ask(const std::string& text) {
    DOCKET_ASSIGN(StoreSnapshot snapshot, store_->snapshot());
    DOCKET_ASSIGN(const query::Query query, query::parse(text, {asked_at, query::TimeZone::utc()}));
    Searcher searcher(std::move(snapshot), *catalog_);
    std::string answer;
    DOCKET_ASSIGN(const auto count, searcher.count(query));
    answer += std::to_string(count.count) + "\n";
    query::append_json_gaps(answer, count.gaps);
    query::PageRequest request{.limit = 40, .order = Order::newest_first, .cursor = {}};
    for (int page = 0; page < 3; ++page) {
      DOCKET_ASSIGN(const auto found, searcher.search(query, request));
      for (const Event& event : found.events) {
        query::append_json(answer, event);
      }
      query::append_json_gaps(answer, found.gaps);
      request.cursor = found.next;
      if (request.cursor.empty()) {
        break;
      }
    }
    DOCKET_ASSIGN(const auto facets,
                  searcher.facets(query, {Field::verb, Field::actor, Field::target}, 5));
    for (const query::Facet& facet : facets.facets) {
      for (const query::FacetValue& value : facet.values) {
        answer += value.value + "=" + std::to_string(value.count) + " ";
      }
      answer += std::to_string(facet.distinct) + "," + std::to_string(facet.other) + "\n";
    }
    DOCKET_ASSIGN(const auto histogram,
                  searcher.histogram(query, {1, 'w'}, query::TimeZone::utc(), Field::verb));
    for (const query::HistogramBucket& bucket : histogram.buckets) {
      answer += std::to_string(bucket.start) + ":" + std::to_string(bucket.count) + " ";
    }
    std::uint64_t rows = 0;
    DOCKET_ASSIGN(const auto gaps,
                  searcher.for_each(query, Order::oldest_first, [&](const Event& event) {
                    query::append_csv(answer, event, false);
                    return ++rows < 100;
                  }));
    query::append_json_gaps(answer, gaps);
    return answer;
  }

 private:
  static StoreOptions options() {
    StoreOptions options = store_options();
    options.cache_bytes = 0;
    return options;
  }

  SimDisk sim_;
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<Store> store_;
  const index::CatalogOptions catalog_options_;
  std::optional<index::Catalog> catalog_;
};

TEST(CatalogAllocationLoop, AnIndexThatThereWasNoMemoryForIsFoundTheNextTime) {
  const Exempt exempt;
  AskedStore store(true);
  for (std::uint64_t n = 1, hit = 1; hit != 0; ++n) {
    store.forget_indexes();
    fail_allocation(n);
    const auto failed = [&] {
      const Exposed exposed;
      return within_memory([&] { return store.find_index(); });
    }();
    hit = allocation_has_failed() ? 1 : 0;
    ASSERT_TRUE(hit == 1 || failed) << failed.error().describe();
    const auto found = store.find_index();
    ASSERT_TRUE(found) << "allocation " << n << ": " << found.error().describe();
  }
}

class QueryAllocationLoop : public ::testing::TestWithParam<std::string> {};

TEST_P(QueryAllocationLoop, NoFailingAllocationChangesAnAnswer) {
  const Exempt exempt;
  for (const bool has_indexes : {true, false}) {
    AskedStore store(has_indexes);
    const auto ask = [&](std::uint64_t n) {
      fail_allocation(n);
      const Exposed exposed;
      return within_memory([&] { return store.ask(GetParam()); });
    };
    store.forget_indexes();
    const auto expected = ask(0);
    ASSERT_TRUE(expected) << expected.error().describe();
    const std::uint64_t all = allocations_seen();
    std::uint64_t ended = 0;
    for (const std::uint64_t n : failing_allocations(all, 80)) {
      SCOPED_TRACE("allocation " + std::to_string(n) + " of about " + std::to_string(all) +
                   (has_indexes ? ", with indexes" : ", without indexes"));
      store.forget_indexes();
      const std::int64_t alive = allocations_alive();
      {
        const auto answer = ask(n);
        static_cast<void>(allocation_has_failed());
        ended += answer ? 0 : 1;
        EXPECT_TRUE(!answer || *answer == *expected);
        EXPECT_TRUE(answer || answer.error().code == ErrorCode::overloaded)
            << answer.error().describe();
        const auto next = ask(0);
        ASSERT_TRUE(next) << next.error().describe();
        EXPECT_EQ(*next, *expected);
      }
      store.forget_indexes();
      EXPECT_LE(allocations_alive(), alive) << "memory is lost";
      if (HasFailure()) {
        return;
      }
    }
    EXPECT_GT(ended, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Queries, QueryAllocationLoop,
                         ::testing::Values("", "verb:DELETE,CREATE -actor.kind:system",
                                           "target.type:Contact OR actor:1*",
                                           "list since:2026-05-01"),
                         [](const auto& instance) { return std::to_string(instance.index); });

}  // namespace
}  // namespace docket::testing
