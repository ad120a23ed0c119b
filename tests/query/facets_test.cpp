#include "query/facets.hpp"

#include <gtest/gtest.h>

#include "query/execution.hpp"
#include "tests/query/store_fixture.hpp"

namespace docket::query::testing {
namespace {

Event event_of(const std::string& verb, const Actor& actor, const Target& target,
               std::vector<Target> related = {}) {
  Event event;
  event.ts = 1'777'593'600'000'000'000;
  event.verb = verb;
  event.actor = actor;
  event.target = target;
  event.related = std::move(related);
  return event;
}

std::string told(const Facet& facet) {
  std::string text;
  for (const FacetValue& value : facet.values) {
    text += value.value + "=" + std::to_string(value.count) + " ";
  }
  return text + "distinct " + std::to_string(facet.distinct) + " other " +
         std::to_string(facet.other);
}

class FacetsOver : public ::testing::TestWithParam<bool> {
 protected:
  std::string take(const std::vector<Event>& events, Field field, std::uint32_t top = 10,
                   const std::string& query = "") {
    MixedStore store(1);
    store.add("activity", events, GetParam());
    const auto answer = store.searcher().facets(parsed(query), {field}, top);
    EXPECT_TRUE(answer);
    return answer ? told(answer->facets[0]) : "";
  }

  const Actor ann_{"user", "1", "Ann", ""};
  const Target list_{"List", "5", "Newsletter"};
};

TEST_P(FacetsOver, ValuesComeByCountThenByValue) {
  std::vector<Event> events;
  for (const char* const verb : {"SEND", "DELETE", "CREATE", "DELETE", "ACTIVATE", "SEND"}) {
    events.push_back(event_of(verb, ann_, list_));
  }
  EXPECT_EQ(take(events, Field::verb), "DELETE=2 SEND=2 ACTIVATE=1 CREATE=1 distinct 4 other 0");
  EXPECT_EQ(take(events, Field::verb, 3), "DELETE=2 SEND=2 ACTIVATE=1 distinct 4 other 1");
  EXPECT_EQ(take(events, Field::verb, 0), "distinct 4 other 6");
}

TEST_P(FacetsOver, OneIdentityUnderTwoNamesIsOneValue) {
  const std::vector<Event> events = {
      event_of("EDIT", ann_, list_), event_of("EDIT", {"user", "1", "Ann Ash", "owner"}, list_),
      event_of("EDIT", {"api_token", "1", "Ann", ""}, {"List", "5", "News"})};
  EXPECT_EQ(take(events, Field::actor), "user:1=2 api_token:1=1 distinct 2 other 0");
  EXPECT_EQ(take(events, Field::target), "List:5=3 distinct 1 other 0");
}

TEST_P(FacetsOver, AnEventCountsOnceForEachOfItsTargets) {
  const std::vector<Event> events = {
      event_of("EDIT", ann_, list_,
               {{"List", "5", "Old name"}, {"Contact", "9", ""}, {"Contact", "10", ""}}),
      event_of("EDIT", ann_, {"Contact", "9", ""})};
  EXPECT_EQ(take(events, Field::target), "Contact:9=2 Contact:10=1 List:5=1 distinct 3 other 0");
  EXPECT_EQ(take(events, Field::target_type), "Contact=2 List=1 distinct 2 other 0");
}

TEST_P(FacetsOver, EverySpellingIsAValueOfItsOwn) {
  const std::vector<Event> events = {event_of("EDIT", {"user", "1", "", ""}, {"list", "5", ""},
                                              {{"List", "5", ""}, {"list", "5", "x"}}),
                                     event_of("EDIT", {"User", "1", "", ""}, {"LIST", "5", ""})};
  EXPECT_EQ(take(events, Field::actor_kind), "User=1 user=1 distinct 2 other 0");
  EXPECT_EQ(take(events, Field::actor), "User:1=1 user:1=1 distinct 2 other 0");
  EXPECT_EQ(take(events, Field::target_type), "LIST=1 List=1 list=1 distinct 3 other 0");
  EXPECT_EQ(take(events, Field::target), "LIST:5=1 List:5=1 list:5=1 distinct 3 other 0");
}

TEST_P(FacetsOver, EditAndUpdateAreCountedAsSent) {
  const std::vector<Event> both = {event_of("UPDATE", ann_, list_), event_of("EDIT", ann_, list_),
                                   event_of("UPDATE", ann_, list_)};
  EXPECT_EQ(take(both, Field::verb), "UPDATE=2 EDIT=1 distinct 2 other 0");
  EXPECT_EQ(take(both, Field::verb, 10, "verb:EDIT"), "UPDATE=2 EDIT=1 distinct 2 other 0");
}

TEST_P(FacetsOver, AbsentValuesDoNotCount) {
  std::vector<Event> events(3, event_of("EDIT", ann_, {"Domain", "", ""}));
  events[1].ip = parse_ip("10.0.0.1");
  events[1].reason = "rate_limited";
  EXPECT_EQ(take(events, Field::ip), "10.0.0.1=1 distinct 1 other 0");
  EXPECT_EQ(take(events, Field::reason), "rate_limited=1 distinct 1 other 0");
  EXPECT_EQ(take(events, Field::session), "distinct 0 other 0");
  EXPECT_EQ(take(events, Field::target), "Domain=3 distinct 1 other 0");
  EXPECT_EQ(take(events, Field::outcome), "success=3 distinct 1 other 0");
}

TEST_P(FacetsOver, OnlyMatchingEventsCount) {
  const std::vector<Event> events = {event_of("EDIT", ann_, list_), event_of("SEND", ann_, list_)};
  EXPECT_EQ(take(events, Field::verb, 10, "-verb:SEND"), "EDIT=1 distinct 1 other 0");
}

INSTANTIATE_TEST_SUITE_P(Segments, FacetsOver, ::testing::Values(true, false),
                         [](const auto& sealed) { return sealed.param ? "sealed" : "active"; });

TEST(Facets, AValueOfSeveralSegmentsIsCountedOnce) {
  MixedStore store(1);
  const Actor ann{"user", "1", "Ann", ""};
  store.add("activity", {event_of("EDIT", ann, {"List", "5", ""})}, true);
  store.add("activity", {event_of("EDIT", ann, {"List", "5", "x"})}, true);
  store.add("activity", {event_of("EDIT", ann, {"List", "6", ""})}, false);
  store.add("campaign", {event_of("EDIT", ann, {"List", "5", ""})}, false);
  const auto answer = store.searcher().facets(parsed(""), {Field::target, Field::log}, 10);
  ASSERT_TRUE(answer);
  EXPECT_EQ(told(answer->facets[0]), "List:5=3 List:6=1 distinct 2 other 0");
  EXPECT_EQ(told(answer->facets[1]), "activity=3 campaign=1 distinct 2 other 0");
  EXPECT_EQ(answer->count, 4U);
}

// Whatever memory there is for counts: with little, the alphabet is counted part by part.
class FacetsWithin : public ::testing::TestWithParam<std::size_t> {
 protected:
  std::string take(MixedStore& store, const std::string& query, std::size_t bytes_max) {
    SearcherParts parts;
    parts.snapshot = store.snapshot();
    parts.catalog = &store.catalog();
    const Query asked = parsed(query);
    Execution execution(parts, asked);
    const auto answer = take_facets(execution, fields_, 7, bytes_max);
    EXPECT_TRUE(answer);
    if (!answer) {
      return "";
    }
    std::string text = "count " + std::to_string(answer->count);
    for (const Facet& facet : answer->facets) {
      text += "\n" + told(facet);
    }
    for (const Gap& gap : answer->gaps) {
      text += "\n" + gap.log + std::to_string(gap.first_seq.value) + gap.reason;
    }
    return text;
  }

  const std::vector<Field> fields_ = {Field::target, Field::verb, Field::actor,
                                      Field::log,    Field::ip,   Field::target_type};
};

TEST_P(FacetsWithin, AnswersAreTheSame) {
  MixedStore store(3);
  for (const bool sealed : {true, true, false}) {
    store.add("activity", 200, sealed, 64);
    store.add("campaign", 150, sealed, 64);
  }
  for (const char* const query : {"", "verb:EDIT,DELETE", "-outcome:success", "log:campaign"}) {
    EXPECT_EQ(take(store, query, GetParam()), take(store, query, facet_bytes_max)) << query;
  }
  store.segments("activity")[0]->damage_column(1, RowColumn::target);
  store.segments("campaign")[1]->damage_strings(0, DictionaryField::ip);
  for (const char* const query : {"", "verb:EDIT,DELETE"}) {
    EXPECT_EQ(take(store, query, GetParam()), take(store, query, facet_bytes_max)) << query;
  }
}

INSTANTIATE_TEST_SUITE_P(Bytes, FacetsWithin, ::testing::Values(0, 300, 2000));

TEST(Facets, FieldsThatCannotBeCountedAreRefused) {
  MixedStore store(1);
  const auto answer = store.searcher().facets(parsed(""), {Field::payload}, 10);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::invalid_argument);
}

TEST(Facets, FieldNamesAreThoseOfTheLanguage) {
  EXPECT_EQ(*parse_facet_field("target.type"), Field::target_type);
  EXPECT_EQ(*parse_facet_field("actor"), Field::actor);
  const auto unknown = parse_facet_field("colour");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("target.type"), std::string::npos);
}

}  // namespace
}  // namespace docket::query::testing
