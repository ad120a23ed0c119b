#include "tools/load/oracle_filter.hpp"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>
#include <string>

#include "query/parser.hpp"

namespace docket::load {
namespace {

Generator small_world() {
  return Generator({.seed = 9, .events = 3000, .end = 1'780'000'000'000'000'000});
}

TEST(OracleFilter, FiltersAreQueriesOfTheLanguage) {
  const OracleTable table(small_world());
  Random random(1, 1);
  for (int i = 0; i < 500; ++i) {
    const OracleFilter filter = random_filter(table, random);
    const auto query = query::parse(filter.text, {});
    EXPECT_TRUE(query) << query.error().message;
  }
}

TEST(OracleFilter, MostFiltersFindSomethingAndNotAll) {
  const OracleTable table(small_world());
  Random random(2, 1);
  int useful = 0;
  for (int i = 0; i < 200; ++i) {
    const OracleFilter filter = random_filter(table, random);
    EXPECT_EQ(filter.count,
              std::accumulate(filter.match.begin(), filter.match.end(), std::uint64_t{0}));
    useful += filter.count > 0 && filter.count < table.rows() ? 1 : 0;
  }
  EXPECT_GT(useful, 100);
}

TEST(OracleFilter, FacetCountsAddUpWhereARowHasOneValue) {
  const OracleTable table(small_world());
  const OracleFacet verbs = facet_of(table, all_rows(table), OracleColumn::verb, 3);
  EXPECT_EQ(verbs.values.size(), 3U);
  EXPECT_GT(verbs.distinct, 3U);
  EXPECT_EQ(verbs.values[0].count + verbs.values[1].count + verbs.values[2].count + verbs.other,
            table.rows());
  EXPECT_GE(verbs.values[0].count, verbs.values[1].count);
}

TEST(OracleFilter, ARowWithRelatedTargetsCountsOnceForEachDistinctValue) {
  const Generator generator = small_world();
  const OracleTable table(generator);
  std::map<std::string, std::uint64_t> right;
  GeneratedEvent room;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    generator.make(i, room);
    std::set<std::string> types{std::string(room.event.target.type)};
    for (const TargetView& related : room.event.related) {
      types.emplace(related.type);
    }
    for (const std::string& type : types) {
      ++right[type];
    }
  }
  const OracleFacet types = facet_of(table, all_rows(table), OracleColumn::target_type, 100);
  ASSERT_EQ(types.values.size(), right.size());
  for (const OracleFacet::Value& value : types.values) {
    EXPECT_EQ(value.count, right[value.value]) << value.value;
  }
}

}  // namespace
}  // namespace docket::load
