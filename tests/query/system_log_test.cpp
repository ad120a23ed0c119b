#include "query/system_log.hpp"

#include <gtest/gtest.h>

#include "query/parser.hpp"
#include "tests/query/oracle.hpp"
#include "tests/query/random_query.hpp"
#include "tests/support/random_events.hpp"

namespace docket::query {
namespace {

using testing::finds;
using testing::matches;

// Of log `docket`, denied.
Event own_event() {
  Event event;
  event.log = "docket";
  event.seq = Seq(7);
  event.actor = {"system", "docketd", "", ""};
  event.verb = "READ";
  event.target = {"Log", "activity", ""};
  event.outcome = Outcome::denied;
  return event;
}

bool finds_own(std::string_view text) {
  const auto query = parse(text, {});
  EXPECT_TRUE(query) << text;
  return query && matches(*with_system_log_named(query->where), own_event());
}

TEST(SystemLog, IsFoundByItsNameAlone) {
  for (const std::string_view text :
       {"log:docket", "log:*", "log:doc*", "log:api,docket", "log:docket verb:READ",
        "log:docket (verb:SEND OR verb:READ)", "log:api OR log:docket", "-(-log:docket)",
        "-(verb:SEND OR -log:docket)", "(log:docket OR verb:SEND) outcome:denied",
        "outcome:denied OR log:docket"}) {
    EXPECT_TRUE(finds_own(text)) << text;
  }
  for (const std::string_view text :
       {"", "verb:READ", "-log:api", "log:api", "log:api OR outcome:denied", "-(a log:api)",
        "payload:x OR log:activity", "(-verb:SEND) OR log:activity", "log:docket verb:SEND",
        "-log:api OR (log:activity a)", "(log:api OR verb:READ) outcome:denied"}) {
    EXPECT_FALSE(finds_own(text)) << text;
  }
}

TEST(SystemLog, RandomQueriesFindItAsALookAtEachConditionDoes) {
  std::vector<Event> events = docket::testing::RandomEvents(3).take(20);
  events.resize(40, own_event());
  testing::RandomQueries queries(3, events);
  std::uint64_t partly = 0;
  for (int i = 0; i < 20'000; ++i) {
    Query query = queries.next();
    query.names_log = names_log(*query.where);
    const ExpressionPtr named = with_system_log_named(query.where);
    Event event = own_event();
    ASSERT_EQ(matches(*named, event), finds(query, event)) << query.text;
    partly += matches(*query.where, event) && query.names_log && !matches(*named, event) ? 1U : 0U;
    event.log = "activity";
    ASSERT_EQ(matches(*named, event), matches(*query.where, event)) << query.text;
  }
  EXPECT_GT(partly, 0U) << "no query names a log beside what finds the event";
}

}  // namespace
}  // namespace docket::query
