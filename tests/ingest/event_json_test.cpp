#include "ingest/event_json.hpp"

#include <gtest/gtest.h>

#include <string>

#include "ingest/json_cursor.hpp"
#include "tests/support/event_copy.hpp"

namespace docket::ingest {
namespace {

constexpr Nanos received = 1'800'000'000'000'000'000;

// The decoder's answer, or what it refuses with.
struct Outcome {
  std::string error;
  std::string log;
  Event event;
};

Outcome decode(std::string_view json, const EventRules& rules = {}) {
  static EventDecoder decoder;  // reused, as sessions do
  const auto decoded = decoder.decode(json, rules, received);
  Outcome outcome;
  if (!decoded) {
    EXPECT_EQ(decoded.error().code, ErrorCode::invalid_argument);
    outcome.error = decoded.error().message;
    return outcome;
  }
  outcome.log = decoded->log;
  outcome.event = docket::testing::copy_of(decoded->event);
  return outcome;
}

std::string error_of(std::string_view json) {
  return decode(json).error;
}

// A minimal event with `more` inside.
std::string minimal_with(const std::string& more) {
  return R"({"actor":{"kind":"user","id":"17"},"verb":"EDIT","target":{"type":"List"})" + more +
         "}";
}

TEST(EventDecoder, EveryFieldComesThrough) {
  const Outcome o = decode(
      R"({"log":"campaign","ts":"2026-05-01T14:22:03.25+02:00",)"
      R"("actor":{"kind":"api_token","id":"t-1","name":"Nightly sync","role":"writer"},)"
      R"("verb":"schedule","target":{"type":"Broadcast","id":"9","name":"Spring \u20ac \"sale\""},)"
      R"("related":[{"type":"List","id":"1","name":"All"},{"type":"Segment"}],"affected":1200,)"
      R"("ip":"2001:db8::1","outcome":"denied","reason":"rate_limited","session":"s1",)"
      R"("request":"r1","payload":{ "changes" : [ {"field":"a","old":1,"new":2} ] }})");
  ASSERT_EQ(o.error, "");
  EXPECT_EQ(o.log, "campaign");
  EXPECT_EQ(o.event.ts, 1'777'638'123'250'000'000);
  EXPECT_EQ(o.event.actor, (Actor{"api_token", "t-1", "Nightly sync", "writer"}));
  EXPECT_EQ(o.event.verb, "SCHEDULE");
  EXPECT_EQ(o.event.target, (Target{"Broadcast", "9", "Spring € \"sale\""}));
  EXPECT_EQ(o.event.related, (std::vector<Target>{{"List", "1", "All"}, {"Segment", "", ""}}));
  EXPECT_EQ(o.event.affected, 1200U);
  EXPECT_EQ(o.event.ip, parse_ip("2001:db8::1"));
  EXPECT_EQ(o.event.outcome, ::docket::Outcome::denied);
  EXPECT_EQ(o.event.reason, "rate_limited");
  EXPECT_EQ(o.event.session, "s1");
  EXPECT_EQ(o.event.request, "r1");
  EXPECT_EQ(o.event.payload, R"({ "changes" : [ {"field":"a","old":1,"new":2} ] })");
}

TEST(EventDecoder, AbsentFieldsHaveTheirDefaults) {
  const Outcome o = decode(minimal_with(""));
  ASSERT_EQ(o.error, "");
  EXPECT_EQ(o.log, "activity");
  EXPECT_EQ(o.event.ts, received);
  EXPECT_EQ(o.event.affected, 1U);
  EXPECT_EQ(o.event.outcome, ::docket::Outcome::success);
  EXPECT_FALSE(o.event.ip.has_value());
  EXPECT_TRUE(o.event.payload.empty());
}

TEST(EventDecoder, NullMeansAbsentForOptionalMembers) {
  const Outcome o = decode(minimal_with(
      R"(,"log":null,"ts":null,"related":null,"affected":null,"ip":null,"outcome":null,)"
      R"("reason":null,"session":null,"request":null,"payload":null)"));
  ASSERT_EQ(o.error, "");
  EXPECT_EQ(o.log, "activity");
  EXPECT_EQ(o.event.ts, received);
  EXPECT_EQ(o.event.affected, 1U);
  EXPECT_EQ(error_of(R"({"actor":{"kind":"user","id":null},"verb":"A","target":{"type":"T"}})"),
            "actor.id: is required");
  EXPECT_EQ(error_of(R"({"actor":null,"verb":"A","target":{"type":"T"}})"),
            "actor: must be an object");
}

TEST(EventDecoder, ExportedMembersAreReadOver) {
  EXPECT_EQ(
      error_of(minimal_with(R"(,"seq":17,"received":"2026-05-01T00:00:00Z","node":{"x":[1]})")),
      "");
}

TEST(EventDecoder, TimesComeAsTextOrNanoseconds) {
  EXPECT_EQ(decode(minimal_with(R"(,"ts":1777638123250000001)")).event.ts, 1777638123250000001);
  EXPECT_EQ(decode(minimal_with(R"(,"ts":-5)")).event.ts, -5);
  EXPECT_EQ(error_of(minimal_with(R"(,"ts":1.5e9)")),
            "ts: must be an RFC 3339 date-time or integer nanoseconds");
  EXPECT_EQ(error_of(minimal_with(R"(,"ts":99999999999999999999)")),
            "ts: must be an RFC 3339 date-time or integer nanoseconds");
  EXPECT_EQ(error_of(minimal_with(R"(,"ts":"yesterday")")).substr(0, 4), "ts: ");
  EXPECT_EQ(error_of(minimal_with(R"(,"ts":2000000000000000000)")),
            "ts: is more than 24 h in the future");
}

TEST(EventDecoder, UnknownAndDuplicateMembersAreNamed) {
  EXPECT_EQ(error_of(minimal_with(R"(,"foo":1)")), "foo: unknown member");
  EXPECT_EQ(error_of(minimal_with(R"(,"verb":"A")")), "verb: duplicate member");
  EXPECT_EQ(error_of(R"({"actor":{"kind":"u","id":"1","foo":1},"verb":"A","target":{"type":"T"}})"),
            "actor.foo: unknown member");
  EXPECT_EQ(
      error_of(R"({"actor":{"kind":"u","id":"1","id":"2"},"verb":"A","target":{"type":"T"}})"),
      "actor.id: duplicate member");
  EXPECT_EQ(error_of(minimal_with(R"(,"related":[{"type":"T"},{"typ":"T"}])")),
            "related[1].typ: unknown member");
  // An escaped name is the same name.
  EXPECT_EQ(error_of(minimal_with(R"(,"\u0076erb":"A")")), "verb: duplicate member");
  // A hostile name is cut and made harmless.
  const std::string long_name = error_of(minimal_with(",\"" + std::string(5000, 'x') + "\":1"));
  EXPECT_EQ(long_name, std::string(64, 'x') + "...: unknown member");
  EXPECT_EQ(error_of(minimal_with(R"(,"a\u001bb":1)")), "a?b: unknown member");
}

TEST(EventDecoder, WrongTypesNameTheField) {
  EXPECT_EQ(error_of(minimal_with(R"(,"reason":5)")), "reason: must be a string");
  EXPECT_EQ(error_of(R"({"actor":{"kind":"u","id":17},"verb":"A","target":{"type":"T"}})"),
            "actor.id: must be a string");
  EXPECT_EQ(error_of(R"({"actor":"u:17","verb":"A","target":{"type":"T"}})"),
            "actor: must be an object");
  EXPECT_EQ(error_of(minimal_with(R"(,"related":{"type":"T"})")), "related: must be an array");
  EXPECT_EQ(error_of(minimal_with(R"(,"related":["T"])")), "related[0]: must be an object");
  EXPECT_EQ(error_of(minimal_with(R"(,"affected":-1)")),
            "affected: must be an unsigned integer below 2^64");
  EXPECT_EQ(error_of(minimal_with(R"(,"affected":1.0)")),
            "affected: must be an unsigned integer below 2^64");
  EXPECT_EQ(decode(minimal_with(R"(,"affected":18446744073709551615)")).event.affected, UINT64_MAX);
  EXPECT_EQ(error_of(minimal_with(R"(,"ip":"1.2.3")")), "ip: must be an IPv4 or IPv6 address");
  EXPECT_EQ(error_of(minimal_with(R"(,"outcome":"maybe")")),
            "outcome: must be success, failure or denied");
  EXPECT_EQ(error_of(minimal_with(R"(,"payload":[1])")), "payload: must be a JSON object");
  EXPECT_EQ(error_of(minimal_with(R"(,"payload":"{}")")), "payload: must be a JSON object");
  EXPECT_EQ(error_of(minimal_with(R"(,"session":"\ud800")")),
            "session: has half of a surrogate pair");
}

TEST(EventDecoder, MissingFieldsAreNamed) {
  EXPECT_EQ(error_of("{}"), "actor.kind: is required");
  EXPECT_EQ(error_of(R"({"actor":{"kind":"u","id":"1"},"target":{"type":"T"}})"),
            "verb: is required");
  EXPECT_EQ(error_of(R"({"actor":{"kind":"u","id":"1"},"verb":"A"})"), "target.type: is required");
}

TEST(EventDecoder, LogNamesAreCheckedAndDocketIsReserved) {
  EXPECT_EQ(decode(minimal_with(R"(,"log":"my_log-2")")).log, "my_log-2");
  EXPECT_EQ(error_of(minimal_with(R"(,"log":"Activity")")),
            "log: must match [a-z][a-z0-9_-]{0,31}");
  EXPECT_EQ(error_of(minimal_with(R"(,"log":"")")), "log: must match [a-z][a-z0-9_-]{0,31}");
  EXPECT_EQ(error_of(minimal_with(R"(,"log":"docket")")),
            "log: docket is reserved for the system's own events");
}

TEST(EventDecoder, LimitsOfTheEventHold) {
  EXPECT_EQ(error_of(minimal_with(",\"reason\":\"" + std::string(256, 'x') + "\"")),
            "reason: must be at most 255 bytes");
  std::string related = R"({"type":"T"})";
  for (int i = 1; i < 256; ++i) {
    related += R"(,{"type":"T"})";
  }
  EXPECT_EQ(decode(minimal_with(",\"related\":[" + related + "]")).event.related.size(), 256U);
  EXPECT_EQ(error_of(minimal_with(",\"related\":[" + related + R"(,{"type":"T"}])")),
            "related: has more than 256 entries");
  const std::string payload = "{\"a\":\"" + std::string(100, 'x') + "\"}";
  EXPECT_EQ(decode(minimal_with(",\"payload\":" + payload), EventRules{payload.size()}).error, "");
  EXPECT_EQ(decode(minimal_with(",\"payload\":" + payload), EventRules{payload.size() - 1}).error,
            "payload: is larger than " + std::to_string(payload.size() - 1) + " bytes");
}

TEST(EventDecoder, BrokenTextIsToldByItsPlaceEvenBehindABrokenRule) {
  EventDecoder decoder;
  const auto error = [&](const std::string& json) {
    const auto decoded = decoder.decode(json, {}, received);
    return decoded ? std::string() : decoded.error().message;
  };
  EXPECT_EQ(error(R"({"foo":1,})"), "json: expected a member's name at byte 9");
  EXPECT_EQ(error(R"({"foo" 1})"), "json: expected ':' at byte 7");
  EXPECT_EQ(error(R"({"payload":{"a":tru}})"), "json: expected a value at byte 16");
  EXPECT_EQ(error(minimal_with("") + "x"), "json: expected the end at byte 74");
  EXPECT_EQ(error("[]"), "json: expected '{' at byte 0");
  EXPECT_EQ(error(""), "json: is empty");
  EXPECT_EQ(error("{\"verb\":\"A"), "json: has a string without an end");
  EXPECT_EQ(error("{\"verb\":\"\xff\"}"), "json: is not valid UTF-8");
  EXPECT_EQ(error("{\"verb\":\"\x01\"}"), "json: has a control character inside a string");
  EXPECT_EQ(error(minimal_with(R"(,"reason":"\q")")),
            "json: expected valid escapes in a string at byte 84");
  EXPECT_EQ(error("{}"), "actor.kind: is required");
  EXPECT_EQ(error(minimal_with("")), "");
}

TEST(EventDecoder, WhatIsNestedTooDeepIsNamed) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(error_of(minimal_with(R"(,"payload":{"a":)" + nested(127) + "}")), "");
  EXPECT_EQ(error_of(minimal_with(R"(,"payload":{"a":)" + nested(128) + "}")),
            "payload: is nested more than 128 deep");
  EXPECT_EQ(error_of(minimal_with(R"(,"reason":)" + nested(129))),
            "reason: is nested more than 128 deep");
  EXPECT_EQ(error_of(minimal_with(R"(,"colour":)" + nested(129))), "colour: unknown member");
}

TEST(EventDecoder, WhatIsSentEmptyAndMayNotBeIsNamed) {
  EXPECT_EQ(error_of(minimal_with(R"(,"ip":"")")), "ip: must be an IPv4 or IPv6 address");
  EXPECT_EQ(error_of(R"({"actor":{"kind":"u","id":"1"},"verb":"A","target":{"type":"T","id":""}})"),
            "target.id: must be 1 to 255 bytes");
  EXPECT_EQ(error_of(minimal_with(R"(,"related":[{"type":"T"},{"id":"","type":"T"}])")),
            "related[1].id: must be 1 to 255 bytes");
  EXPECT_EQ(error_of(minimal_with(R"(,"related":[{"type":"T","id":null}],"reason":"")")), "");
}

TEST(EventDecoder, DepthBombsAreRefused) {
  EXPECT_NE(error_of(minimal_with(",\"payload\":{\"a\":" + std::string(200'000, '[') + "}")), "");
  EXPECT_NE(error_of(minimal_with(",\"foo\":" + std::string(1000, '{'))), "");
  EXPECT_NE(error_of(std::string(300'000, '[')), "");
}

// Every prefix of a valid line is refused, and none makes the decoder read past its end.
TEST(EventDecoder, EveryPrefixIsMalformed) {
  const std::string line = minimal_with(
      R"(,"ts":"2026-05-01T00:00:00Z","related":[{"type":"L","id":"\n1"}],"payload":{"a":[1,{}]})");
  ASSERT_EQ(error_of(line), "");
  for (std::size_t size = 0; size < line.size(); ++size) {
    const std::unique_ptr<char[]> copy(new char[size + 1]);
    line.copy(copy.get(), size);
    EXPECT_NE(error_of({copy.get(), size}), "") << size;
  }
}

TEST(EventDecoder, WhiteSpaceAroundTokensIsFine) {
  EXPECT_EQ(error_of(" { \"actor\" : { \"kind\" : \"u\" , \"id\" : \"1\" } , \"verb\" : \"A\" , "
                     "\"target\" : { \"type\" : \"T\" } }\r"),
            "");
}

}  // namespace
}  // namespace docket::ingest
