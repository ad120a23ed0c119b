#include "tools/docketd/system_events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/event_json.hpp"

namespace docket::server {
namespace {

using ::testing::HasSubstr;

void expect_sound(const Event& event) {
  std::vector<TargetView> related;
  const auto checked = check_event(view_of(event, related), EventRules{}, event.ts, false);
  EXPECT_TRUE(checked) << event.verb << ": " << checked.error().message;
  EXPECT_TRUE(event.payload.empty() || ingest::is_json_object(event.payload)) << event.payload;
  EXPECT_EQ(event.log, "docket");
}

RetirementPlan some_plan() {
  RetirementPlan plan;
  plan.log = "activity";
  plan.segment = SegmentId(3);
  plan.first_seq = Seq(11);
  plan.last_seq = Seq(20);
  plan.bytes = 4096;
  plan.reason = "older than 365d";
  return plan;
}

TEST(SystemEvents, EachKeepsTheRulesOfTheEventAndIsValidJson) {
  const std::string nasty = "\"\\\n\x01\xff\xe2\x80\xae" + std::string(100'000, 'x');
  Settings settings;
  settings.data = "/data/\"quoted\"";
  expect_sound(started_event(settings, "127.0.0.1:1", "[::1]:2"));
  expect_sound(stopped_event("SIGTERM"));
  expect_sound(reloaded_event({}));
  expect_sound(reloaded_event(std::vector<SettingChange>(5000, {"retention.x", "1d", "2d"})));
  expect_sound(reload_failed_event(nasty));
  expect_sound(retired_event(some_plan()));
  expect_sound(retire_failed_event(some_plan(), nasty));
  expect_sound(notice_event("activity", "damage_quarantined", nasty));
  expect_sound(notice_event("", nasty, nasty));
  expect_sound(rejected_event("", nasty, nasty, 7));
  expect_sound(read_event({"search", nasty, 12, {}}, "", "127.0.0.1:50000", ""));
  expect_sound(read_event(
      {"export", "", 1, std::vector<Gap>(5000, {"activity", Seq(1), Seq(2), nasty})}, "", "", ""));
  expect_sound(dropped_event(3));
}

TEST(SystemEvents, ARetirementNamesSegmentRangeAndReason) {
  const Event event = retired_event(some_plan());
  EXPECT_EQ(event.verb, "RETIRE");
  EXPECT_EQ(event.actor.kind + ":" + event.actor.id, "system:docketd");
  EXPECT_EQ(event.target.type + ":" + event.target.id, "Segment:activity/3");
  EXPECT_EQ(event.affected, 10U);
  EXPECT_EQ(event.reason, "older than 365d");
  EXPECT_EQ(event.payload,
            R"({"log":"activity","segment":3,"first_seq":11,"last_seq":20,"bytes":4096})");
}

TEST(SystemEvents, AReadSaysWhatWasAskedByWhomAndHowManyRowsItGave) {
  const Event event = read_event({"count", "verb:DELETE", 12, {}}, "", "10.0.0.1:50000", "");
  EXPECT_EQ(event.verb, "READ");
  EXPECT_EQ(event.actor.kind, "api");
  EXPECT_EQ(format_ip(event.ip.value()), "10.0.0.1");
  EXPECT_EQ(event.affected, 12U);
  EXPECT_EQ(event.payload, R"({"operation":"count","query":"verb:DELETE","rows":12})");
  const Event cut = read_event({"export", "", 5, {}}, "", "10.0.0.1:50000", "cancelled");
  EXPECT_EQ(cut.verb, "EXPORT");
  EXPECT_EQ(cut.outcome, Outcome::failure);
  EXPECT_EQ(cut.reason, "cancelled");
}

TEST(SystemEvents, AReadNamesTheToken) {
  const Event event = read_event({"count", "", 1, {}}, "ada", "10.0.0.1:50000", "");
  EXPECT_EQ(event.actor.kind, "api_token");
  EXPECT_EQ(event.actor.id, "ada");
}

TEST(SystemEvents, ADeniedRequestNamesWhoAskedAndWhy) {
  const Event token = denied_event("api_token:ada", "10.0.0.1:50000", "expired", 1);
  expect_sound(token);
  EXPECT_EQ(token.verb, "REJECT");
  EXPECT_EQ(token.actor.kind, "api_token");
  EXPECT_EQ(token.actor.id, "ada");
  EXPECT_EQ(token.outcome, Outcome::denied);
  const Event address = denied_event("address:2001:db8::/64", "[2001:db8::1]:1", "no token", 7);
  expect_sound(address);
  EXPECT_EQ(address.actor.kind, "address");
  EXPECT_EQ(address.actor.id, "2001:db8::/64");
  EXPECT_EQ(address.affected, 7U);
  expect_sound(denied_event("many", "", "refused as well", 3));
  expect_sound(denied_event("address:", "", "x", 3));
}

TEST(SystemEvents, AReadThatMissedSomethingSaysWhat) {
  const Event event =
      read_event({"export", "", 5, {{"activity", Seq(3), Seq(9), "damaged"}}}, "", "", "");
  EXPECT_EQ(event.payload, R"({"operation":"export","query":"","rows":5,"gaps":[{"log":"activity",)"
                           R"("first_seq":3,"last_seq":9,"reason":"damaged"}],"gaps_in_all":1})");
}

TEST(SystemEvents, AReloadCarriesTheDiffOfTheSettings) {
  const Event event = reloaded_event({{"log.level", "info", "debug"}});
  EXPECT_EQ(event.payload, R"({"changes":[{"field":"log.level","old":"info","new":"debug"}]})");
  EXPECT_EQ(reload_failed_event("f.toml:2:1: x").outcome, Outcome::failure);
}

}  // namespace
}  // namespace docket::server
