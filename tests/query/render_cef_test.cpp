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

std::string cef(const Event& e) {
  std::string out;
  append_cef(out, e);
  EXPECT_EQ(out.back(), '\n');
  out.pop_back();
  return out;
}

CefLine read(const Event& e) {
  const auto line = read_cef(cef(e));
  EXPECT_TRUE(line) << cef(e);
  return line.value_or(CefLine{std::vector<std::string>(7), {}});
}

std::string named(std::string name) {
  Event e = event();
  e.target.name = std::move(name);
  return value_of(read(e).extension, "cs4").value_or("absent");
}

TEST(RenderCef, ALineIsWhatTheDocumentSays) {
  EXPECT_EQ(cef(event()),
            "CEF:0|Docket|docket|1|EDIT|EDIT Broadcast|3|rt=1777645323123 externalId=activity:7 "
            "cat=activity cs1=user cs1Label=actor.kind suid=17 suser=Ana Lima spriv=owner act=EDIT "
            "cs2=Broadcast cs2Label=target.type cs3=9 cs3Label=target.id cs4=Welcome series "
            "cs4Label=target.name cnt=1 outcome=success dvchost=node-1 cn1=1777645323123456789 "
            "cn1Label=ts in nanoseconds deviceCustomDate1=1777645324000 "
            "deviceCustomDate1Label=received "
            "msg=Ana Lima (user:17) EDIT Broadcast:9 (Welcome series): success");
}

TEST(RenderCef, EveryFieldCanBeReadBack) {
  Event e = event();
  e.related = {{"List", "5", "a=b|c\\d"}};
  e.affected = 19;
  e.outcome = Outcome::failure;
  e.reason = "rate_limited";
  e.session = "s=1";
  e.request = "r\\1";
  e.payload = R"({"a":"b\"=c|"})";
  const auto is = [&e](std::string_view name, std::optional<std::string> value) {
    EXPECT_EQ(value_of(read(e).extension, name), value) << name;
  };
  is("cs5", R"([{"type":"List","id":"5","name":"a=b|c\\d"}])");
  is("cnt", "19");
  is("outcome", "failure");
  is("reason", "rate_limited");
  is("flexString1", "s=1");
  is("flexString2", "r\\1");
  is("cs6", e.payload);
  e.ip = parse_ip("10.0.0.1");
  is("src", "10.0.0.1");
  is("c6a2", std::nullopt);
  e.ip = parse_ip("2001:DB8::1");
  is("c6a2", "2001:db8::1");
  is("c6a2Label", "Source IPv6 Address");
  is("src", std::nullopt);
}

TEST(RenderCef, TheSeverityFollowsTheOutcome) {
  Event e = event();
  EXPECT_EQ(read(e).header[6], "3");
  e.outcome = Outcome::denied;
  EXPECT_EQ(read(e).header[6], "5");
  e.outcome = Outcome::failure;
  EXPECT_EQ(read(e).header[6], "6");
}

TEST(RenderCef, TimesBeforeTheEpochAreRoundedDown) {
  Event e = event();
  e.ts = -1;
  EXPECT_EQ(value_of(read(e).extension, "rt"), "-1");
  EXPECT_EQ(value_of(read(e).extension, "cn1"), "-1");
}

TEST(RenderCef, TheHeaderEscapesPipesAndBackslashes) {
  Event e = event();
  e.verb = "A|B\\C=D\n";
  e.target.type = "|";
  EXPECT_EQ(read(e).header[4], "A|B\\C=D\\u000a");
  EXPECT_EQ(read(e).header[5], "A|B\\C=D\\u000a |");
  EXPECT_EQ(cef(e).rfind(R"(CEF:0|Docket|docket|1|A\|B\\C=D\\u000a|)", 0), 0U);
}

TEST(RenderCef, TheExtensionEscapesEqualsBackslashesAndLineBreaks) {
  for (const std::string text :
       {"=", "\\", "|", "a=b", " act=DELETE ", "\\=", "a\r\nb", "\\n", "trailing  ", "a  b=c"}) {
    EXPECT_EQ(named(text), text);
  }
  EXPECT_NE(cef(event()).find("cs4=Welcome series "), std::string::npos);
}

TEST(RenderCef, WhatATerminalActsOnIsEscapedAsInCsv) {
  EXPECT_EQ(named("a\x1b[2J\x7f\t"), "a\\u001b[2J\\u007f\\u0009");
  EXPECT_EQ(named("\u202eabc\u2066\u0085\u2028"), "\\u202eabc\\u2066\\u0085\\u2028");
  EXPECT_EQ(named("größe 顧客"), "größe 顧客");
}

TEST(RenderCef, LineBreaksBetweenThePayloadsTokensBecomeBlanks) {
  Event e = event();
  e.payload = "{\n\t\"a\":\r\n\"\u202e\"}";
  EXPECT_EQ(value_of(read(e).extension, "cs6"), "{  \"a\":  \"\\u202e\"}");
}

TEST(RenderCef, ALongLineIsWhole) {
  Event e = event();
  e.payload = "{\"a\":\"" + std::string(1'000'000, 'x') + "\"}";
  EXPECT_EQ(value_of(read(e).extension, "cs6"), e.payload);
}

}  // namespace
}  // namespace docket::query
