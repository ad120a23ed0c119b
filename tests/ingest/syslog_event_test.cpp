#include "ingest/syslog_event.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "engine/timestamp.hpp"
#include "query/render.hpp"
#include "tests/support/event_copy.hpp"
#include "tests/support/random_events.hpp"

namespace docket::ingest {
namespace {

constexpr Nanos received = 1'800'000'000'000'000'000;

class SyslogEvent : public ::testing::Test {
 protected:
  Event event(std::string_view text) {
    const auto decoded = decoder_.decode(text, rules_, received, "192.0.2.7");
    EXPECT_TRUE(decoded.has_value()) << text << ": " << (decoded ? "" : decoded.error().message);
    if (!decoded) {
      return {};
    }
    Event event = testing::copy_of(decoded->event);
    event.log = decoded->log;
    return event;
  }
  std::string error(std::string_view text) {
    const auto decoded = decoder_.decode(text, rules_, received, "192.0.2.7");
    return decoded ? "" : decoded.error().message;
  }

  SyslogDecoder decoder_;
  EventRules rules_;
};

// A line of RFC 5424 with the element's parameters.
std::string line(const std::string& params) {
  return "<110>1 - - - - - [docket@32473 " + params + "]";
}

TEST_F(SyslogEvent, TheElementSaysEveryField) {
  const Event got = event(
      line(R"(log="campaign" ts="2026-05-01T14:22:03.123456789+02:00" actor.kind="user" )"
           R"(actor.id="17" actor.name="Ana \"A\" Lima" actor.role="owner" verb="edit" )"
           R"(target.type="List" target.id="4" target.name="News [1\]" )"
           R"(related="[{\"type\":\"Segment\",\"id\":\"5\"}\]" affected="19" ip="2001:DB8::1" )"
           R"(outcome="denied" reason="rate_limited" session="s-1" request="r-1" )"
           R"(payload="{\"path\":\"C:\\\\x\", \"n\": 1.50}" seq="9" received="1" node="web-1")"));
  EXPECT_EQ(got.log, "campaign");
  EXPECT_EQ(got.ts, parse_rfc3339("2026-05-01T12:22:03.123456789Z").value());
  EXPECT_EQ(got.actor, (Actor{"user", "17", "Ana \"A\" Lima", "owner"}));
  EXPECT_EQ(got.verb, "EDIT");
  EXPECT_EQ(got.target, (Target{"List", "4", "News [1]"}));
  ASSERT_EQ(got.related.size(), 1U);
  EXPECT_EQ(got.related[0], (Target{"Segment", "5", ""}));
  EXPECT_EQ(got.affected, 19U);
  EXPECT_EQ(format_ip(*got.ip), "2001:db8::1");
  EXPECT_EQ(got.outcome, Outcome::denied);
  EXPECT_EQ(got.reason, "rate_limited");
  EXPECT_EQ(got.session, "s-1");
  EXPECT_EQ(got.request, "r-1");
  EXPECT_EQ(got.payload, R"({"path":"C:\\x", "n": 1.50})");
}

TEST_F(SyslogEvent, WhatTheElementLeavesOutComesFromTheHeader) {
  const Event got = event(
      "<107>1 2026-05-01T14:22:03Z web-1 shop 77 EDIT [docket@32473 actor.kind=\"user\" "
      "actor.id=\"17\"][origin@1 ip=\"1.2.3.4\"] changed it");
  EXPECT_EQ(got.log, "activity");
  EXPECT_EQ(got.ts, parse_rfc3339("2026-05-01T14:22:03Z").value());
  EXPECT_EQ(got.actor.id, "17");
  EXPECT_EQ(got.verb, "EDIT");
  EXPECT_EQ(got.target, (Target{"Host", "web-1", ""}));
  EXPECT_EQ(got.outcome, Outcome::failure);
  EXPECT_EQ(got.payload,
            R"({"facility":"audit","severity":"err","hostname":"web-1","app_name":"shop",)"
            R"("procid":"77","msgid":"EDIT","data":{"origin@1":{"ip":"1.2.3.4"}},)"
            R"("message":"changed it"})");
}

TEST_F(SyslogEvent, AMessageWithoutTheElementIsStoredWithAllItSays) {
  const Event got = event(
      "<34>1 2003-10-11T22:14:15.003Z host.example su - ID47 [a@1 x=\"1\" y=\"\\\"\" x=\"2\"][b] "
      "\xEF\xBB\xBF'su root' f\xC3\xA4iled\t\x01");
  EXPECT_EQ(got.log, "syslog");
  EXPECT_EQ(got.ts, parse_rfc3339("2003-10-11T22:14:15.003Z").value());
  EXPECT_EQ(got.actor, (Actor{"system", "su", "", ""}));
  EXPECT_EQ(got.verb, "ID47");
  EXPECT_EQ(got.target, (Target{"Host", "host.example", ""}));
  EXPECT_EQ(got.outcome, Outcome::failure);
  EXPECT_EQ(got.payload,
            R"({"facility":"auth","severity":"crit","hostname":"host.example","app_name":"su",)"
            R"("msgid":"ID47","data":{"a@1":{"x":["1","2"],"y":"\""},"b":{}},)"
            "\"message\":\"'su root' f\xC3\xA4iled\\u0009\\u0001\"}");
}

TEST_F(SyslogEvent, AMessageOfNothingIsStoredToo) {
  const Event got = event("<14>1 - - - - - -");
  EXPECT_EQ(got.ts, received);
  EXPECT_EQ(got.actor, (Actor{"system", "unknown", "", ""}));
  EXPECT_EQ(got.verb, "LOG");
  EXPECT_EQ(got.target, (Target{"Host", "192.0.2.7", ""}));
  EXPECT_EQ(got.outcome, Outcome::success);
  EXPECT_EQ(got.payload, R"({"facility":"user","severity":"info"})");
}

TEST_F(SyslogEvent, OldMessagesKeepTheTimeTheyName) {
  const Event got = event("<13>Oct 11 22:14:15 web-1 cron[12]: ran");
  EXPECT_EQ(got.ts, received);
  EXPECT_EQ(got.actor.id, "cron");
  EXPECT_EQ(got.payload, R"({"facility":"user","severity":"notice","timestamp":"Oct 11 22:14:15",)"
                         R"("hostname":"web-1","app_name":"cron","procid":"12","message":"ran"})");
}

TEST_F(SyslogEvent, ATimeFarAheadIsKeptAsText) {
  const Event got = event("<13>1 2199-01-01T00:00:00Z - - - - - x");
  EXPECT_EQ(got.ts, received);
  EXPECT_NE(got.payload.find(R"("timestamp":"2199-01-01T00:00:00Z")"), std::string::npos);
  EXPECT_NE(error(line("actor.kind=\"a\" actor.id=\"b\" ts=\"2199-01-01T00:00:00Z\"")), "");
}

TEST_F(SyslogEvent, BytesThatAreNoUtf8AreTakenAsLatin1) {
  const Event got = event("<13>1 - - - - - [a b=\"\xFC\"] gr\xFC\xDF");
  EXPECT_EQ(got.payload,
            "{\"facility\":\"user\",\"severity\":\"notice\",\"charset\":\"iso-8859-1\","
            "\"data\":{\"a\":{\"b\":\"\xC3\xBC\"}},\"message\":\"gr\xC3\xBC\xC3\x9F\"}");
  EXPECT_EQ(error(line("verb=\"\xFC\"")), "message: is not valid UTF-8");
}

TEST_F(SyslogEvent, TheRulesOfTheEventHoldInTheirOwnWords) {
  EXPECT_EQ(error(line("colour=\"red\"")), "colour: unknown member");
  EXPECT_EQ(error(line("actor.colour=\"red\"")), "actor.colour: unknown member");
  EXPECT_EQ(error(line("verb=\"A\" verb=\"B\"")), "verb: duplicate member");
  EXPECT_EQ(error(line("log=\"docket\"")), "log: docket is reserved for the system's own events");
  EXPECT_EQ(error(line("affected=\"-1\"")), "affected: must be an unsigned integer below 2^64");
  EXPECT_EQ(error(line("actor.kind=\"user\"")), "actor.id: is required");
  EXPECT_NE(error(line("ts=\"yesterday\"")).find("ts: "), std::string::npos);
  EXPECT_EQ(error("<13>" + std::string(rules_.payload_bytes_max, 'x')).find("payload: "), 0U);
}

TEST_F(SyslogEvent, JsonWithinAParameterStaysWithinItsField) {
  EXPECT_EQ(error(line(R"(payload="{},\"verb\":\"X\"")")), "payload: must be a JSON object");
  EXPECT_EQ(error(line(R"(related="[\],\"verb\":\"X\"")")), "related: must be an array");
  EXPECT_EQ(error(line(R"(affected="1,\"verb\":\"X\"")")),
            "affected: must be an unsigned integer below 2^64");
}

// What an export writes is readable for people, too: characters that would act on a terminal are
// \uNNNN there, and are not told from these six characters in what is read back.
TEST_F(SyslogEvent, WhatIsExportedReadsBackAsTheSameEvent) {
  const auto is_shown_as_it_is = [](const std::string& text) {
    return text.find("\\u") == std::string::npos;
  };
  testing::RandomEvents random(17);
  int same = 0;
  for (std::uint64_t i = 1; i <= 5'000; ++i) {
    Event sent = random.next();
    sent.log = i % 2 == 0 ? "campaign" : "activity";
    sent.seq = Seq{i};
    sent.received = sent.ts + 1'000;
    sent.node = "web-1";
    std::string exported;
    query::append_syslog(exported, sent);
    exported.pop_back();

    Event got = event(exported);
    got.seq = sent.seq;
    got.received = sent.received;
    got.node = sent.node;
    const bool payload_is_one_line = sent.payload.find_first_of("\n\r\t") == std::string::npos;
    if (is_shown_as_it_is(exported) && payload_is_one_line) {
      ASSERT_EQ(got, sent) << exported;
      ++same;
    }
    std::string again;
    query::append_syslog(again, got);
    again.pop_back();
    ASSERT_EQ(again, exported);
  }
  EXPECT_GT(same, 2'500);
}

}  // namespace
}  // namespace docket::ingest
