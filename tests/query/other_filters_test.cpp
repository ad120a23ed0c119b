#include "query/other_filters.hpp"

#include <gtest/gtest.h>

#include "query/parser.hpp"
#include "query/searcher.hpp"
#include "tests/query/store_fixture.hpp"

namespace docket::query::testing {
namespace {

std::string without(const std::string& text, Field field) {
  return print(*without_conditions_on(parsed(text).where, field));
}

TEST(OtherFilters, LeaveOutTheConditionsOnOneFieldThatHoldForTheWholeQuery) {
  EXPECT_EQ(without("verb:DELETE actor:7", Field::verb), "actor:7");
  EXPECT_EQ(without("verb:DELETE,SEND ip:10.0.0.0/8 -verb:SEND actor:7", Field::verb),
            "ip:10.0.0.0/8 actor:7");
  EXPECT_EQ(without("verb:DELETE", Field::verb), "*");
  EXPECT_EQ(without("-verb:DELETE", Field::verb), "*");
  EXPECT_EQ(without("verb:DELETE AND verb:SEND", Field::verb), "*");
  EXPECT_EQ(without("", Field::verb), "*");
}

TEST(OtherFilters, LeaveEverythingElseAsItIs) {
  for (const std::string text :
       {"verb:DELETE OR actor:7", "actor.kind:user", "target:List:5 target.type:List",
        "ip:10.0.0.0/8 AND (verb:DELETE OR actor:7)", "-(verb:DELETE actor:7)"}) {
    EXPECT_EQ(without(text, Field::verb), print(*parsed(text).where));
    const ExpressionPtr where = parsed(text).where;
    EXPECT_EQ(without_conditions_on(where, Field::ip) == where, !text.starts_with("ip"));
  }
  EXPECT_EQ(without("target:List:5 target.type:List", Field::target), "target.type:List");
}

// What a row of filters shows beside a value is what choosing it instead gives.
TEST(OtherFilters, FacetsUnderThemAreWhatChoosingTheValueInsteadGives) {
  MixedStore store(11);
  store.add("activity", 6000, true);
  store.add("activity", 500, false);
  store.add("authentication", 3000, true);
  store.add("docket", 100, true);
  const std::vector<Field> fields = {Field::outcome, Field::log, Field::actor_kind, Field::ip};
  for (const std::string text : {"", "outcome:failure", "outcome:failure,denied log:activity",
                                 "-outcome:success actor.kind:*", "outcome:denied OR log:activity",
                                 "log:docket", "since:2026-05-02 outcome:success"}) {
    const auto answer =
        store.searcher().facets(parsed(text), fields, 100'000, FacetScope::other_filters);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->count, store.searcher().count(parsed(text)).value().count) << text;
    ASSERT_EQ(answer->facets.size(), fields.size());
    for (std::size_t f = 0; f < fields.size(); ++f) {
      const Facet& facet = answer->facets[f];
      ASSERT_EQ(facet.field, fields[f]);
      Query others = parsed(text);
      others.where = without_conditions_on(others.where, fields[f]);
      others.names_log = others.names_log && fields[f] != Field::log;
      for (std::size_t i = 0; i < std::min<std::size_t>(6, facet.values.size()); ++i) {
        const FacetValue& value = facet.values[i];
        const Query chosen =
            parsed("(" + print(*others.where) + ") AND " + std::string(field_name(fields[f])) +
                   ":\"" + value.value + "\"");
        EXPECT_EQ(store.searcher().count(chosen).value().count, value.count)
            << text << " " << field_name(fields[f]) << " " << value.value;
      }
    }
  }
}

TEST(OtherFilters, AFacetThatIsAskedAloneStillCountsTheWholeQuery) {
  MixedStore store(12);
  store.add("activity", 2000, true);
  const Query failed = parsed("outcome:failure");
  const auto answer =
      store.searcher().facets(failed, {Field::outcome}, 10, FacetScope::other_filters);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->count, store.searcher().count(failed).value().count);
  EXPECT_EQ(answer->facets.front().distinct, 3U);
}

}  // namespace
}  // namespace docket::query::testing
