#include "tools/api/service.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "engine/quarantine.hpp"
#include "tests/tools/api/store_fixture.hpp"
#include "tools/api/export.hpp"

namespace docket::api {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

class ServiceTest : public StoreFixture {};

// The text between `"next":"` and the next quote; empty for null.
std::string next_of(const std::string& body) {
  static constexpr std::string_view mark = "\"next\":\"";
  const std::size_t begin = body.find(mark);
  return begin == std::string::npos
             ? ""
             : body.substr(begin + mark.size(),
                           body.find('"', begin + mark.size()) - begin - mark.size());
}

TEST_F(ServiceTest, BodiesAreAsTheContractSays) {
  add("activity", {event(1), event(2, "DELETE"), event(3)});
  EXPECT_EQ(get("/api/v1/count", {{"q", "verb:EDIT"}}).body, R"({"count":2,"gaps":[]})");
  EXPECT_EQ(get("/api/v1/facets", {{"by", "verb"}, {"top", "1"}}).body,
            R"({"facets":{"verb":{"values":[{"value":"EDIT","count":2}],"distinct":2,"other":1}},)"
            R"("gaps":[]})");
  EXPECT_EQ(get("/api/v1/histogram", {{"every", "1h"}}).body,
            R"({"every":"1h","buckets":[{"start":"2026-05-01T00:00:00Z","count":3}],"gaps":[]})");
  EXPECT_EQ(get("/api/v1/histogram", {{"every", "1h"}, {"by", "verb"}}).body,
            R"({"every":"1h","by":"verb","buckets":[{"start":"2026-05-01T00:00:00Z","count":3,)"
            R"("by":[{"value":"DELETE","count":1},{"value":"EDIT","count":2}]}],"gaps":[]})");
  EXPECT_THAT(
      get("/api/v1/explain", {{"q", "verb:EDIT actor:7"}}).body,
      MatchesRegex(R"(\{"query":"verb:EDIT,UPDATE actor:7","logs":\["activity"\],"count":0,)"
                   R"("segments":1,"segments_outside":0,"segments_ruled_out":0,"segments_left":1,)"
                   R"("blocks":1,"blocks_ruled_out":0,"blocks_left":1,"postings_read":0,)"
                   R"("columns_scanned":[0-9]+,"payload_rows_scanned":0,"bytes_read":[0-9]+,)"
                   R"("conditions":\[\{"condition":"verb:EDIT,UPDATE","segments":1,"without":0,)"
                   R"("every_row":0,"scanned":1,"bitmaps":0,"bitmap_rows":0,"rare_values":0,)"
                   R"("rare_rows":0\},\{"condition":"actor:7",.*\}\],"conditions_left_out":0,)"
                   R"("gaps":\[\]\})"));
  const std::string page = get("/api/v1/search", {{"limit", "1"}}).body;
  EXPECT_THAT(page, StartsWith(R"({"events":[{"seq":3,"received":)"));
  EXPECT_THAT(page, HasSubstr(R"(}],"next":")"));
  EXPECT_THAT(get("/api/v1/search").body, HasSubstr(R"(}],"next":null,"gaps":[]})"));
  EXPECT_THAT(get("/api/v1/events/activity/2").body, HasSubstr(R"("verb":"DELETE")"));
}

TEST_F(ServiceTest, AnEmptyStoreAnswersEverything) {
  EXPECT_EQ(get("/api/v1/count").body, R"({"count":0,"gaps":[]})");
  EXPECT_EQ(get("/api/v1/search").body, R"({"events":[],"next":null,"gaps":[]})");
  EXPECT_EQ(get("/api/v1/histogram", {{"every", "1d"}}).body,
            R"({"every":"1d","buckets":[],"gaps":[]})");
  EXPECT_EQ(get("/api/v1/logs").body, R"({"logs":[]})");
  EXPECT_EQ(get("/api/v1/segments").body, R"({"segments":[],"quarantine":[],"gaps":[]})");
  EXPECT_EQ(get("/api/v1/nodes").body, R"({"nodes":[],"gaps":[]})");
  EXPECT_EQ(get("/api/v1/facets").status, 200U);
  EXPECT_EQ(get("/api/v1/stats").body, R"({"logs":[],"events":0,"bytes":0,"gaps":[]})");
}

// A store of another process's directory that something happens to after each of the first looks.
class OvertakenStore final : public Store {
 public:
  OvertakenStore(Store& store, std::function<void()> happens, int times)
      : store_(store), happens_(std::move(happens)), times_(times) {}

  [[nodiscard]] Result<StoreSnapshot> snapshot() override {
    auto taken = store_.snapshot();
    if (times_-- > 0) {
      happens_();
    }
    return taken;
  }
  [[nodiscard]] Result<Log*> log(std::string_view name) override { return store_.log(name); }
  [[nodiscard]] Log* find_log(std::string_view name) const override {
    return store_.find_log(name);
  }
  [[nodiscard]] std::vector<Log*> logs() const override { return store_.logs(); }
  [[nodiscard]] std::vector<RetirementPlan> plan_retirement(
      const std::function<RetentionPolicy(std::string_view log)>& policy, std::uint64_t floor,
      Nanos now) override {
    return store_.plan_retirement(policy, floor, now);
  }
  [[nodiscard]] Result<void> retire(std::span<const RetirementPlan> plans) override {
    return store_.retire(plans);
  }
  [[nodiscard]] Result<void> close() override { return store_.close(); }
  [[nodiscard]] const std::string& directory() const override { return store_.directory(); }

 private:
  Store& store_;
  const std::function<void()> happens_;
  int times_;
};

TEST_F(ServiceTest, AReaderWhoseSegmentIsRetiredBetweenLookAndQuestionLooksAgain) {
  const std::vector<std::pair<std::string, Parameters>> questions{
      {"/api/v1/count", {}},
      {"/api/v1/search", {}},
      {"/api/v1/facets", {{"by", "verb"}}},
      {"/api/v1/histogram", {{"every", "1d"}}},
      {"/api/v1/explain", {}},
      {"/api/v1/events/activity/11", {}}};
  for (int i = 0; i < 3 * 6; ++i) {
    add("activity", {event(i)});
    ASSERT_TRUE(store_->find_log("activity")->seal());
  }
  const auto retire_one = [&] {
    policy_.max_bytes = 1;
    const auto plans = store_->plan_retirement([&](std::string_view) { return policy_; }, 0, 0);
    ASSERT_TRUE(store_->retire(plans.front()));
  };
  StoreOptions options;
  options.read_only = true;
  std::uint64_t left = 3 * 6;
  for (const auto& [path, parameters] : questions) {
    const auto reader = Store::open(posix_disk(), directory_.path(), options).value();
    OvertakenStore overtaken(*reader, retire_one, 2);
    index::Catalog catalog(posix_disk(), {.read_only = true});
    const Service service(overtaken, catalog, {});
    const Answer answer = service.get(find_route("GET", path), parameters, nullptr);
    left -= 2;
    if (answer.status == 200) {
      EXPECT_THAT(answer.body, HasSubstr("\"gaps\":[]")) << path;
      // As of the second look, which has opened what was retired after it.
      EXPECT_EQ(answer.read->rows, left + 1) << path;
    } else {
      EXPECT_THAT(answer.body, HasSubstr("it has been retired")) << path;
    }
  }
  const auto reader = Store::open(posix_disk(), directory_.path(), options).value();
  OvertakenStore overtaken(*reader, retire_one, 2);
  index::Catalog catalog(posix_disk(), {.read_only = true});
  const Service service(overtaken, catalog, {});
  auto exported = Export::open(service, {}, nullptr).value();
  retire_one();  // what is open stays readable
  const auto summary = exported.run([](std::string_view) { return true; });
  EXPECT_EQ(summary.value().rows, left - 2);
  EXPECT_THAT(summary.value().gaps, ::testing::IsEmpty());
}

TEST_F(ServiceTest, SegmentsTellWhatIsSetAsideInTheAskedLogs) {
  add("activity", {event(1)});
  add("api", {event(1)});
  ASSERT_TRUE(record_quarantine(posix_disk(), directory_.path() + "/logs/api",
                                {.file = "1.hot", .offset = 128, .bytes = 64, .reason = "why"}));
  EXPECT_THAT(
      get("/api/v1/segments").body,
      HasSubstr(R"("quarantine":[{"log":"api","time":"1970-01-01T00:00:00Z","file":"1.hot")"));
  EXPECT_THAT(get("/api/v1/segments", {{"log", "activity"}}).body,
              HasSubstr(R"("quarantine":[],)"));
}

TEST_F(ServiceTest, AWalkByCursorsGivesEachEventOnceWhileOthersArrive) {
  std::vector<Event> events;
  for (int i = 0; i < 450; ++i) {
    events.push_back(event(i));
  }
  add("activity", events);
  std::multiset<std::string> seen;
  Parameters parameters{{"limit", "7"}, {"q", "since:3650d"}};
  for (;;) {
    const Answer answer = get("/api/v1/search", parameters);
    ASSERT_EQ(answer.status, 200U) << answer.body;
    for (std::size_t at = answer.body.find("\"id\":\""); at != std::string::npos;
         at = answer.body.find("\"id\":\"", at + 1)) {
      seen.insert(answer.body.substr(at, answer.body.find('"', at + 6) - at));
    }
    const std::string next = next_of(answer.body);
    if (next.empty()) {
      break;
    }
    parameters.set("cursor", next);
    add("activity", {event(1000 + static_cast<int>(seen.size()), "LATE")});
  }
  // Each event has its own target, and all have one actor.
  EXPECT_EQ(seen.size(), 900U);
  EXPECT_EQ(seen.count("\"id\":\"1"), 451U);  // the actor's, and target 1
  EXPECT_EQ(seen.count("\"id\":\"449"), 1U);
}

TEST_F(ServiceTest, AWalkTellsWhatWasRetiredBeforeItCameThere) {
  for (const char* log : {"activity", "api"}) {
    for (int i = 0; i < 4; ++i) {
      add(log, {event(2 * i + 1), event(2 * i + 2)});
      ASSERT_TRUE(store_->find_log(log)->seal());
    }
  }
  const auto retire = [&](std::size_t count) {
    policy_.max_bytes = 1;
    for (std::size_t i = 0; i < count; ++i) {
      const auto plans = store_->plan_retirement([&](std::string_view) { return policy_; }, 0, 0);
      const auto of_log = std::ranges::find(plans, "activity", &RetirementPlan::log);
      ASSERT_NE(of_log, plans.end());
      ASSERT_TRUE(store_->retire(*of_log));
    }
  };
  Parameters oldest{{"limit", "3"}, {"oldest", "1"}, {"q", "log:activity"}};
  Parameters newest{{"limit", "3"}, {"q", "log:activity"}};
  Parameters other{{"limit", "3"}, {"q", "log:api"}};
  Parameters late{{"limit", "1"}, {"q", "log:activity since:2026-05-01T00:00:07Z"}};
  for (Parameters* walk : {&oldest, &newest, &other, &late}) {
    const Answer first = get("/api/v1/search", *walk);
    EXPECT_THAT(first.body, HasSubstr("\"gaps\":[]"));
    walk->set("cursor", next_of(first.body));
  }
  retire(1);
  const auto gap = [](int first, int last) {
    return fmt::format(R"("gaps":[{{"log":"activity","first_seq":{},"last_seq":{},"reason":)"
                       R"("retired before it was looked at"}}])",
                       first, last);
  };
  Answer page = get("/api/v1/search", oldest);
  EXPECT_THAT(page.body, HasSubstr("activity"));
  EXPECT_THAT(page.body, HasSubstr("\"seq\":4"));
  EXPECT_THAT(page.body, HasSubstr("\"gaps\":[]"));  // all that is gone was listed
  page = get("/api/v1/search", newest);
  EXPECT_THAT(page.body, HasSubstr(gap(1, 2)));
  newest.set("cursor", next_of(page.body));
  retire(2);
  page = get("/api/v1/search", oldest);
  EXPECT_THAT(page.body, HasSubstr(gap(4, 6)));
  EXPECT_THAT(page.body, HasSubstr("\"seq\":7"));
  EXPECT_EQ(get("/api/v1/search", newest).status, 200U);
  for (Parameters* walk : {&other, &late}) {
    EXPECT_THAT(get("/api/v1/search", *walk).body, HasSubstr("\"gaps\":[]"));
  }
}

TEST_F(ServiceTest, OnePageMayBeMadeOfSeveralFetches) {
  std::vector<Event> events;
  for (int i = 0; i < 450; ++i) {
    events.push_back(event(i));
  }
  add("activity", events);
  const Answer all = get("/api/v1/search", {{"limit", "450"}});
  ASSERT_TRUE(all.read);
  EXPECT_EQ(all.read->rows, 450U);
  EXPECT_EQ(next_of(all.body), "");
  const Answer most = get("/api/v1/search", {{"limit", "449"}});
  EXPECT_EQ(most.read->rows, 449U);
  const Answer rest = get("/api/v1/search", {{"limit", "449"}, {"cursor", next_of(most.body)}});
  EXPECT_EQ(rest.read->rows, 1U);
}

TEST_F(ServiceTest, ACursorGoesWithItsOwnQuestionOnly) {
  add("activity", {event(1), event(2), event(3)});
  const std::string cursor = next_of(get("/api/v1/search", {{"limit", "1"}}).body);
  ASSERT_FALSE(cursor.empty());
  const auto status = [&](const Parameters& parameters) {
    return get("/api/v1/search", parameters).status;
  };
  EXPECT_EQ(status({{"cursor", cursor}}), 200U);
  EXPECT_EQ(status({{"cursor", cursor}, {"q", "verb:EDIT"}}), 400U);
  EXPECT_EQ(status({{"cursor", cursor}, {"oldest", "1"}}), 400U);
  EXPECT_EQ(status({{"cursor", cursor}, {"tz", "Europe/Berlin"}}), 400U);
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    std::string damaged = cursor;
    damaged[i] = damaged[i] == '0' ? '1' : '0';
    EXPECT_EQ(status({{"cursor", damaged}}), 400U) << damaged;
    EXPECT_EQ(status({{"cursor", cursor.substr(0, i)}}), i == 0 ? 200U : 400U) << i;
  }
}

TEST_F(ServiceTest, WhatIsNotUnderstoodIsRefusedAndNotIgnored) {
  const auto status = [this](const char* path, const Parameters& parameters) {
    return get(path, parameters).status;
  };
  EXPECT_EQ(status("/api/v1/count", {{"limit", "1"}}), 400U);
  EXPECT_EQ(status("/api/v1/search", {{"limit", "0"}}), 400U);
  EXPECT_EQ(status("/api/v1/search", {{"limit", "10001"}}), 400U);
  EXPECT_EQ(status("/api/v1/search", {{"oldest", "yes"}}), 400U);
  EXPECT_EQ(status("/api/v1/search", {{"tz", "Nowhere/Land"}}), 400U);
  EXPECT_EQ(status("/api/v1/facets", {{"by", "colour"}}), 400U);
  EXPECT_EQ(status("/api/v1/facets", {{"by", ""}}), 400U);
  EXPECT_EQ(status("/api/v1/histogram", {}), 400U);
  EXPECT_EQ(status("/api/v1/histogram", {{"every", "5x"}}), 400U);
  EXPECT_EQ(status("/api/v1/events/activity/0", {}), 400U);
  EXPECT_EQ(status("/api/v1/events/activity/x", {}), 400U);
  EXPECT_EQ(status("/api/v1/events/No/1", {}), 400U);
  EXPECT_EQ(status("/api/v1/events/activity/1", {}), 404U);
  EXPECT_EQ(status("/api/v1/segments", {{"log", "nolog"}}), 404U);
}

TEST_F(ServiceTest, ASyntaxErrorCarriesCaretAndPosition) {
  const Answer answer = get("/api/v1/count", {{"q", "verb:DELETE OR"}});
  EXPECT_EQ(answer.status, 400U);
  EXPECT_EQ(answer.content_type, "application/problem+json");
  EXPECT_THAT(answer.body, HasSubstr(R"("type":"urn:docket:problem:query_syntax")"));
  EXPECT_THAT(answer.body, HasSubstr(R"("position":14)"));
  EXPECT_THAT(answer.body, HasSubstr(R"("caret":"verb:DELETE OR\n              ^")"));
  EXPECT_FALSE(answer.read);
}

TEST_F(ServiceTest, AnswersWithContentSayWhatWasReadAndOthersDoNot) {
  add("activity", {event(1), event(2)});
  const auto read = [this](const char* path, const Parameters& parameters = {}) {
    const Answer answer = get(path, parameters);
    return answer.read ? answer.read->operation + " " + answer.read->query + " " +
                             std::to_string(answer.read->rows)
                       : "";
  };
  EXPECT_EQ(read("/api/v1/search", {{"q", "verb:EDIT"}}), "search verb:EDIT 2");
  EXPECT_EQ(read("/api/v1/count"), "count  2");
  EXPECT_EQ(read("/api/v1/facets"), "facets  2");
  EXPECT_EQ(read("/api/v1/histogram", {{"every", "1h"}}), "histogram  2");
  EXPECT_EQ(read("/api/v1/events/activity/1"), "event activity:1 1");
  EXPECT_EQ(read("/api/v1/stats"), "");
  EXPECT_EQ(read("/api/v1/segments"), "");
}

TEST_F(ServiceTest, APayloadComesBackByteForByte) {
  Event odd = event(1);
  odd.payload = "{ \"a\" :\n [1.0, 1e2,\t\"\\u00e9\"] }";
  add("activity", {odd});
  EXPECT_THAT(get("/api/v1/search").body, HasSubstr("\"payload\":" + odd.payload));
  EXPECT_THAT(get("/api/v1/events/activity/1").body, HasSubstr("\"payload\":" + odd.payload));
}

TEST_F(ServiceTest, StatisticsCountPerLogAndInAll) {
  add("activity", {event(1), event(2)});
  add("api", {event(3)});
  const std::string body = get("/api/v1/stats").body;
  EXPECT_THAT(body, HasSubstr(R"({"log":"activity","events":2,)"));
  EXPECT_THAT(body, HasSubstr(R"({"log":"api","events":1,)"));
  EXPECT_THAT(body, HasSubstr(R"("events":3,"bytes":)"));
}

TEST_F(ServiceTest, RetentionListsPoliciesAndWhatWouldGo) {
  add("activity", {event(1), event(2)});
  ASSERT_TRUE(store_->find_log("activity")->seal());
  EXPECT_EQ(get("/api/v1/retention").body,
            R"({"policies":[{"log":"activity","max_age":null,"max_bytes":null}],)"
            R"("free_space_floor":0,"plan":[]})");
  policy_.max_bytes = 1;
  const std::string body = get("/api/v1/retention").body;
  EXPECT_THAT(body, HasSubstr(R"("max_bytes":1})"));
  EXPECT_THAT(body, HasSubstr(R"("first_seq":1,"last_seq":2,"events":2,)"));
  // Planning retires nothing.
  EXPECT_EQ(get("/api/v1/count").body, R"({"count":2,"gaps":[]})");
}

TEST_F(ServiceTest, AReadOnlyStoreBesideTheWriterGivesTheSameBytes) {
  add("activity", {event(1), event(2, "DELETE")});
  add("api", {event(3)});
  StoreOptions options;
  options.read_only = true;
  const auto other = Store::open(posix_disk(), directory_.path(), options);
  ASSERT_TRUE(other) << other.error().describe();
  index::Catalog catalog(posix_disk(), {.read_only = true});
  const Service beside(
      **other, catalog,
      {[] { return RetentionRules{[](std::string_view) { return RetentionPolicy{}; }, 0}; }, {}});
  add("activity", {event(4)});  // after it was opened
  for (const char* path :
       {"/api/v1/search", "/api/v1/count", "/api/v1/facets", "/api/v1/logs", "/api/v1/segments",
        "/api/v1/nodes", "/api/v1/stats", "/api/v1/retention", "/api/v1/events/activity/3"}) {
    EXPECT_EQ(beside.get(find_route("GET", path), {}, nullptr).body, get(path).body) << path;
  }
}

}  // namespace
}  // namespace docket::api
