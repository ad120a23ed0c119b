#include "tools/api/scope.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "query/other_filters.hpp"
#include "query/parser.hpp"
#include "tests/query/oracle.hpp"
#include "tests/query/random_query.hpp"
#include "tests/support/random_events.hpp"
#include "tests/tools/api/store_fixture.hpp"
#include "tools/api/export.hpp"
#include "tools/api/tail.hpp"
#include "tools/docket/answer_reader.hpp"

namespace docket::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

Scope scope_of(const std::string& text) {
  auto scope = Scope::parse(text);
  EXPECT_TRUE(scope) << text << ": " << scope.error().message;
  return scope.value_or(Scope());
}

class ScopeTest : public StoreFixture {
 protected:
  Answer within(const std::string& scope, const std::string& path,
                const Parameters& parameters = {}) {
    return service_->get(find_route("GET", path), parameters, nullptr, scope_of(scope));
  }
  std::uint64_t count(const std::string& scope, const std::string& query) {
    const Answer answer = within(scope, "/api/v1/count", {{"q", query}});
    return cli::read_number(answer.body, "count").value();
  }
};

TEST(Scope, AFilterThatCannotBeReadIsAnErrorAndTheEmptyOneIsEverything) {
  EXPECT_FALSE(Scope::parse("verb:("));
  EXPECT_FALSE(Scope::parse("nonsense:1"));
  EXPECT_TRUE(Scope::parse("")->is_everything());
  EXPECT_FALSE(Scope::parse("verb:EDIT")->is_everything());
}

TEST_F(ScopeTest, NoQueryTextReachesBeyondIt) {
  add("activity", {event(1, "EDIT"), event(2, "DELETE"), event(3, "DELETE")});
  for (const std::string query : {"verb:DELETE OR verb:EDIT", "-verb:EDIT OR verb:EDIT", "*", "",
                                  "(verb:DELETE) OR (verb:EDIT)"}) {
    EXPECT_EQ(count("verb:EDIT", query), 1U) << query;
  }
  EXPECT_EQ(count("verb:EDIT", "verb:DELETE"), 0U);
  const Answer broken = within("verb:EDIT", "/api/v1/count", {{"q", "*) OR (*"}});
  EXPECT_EQ(broken.status, 400U);
}

TEST_F(ScopeTest, TheSystemsOwnLogNeedsAScopeThatNamesIt) {
  add("activity", {event(1)});
  add("docket", {event(2), event(3)});
  EXPECT_EQ(count("verb:EDIT", "log:docket"), 0U);
  EXPECT_EQ(count("verb:EDIT", "log:*"), 1U);
  EXPECT_EQ(count("log:docket verb:EDIT", ""), 2U);
  EXPECT_EQ(within("verb:EDIT", "/api/v1/events/docket/1").status, 404U);
  EXPECT_EQ(within("log:docket", "/api/v1/events/docket/1").status, 200U);
}

TEST_F(ScopeTest, AnEventOutsideIsNotFoundAndToldFromNoneByNothing) {
  add("activity", {event(1, "EDIT"), event(2, "DELETE")});
  EXPECT_EQ(within("verb:EDIT", "/api/v1/events/activity/1").status, 200U);
  EXPECT_EQ(within("verb:EDIT", "/api/v1/events/activity/1").body,
            get("/api/v1/events/activity/1").body);
  std::set<std::string> answers;
  for (const std::string name : {"activity/2", "activity/9", "campaign/1"}) {
    Answer answer = within("verb:EDIT", "/api/v1/events/" + name);
    EXPECT_EQ(answer.status, 404U);
    EXPECT_FALSE(answer.read);
    std::string body = answer.body;
    const std::string shown =
        name.substr(0, name.find('/')) + ":" + name.substr(name.find('/') + 1);
    body.replace(body.find(shown), shown.size(), "NAME");
    answers.insert(body);
  }
  EXPECT_EQ(answers.size(), 1U);
}

TEST_F(ScopeTest, FacetsUnderTheOtherFiltersKeepTheScopesOwn) {
  add("activity", {event(1, "EDIT"), event(2, "DELETE"), event(3, "SEND")});
  for (const std::string scope : {"verb:EDIT", "verb:EDIT actor:1", "-verb:DELETE -verb:SEND"}) {
    for (const std::string query : {"verb:DELETE", "", "verb:EDIT", "verb:DELETE actor:1"}) {
      const Answer answer =
          within(scope, "/api/v1/facets", {{"q", query}, {"by", "verb"}, {"others", "1"}});
      const auto facets = cli::read_facets(answer.body).value();
      ASSERT_EQ(facets[0].values.size(), 1U) << scope << " | " << query << answer.body;
      EXPECT_EQ(facets[0].values[0].value, "EDIT");
      EXPECT_EQ(facets[0].distinct, 1U);
    }
  }
}

TEST_F(ScopeTest, ExplainTellsTheCountAlone) {
  add("activity", {event(1, "EDIT"), event(2, "DELETE"), event(3, "DELETE")});
  const Answer answer = within("verb:EDIT", "/api/v1/explain", {{"q", "verb:DELETE,EDIT"}});
  EXPECT_EQ(answer.status, 200U);
  EXPECT_THAT(answer.body, HasSubstr("\"count\":1,\"scoped\":true,"));
  EXPECT_THAT(answer.body, Not(HasSubstr("blocks")));
  EXPECT_THAT(answer.body, HasSubstr("\"conditions\":[]"));
  EXPECT_TRUE(cli::read_explained(answer.body)->is_scoped);
  EXPECT_EQ(cli::read_explained(answer.body)->query, "verb:DELETE,EDIT,UPDATE");
  EXPECT_THAT(within("target.id:1", "/api/v1/explain", {}).body, StartsWith(R"({"query":"*",)"));
}

TEST_F(ScopeTest, LogsThatItExcludesAreNotEvenMeasured) {
  add("activity", {event(1)});
  add("api", {event(2)});
  auto exported = Export::open(*service_, {{"q", "log:*"}}, nullptr, scope_of("log:activity"));
  ASSERT_TRUE(exported);
  EXPECT_EQ(exported->run([](std::string_view) { return true; })->position, "activity:1");
  auto tail = Tail::open(*service_, {{"q", "log:*"}}, "", scope_of("-log:api verb:EDIT"));
  std::vector<std::string> seen;
  const auto note = [&seen](const Event& found) { seen.push_back(found.log); };
  ASSERT_TRUE(tail->poll(nullptr, note, [](const Gap&) {}));
  EXPECT_EQ(tail->position(), "activity:1");
  add("api", {event(3)});
  add("activity", {event(4), event(5, "DELETE")});
  ASSERT_TRUE(tail->poll(nullptr, note, [](const Gap&) {}));
  EXPECT_THAT(seen, ElementsAre("activity", "activity"));
  EXPECT_EQ(tail->position(), "activity:3");
}

TEST_F(ScopeTest, ACursorOfAnotherScopeIsRefused) {
  add("activity", {event(1), event(2), event(3, "DELETE")});
  const auto next_of = [](const Answer& answer) {
    const std::size_t begin = answer.body.find("\"next\":\"") + 8;
    return answer.body.substr(begin, answer.body.find('"', begin) - begin);
  };
  const std::string cursor = next_of(within("verb:EDIT", "/api/v1/search", {{"limit", "1"}}));
  const Parameters second{{"limit", "1"}, {"cursor", cursor}};
  EXPECT_EQ(within("verb:EDIT", "/api/v1/search", second).status, 200U);
  EXPECT_EQ(within("verb:EDIT,DELETE", "/api/v1/search", second).status, 400U);
  EXPECT_EQ(get("/api/v1/search", second).status, 400U);
}

TEST_F(ScopeTest, TheClockThatACursorBringsDoesNotMoveIt) {
  Event old = event(0);
  old.ts = now_ns() - 30 * Nanos{86'400} * 1'000'000'000;
  Event fresh = event(1);
  fresh.ts = now_ns() - Nanos{60} * 1'000'000'000;
  Event newest = event(2);
  newest.ts = now_ns();
  add("activity", {old, fresh, newest});
  const Answer first = within("since:7d", "/api/v1/search", {{"q", "since:90d"}, {"limit", "1"}});
  const std::size_t begin = first.body.find("\"next\":\"") + 8;
  const std::string cursor = first.body.substr(begin, first.body.find('"', begin) - begin);
  // Asked as if 40 days ago. The identity of the question is in the cursor, so this one is refused;
  // were it made anew for the other clock, the scope would still be that of now.
  const std::uint64_t then = static_cast<std::uint64_t>(old.ts) - 10ULL * 86'400 * 1'000'000'000;
  char hex[17];
  std::snprintf(hex, sizeof hex, "%llx", static_cast<unsigned long long>(then));
  const std::string forged = hex + cursor.substr(cursor.find('.'));
  EXPECT_EQ(within("since:7d", "/api/v1/search", {{"q", "since:90d"}, {"cursor", forged}}).status,
            400U);
  const auto asked =
      Service::question({{"q", "since:90d"}}, static_cast<Nanos>(then), scope_of("since:7d"));
  EXPECT_GT(asked->query.since, old.ts);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int rounds = 1'000;
#else
constexpr int rounds = 10'000;
#endif

// --- against a plain look at every event ---------------------------------------------------------

class ScopeOracle : public ScopeTest {
 protected:
  void SetUp() override {
    ScopeTest::SetUp();
    std::uint64_t seed = 41;
    for (const std::string log : {"activity", "authentication", "campaign", "docket"}) {
      std::vector<Event> made = docket::testing::RandomEvents(++seed).take(40);
      add(log, made);
      for (std::size_t i = 0; i < made.size(); ++i) {
        made[i].log = log;
        made[i].seq = Seq(i + 1);
        made[i].node = "node-1";
        events_.push_back(made[i]);
      }
    }
  }

  // What is to be found of `where` in the scope.
  [[nodiscard]] std::vector<const Event*> expected(const query::ExpressionPtr& where,
                                                   const query::Query& scope) const {
    std::vector<const Event*> found;
    for (const Event& event : events_) {
      if (query::testing::finds(scope, event) && query::testing::matches(*where, event)) {
        found.push_back(&event);
      }
    }
    std::ranges::sort(found, [](const Event* a, const Event* b) {
      const auto key = [](const Event* e) { return std::tie(e->ts, e->seq, e->log); };
      return key(b) < key(a);
    });
    return found;
  }

  std::vector<Event> events_;
};

std::vector<std::string> names_of(const std::vector<const Event*>& events) {
  std::vector<std::string> names;
  for (const Event* event : events) {
    names.push_back(event->log + ":" + std::to_string(event->seq.value));
  }
  return names;
}

std::map<std::string, std::uint64_t> values_of(const cli::FacetAnswer& facet) {
  std::map<std::string, std::uint64_t> values;
  for (const query::FacetValue& value : facet.values) {
    values[value.value] = value.count;
  }
  return values;
}

TEST_F(ScopeOracle, NoRowNoCountAndNoValueOfAFacetLiesOutside) {
  query::testing::RandomQueries filters(7, events_);
  query::testing::RandomQueries scopes(8, events_);
  constexpr std::array fields{query::Field::verb, query::Field::actor, query::Field::log,
                              query::Field::target_type};
  std::size_t narrowed = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::string filter = filters.next().text;
    const std::string scope_text = scopes.next().text;
    const auto asked = query::parse(filter, {});
    const auto scope = query::parse(scope_text, {});
    ASSERT_TRUE(asked) << filter;
    ASSERT_TRUE(scope) << scope_text;
    SCOPED_TRACE("filter: " + filter + "\nscope: " + scope_text);
    const auto rows = expected(asked->where, *scope);
    query::Query alone = *asked;
    narrowed +=
        rows.size() < query::testing::select(events_, alone, query::Order::newest_first).size();

    const Scope within_it = scope_of(scope_text);
    const auto ask = [&](const std::string& path, const Parameters& parameters) {
      return service_->get(find_route("GET", path), parameters, nullptr, within_it);
    };
    EXPECT_EQ(cli::read_number(ask("/api/v1/count", {{"q", filter}}).body, "count").value(),
              rows.size());
    const Answer page = ask("/api/v1/search", {{"q", filter}, {"limit", "1000"}});
    std::vector<std::string> found;
    const cli::EventPage listed = cli::read_page(page.body).value();
    for (const Event& event : listed.events) {
      found.push_back(event.log + ":" + std::to_string(event.seq.value));
    }
    ASSERT_EQ(found, names_of(rows));
    EXPECT_EQ(page.read->rows, rows.size());

    for (const std::string others : {"0", "1"}) {
      const Answer answer = ask("/api/v1/facets", {{"q", filter},
                                                   {"by", "verb,actor,log,target.type"},
                                                   {"top", "1000"},
                                                   {"others", others}});
      const auto facets = cli::read_facets(answer.body).value();
      ASSERT_EQ(facets.size(), fields.size());
      for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto where =
            others == "0" ? asked->where : query::without_conditions_on(asked->where, fields[i]);
        // Without its own conditions on log, a question names none.
        query::Query seen = *scope;
        seen.names_log =
            scope->names_log && (where == asked->where || fields[i] != query::Field::log);
        const auto counted = expected(where, seen);
        ASSERT_EQ(values_of(facets[i]), query::testing::facet(counted, fields[i])) << others;
      }
    }
    const Answer histogram = ask("/api/v1/histogram", {{"q", filter}, {"every", "4w"}});
    std::uint64_t in_buckets = 0;
    const auto buckets = cli::read_histogram(histogram.body).value();
    for (const auto& bucket : buckets) {
      in_buckets += bucket.count;
    }
    ASSERT_EQ(in_buckets, rows.size());

    const Event& one = events_[static_cast<std::size_t>(round) % events_.size()];
    const auto all = expected(std::make_shared<const query::Expression>(), *scope);
    const bool is_within = std::ranges::find(all, &one) != all.end();
    EXPECT_EQ(ask("/api/v1/events/" + one.log + "/" + std::to_string(one.seq.value), {}).status,
              is_within ? 200U : 404U);
    if (round % 10 == 0) {
      auto exported =
          Export::open(*service_, {{"q", filter}, {"format", "ndjson"}}, nullptr, within_it);
      EXPECT_EQ(exported->run([](std::string_view) { return true; })->rows, rows.size());
    }
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(narrowed, std::size_t{rounds} / 10) << "scopes that leave out some of what was asked";
}

}  // namespace
}  // namespace docket::api
