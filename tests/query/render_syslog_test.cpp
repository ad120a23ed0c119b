#include <gtest/gtest.h>

#include <string>

#include "engine/timestamp.hpp"
#include "query/render.hpp"
#include "tests/query/line_readers.hpp"

namespace docket::query {
namespace {

Event event() {
  Event e;
  e.log = "activity";
  e.seq = Seq(7);
  e.received = parse_rfc3339("2026-05-01T14:22:04Z").value();
  e.node = "node-1";
  e.ts = parse_rfc3339("2026-05-01T14:22:03.123456789Z").value();
  e.actor = {"user", "17", "Ana Lima", "owner"};
  e.verb = "EDIT";
  e.target = {"Broadcast", "9", "Welcome series"};
  return e;
}

std::string syslog(const Event& e) {
  std::string out;
  append_syslog(out, e);
  EXPECT_EQ(out.back(), '\n');
  out.pop_back();
  return out;
}

SyslogLine read(const Event& e) {
  const auto line = read_syslog(syslog(e));
  EXPECT_TRUE(line) << syslog(e);
  return line.value_or(SyslogLine());
}

// A parameter of an event with this name of its target.
std::string named(std::string name) {
  Event e = event();
  e.target.name = std::move(name);
  return value_of(read(e).parameters, "target.name").value_or("absent");
}

TEST(RenderSyslog, ALineIsWhatTheDocumentSays) {
  EXPECT_EQ(
      syslog(event()),
      "<110>1 2026-05-01T14:22:03.123456Z node-1 docket - EDIT [docket@32473 log=\"activity\" "
      "seq=\"7\" received=\"2026-05-01T14:22:04Z\" ts=\"2026-05-01T14:22:03.123456789Z\" "
      "actor.kind=\"user\" actor.id=\"17\" actor.name=\"Ana Lima\" actor.role=\"owner\" "
      "verb=\"EDIT\" target.type=\"Broadcast\" target.id=\"9\" "
      "target.name=\"Welcome series\" affected=\"1\" outcome=\"success\" node=\"node-1\"] "
      "\xEF\xBB\xBF"
      "Ana Lima (user:17) EDIT Broadcast:9 (Welcome series): success");
}

TEST(RenderSyslog, EveryFieldCanBeReadBack) {
  Event e = event();
  e.related = {{"List", "5", "News, \"daily\""}, {"Contact", "3", ""}};
  e.affected = 19;
  e.ip = parse_ip("2001:DB8::1");
  e.outcome = Outcome::failure;
  e.reason = "rate_limited";
  e.session = "s]1";
  e.request = "r\\1";
  e.payload = R"({"a":"b\"]c"})";
  const SyslogLine line = read(e);
  const auto is = [&line](std::string_view name, std::string_view value) {
    EXPECT_EQ(value_of(line.parameters, name), value) << name;
  };
  is("related",
     R"([{"type":"List","id":"5","name":"News, \"daily\""},{"type":"Contact","id":"3"}])");
  is("affected", "19");
  is("ip", "2001:db8::1");
  is("outcome", "failure");
  is("reason", "rate_limited");
  is("session", "s]1");
  is("request", "r\\1");
  is("payload", e.payload);
  EXPECT_EQ(line.message,
            "Ana Lima (user:17) EDIT Broadcast:9 (Welcome series) +2, 19 objects: failure, "
            "rate_limited");
}

TEST(RenderSyslog, TheSeverityFollowsTheOutcome) {
  Event e = event();
  for (const auto& [outcome, severity] :
       {std::pair{Outcome::success, 6U}, {Outcome::denied, 5U}, {Outcome::failure, 4U}}) {
    e.outcome = outcome;
    EXPECT_EQ(read(e).severity, severity);
    EXPECT_EQ(read(e).facility, 13U);
  }
}

TEST(RenderSyslog, TimesAreRoundedDownToMicroseconds) {
  Event e = event();
  e.ts = -1;
  EXPECT_EQ(read(e).timestamp, "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(value_of(read(e).parameters, "ts"), "1969-12-31T23:59:59.999999999Z");
  e.ts = 0;
  EXPECT_EQ(read(e).timestamp, "1970-01-01T00:00:00Z");
}

TEST(RenderSyslog, WhatDoesNotFitTheHeaderIsAbsentThereOnly) {
  Event e = event();
  for (const std::string& verb : {std::string(33, 'V'), std::string("A B"), std::string("É")}) {
    e.verb = verb;
    e.node = verb;
    const SyslogLine line = read(e);
    EXPECT_EQ(line.msgid, "-");
    EXPECT_EQ(line.hostname, verb.size() == 33 ? verb : "-");
    EXPECT_EQ(value_of(line.parameters, "verb"), verb);
    EXPECT_EQ(value_of(line.parameters, "node"), verb);
  }
  e.verb = std::string(32, 'V');
  EXPECT_EQ(read(e).msgid, e.verb);
  e.node = "";
  EXPECT_EQ(read(e).hostname, "-");
}

TEST(RenderSyslog, QuotesBackslashesAndBracketsAreEscaped) {
  for (const std::string text : {"\"", "\\", "]", "a\"b]c\\d", "\\\"", "x=\"y\"] [z"}) {
    EXPECT_EQ(named(text), text);
  }
}

TEST(RenderSyslog, WhatATerminalActsOnIsEscapedAsInCsv) {
  EXPECT_EQ(named("a\x1b[2J\x7f"), "a\\u001b[2J\\u007f");
  EXPECT_EQ(named("\u202eabc\u2066\u0085\u2028"), "\\u202eabc\\u2066\\u0085\\u2028");
  EXPECT_EQ(named("a\r\n\tb"), "a\\u000d\\u000a\\u0009b");
  EXPECT_EQ(named("größe 顧客"), "größe 顧客");
  EXPECT_EQ(named("\xff"), "\\ufffd");
}

TEST(RenderSyslog, LineBreaksBetweenThePayloadsTokensBecomeBlanks) {
  Event e = event();
  e.payload = "{\n\t\"a\":\r\n\"\u202e\"}";
  EXPECT_EQ(value_of(read(e).parameters, "payload"), "{  \"a\":  \"\\u202e\"}");
}

TEST(RenderSyslog, ALongLineIsWhole) {
  Event e = event();
  e.payload = "{\"a\":\"" + std::string(1'000'000, 'x') + "\"}";
  EXPECT_EQ(value_of(read(e).parameters, "payload"), e.payload);
}

}  // namespace
}  // namespace docket::query
