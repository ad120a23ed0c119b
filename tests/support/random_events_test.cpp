#include "tests/support/random_events.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace docket::testing {
namespace {

TEST(RandomEvents, AreValidAndTheSameForTheSameSeed) {
  RandomEvents first(1);
  RandomEvents second(1);
  RandomEvents other(2);
  std::vector<TargetView> scratch;
  std::size_t differing = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Event event = first.next();
    const auto checked = check_event(view_of(event, scratch), {}, event.ts, false);
    ASSERT_TRUE(checked) << checked.error().message;
    ASSERT_EQ(event, second.next());
    differing += event == other.next() ? 0 : 1;
  }
  EXPECT_GT(differing, 19'000U);
}

TEST(RandomEvents, HoldEverythingThatTheirDescriptionPromises) {
  std::map<std::pair<std::string, std::string>, std::set<std::string>> names;  // of an identity
  std::map<std::string, std::set<std::string>> kinds_of_id;
  std::map<std::string, std::set<std::string>> identities_of_name;
  std::map<std::string, int> counts;
  Nanos before = std::numeric_limits<Nanos>::min();
  for (const Event& e : RandomEvents(3).take(20'000)) {
    names[{e.actor.kind, e.actor.id}].insert(e.actor.name);
    kinds_of_id[e.actor.id].insert(e.actor.kind);
    identities_of_name[e.actor.name].insert(e.actor.kind + ":" + e.actor.id);
    ++counts["verb " + e.verb];
    ++counts["related " + std::to_string(e.related.size())];
    ++counts["outcome " + std::string(to_string(e.outcome))];
    ++counts[e.target.id.empty() ? "type alone" : "with id"];
    ++counts[e.ip ? e.ip->is_v4() ? "v4" : "v6" : "no ip"];
    ++counts[e.ts < before ? "out of order" : e.ts == before ? "same time" : "rising"];
    ++counts[e.payload.empty()                       ? "no payload"
             : e.payload.starts_with("{\"changes\"") ? "changes"
             : e.payload.starts_with("{\"before\"")  ? "before and after"
                                                     : "other payload"];
    before = e.ts;
  }
  EXPECT_EQ(names.size(), 20U);
  EXPECT_GT(
      std::count_if(names.begin(), names.end(), [](const auto& n) { return n.second.size() > 1; }),
      15);
  EXPECT_EQ(kinds_of_id["1"].size(), 3U);
  EXPECT_GT(identities_of_name["Ann Ash"].size(), 5U);
  for (const char* what : {"verb EDIT",
                           "verb UPDATE",
                           "related 0",
                           "related 1",
                           "related 5",
                           "related 19",
                           "outcome success",
                           "outcome failure",
                           "outcome denied",
                           "type alone",
                           "with id",
                           "v4",
                           "v6",
                           "no ip",
                           "out of order",
                           "same time",
                           "rising",
                           "no payload",
                           "changes",
                           "before and after",
                           "other payload"}) {
    EXPECT_GT(counts[what], 0) << what;
  }
}

}  // namespace
}  // namespace docket::testing
