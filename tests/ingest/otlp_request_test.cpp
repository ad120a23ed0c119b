#include <gtest/gtest.h>

#include <future>
#include <string>
#include <string_view>

#include "engine/timestamp.hpp"
#include "ingest/otlp.hpp"
#include "ingest/otlp_record.hpp"
#include "tests/ingest/otlp_messages.hpp"
#include "tests/support/fake_store.hpp"

namespace docket::ingest {
namespace {

using namespace testing::otlp;
using testing::FakeStore;

constexpr std::uint64_t time_ns = 1'777'645'323'123'456'789;  // 2026-05-01T14:22:03.123456789Z

Result<RequestOutcome> store(FakeStore& store, std::string_view body, OtlpForm form,
                             const std::string& key = {}) {
  std::promise<Result<RequestOutcome>> promise;
  auto answered = promise.get_future();
  store_otlp(store, body, form, EventRules{}, {"web-1", key, {}},
             [&promise](Result<RequestOutcome> outcome) { promise.set_value(std::move(outcome)); });
  return answered.get();
}

// The one event that both forms of a request become.
Event only_event(const std::string& protobuf, const std::string& json, const std::string& log) {
  Event first;
  for (const auto& [body, form] :
       {std::pair{protobuf, OtlpForm::protobuf}, std::pair{json, OtlpForm::json}}) {
    FakeStore fake;
    const auto outcome = store(fake, body, form);
    EXPECT_TRUE(outcome.has_value()) << (outcome ? "" : outcome.error().message);
    if (!outcome || fake.events(log).size() != 1U) {
      ADD_FAILURE() << body
                    << (outcome && !outcome->rejected.empty() ? ": " + outcome->rejected[0].error
                                                              : "");
      return first;
    }
    Event event = fake.events(log)[0];
    event.received = 0;
    if (form == OtlpForm::json) {
      EXPECT_EQ(event, first);
    }
    first = event;
  }
  return first;
}

std::string json_request(const std::string& record, const std::string& resource = "[]",
                         const std::string& scope = "{}") {
  // The members stand in another order than the protocol buffer's fields, which is allowed.
  return R"({"unknown":[{}],"resourceLogs":[{"scopeLogs":[{"logRecords":[)" + record +
         R"(],"scope":)" + scope + R"(}],"resource":{"attributes":)" + resource + "}}]}";
}

TEST(StoreOtlp, AttributesSayEveryField) {
  const auto attribute = [](std::string_view key, std::string_view value) {
    return bytes(6, pair(key, text(value)));
  };
  const std::string related = bytes(5, bytes(1, bytes(6, bytes(1, pair("type", text("Contact"))) +
                                                             bytes(1, pair("id", text("5"))))));
  const std::string payload =
      bytes(6, bytes(1, pair("a", integer(3, static_cast<std::uint64_t>(-7)))) +
                   bytes(1, pair("b", real(4, 1.5))) + bytes(1, pair("c", integer(2, 1))) +
                   bytes(1, pair("d", "")) + bytes(1, pair("e", bytes(7, "ab\x01"))));
  const std::string record =
      fixed64(1, time_ns) + integer(2, 9) + attribute("docket.log", "campaign") +
      attribute("docket.actor.kind", "user") + attribute("docket.actor.id", "17") +
      attribute("docket.actor.name", "Zo\xC3\xAB \"Z\"") + attribute("docket.actor.role", "owner") +
      attribute("docket.verb", "edit") + attribute("docket.target.type", "List") +
      attribute("docket.target.id", "4") + attribute("docket.target.name", "News\n") +
      bytes(6, pair("docket.related", related)) +
      bytes(6, pair("docket.affected", integer(3, 19))) + attribute("docket.ip", "192.0.2.1") +
      attribute("docket.outcome", "denied") + attribute("docket.reason", "r") +
      attribute("docket.session", "s") + attribute("docket.request", "q") +
      bytes(6, pair("docket.payload", payload));
  const std::string json = json_request(
      R"({"timeUnixNano":"1777645323123456789","severityNumber":9,"attributes":[)"
      R"({"key":"docket.log","value":{"stringValue":"campaign"}},)"
      R"({"key":"docket.actor.kind","value":{"stringValue":"user"}},)"
      R"({"key":"docket.actor.id","value":{"stringValue":"17"}},)"
      R"({"key":"docket.actor.name","value":{"stringValue":"Zo\u00eb \"Z\""}},)"
      R"({"key":"docket.actor.role","value":{"stringValue":"owner"}},)"
      R"({"key":"docket.verb","value":{"stringValue":"edit"}},)"
      R"({"key":"docket.target.type","value":{"stringValue":"List"}},)"
      R"({"key":"docket.target.id","value":{"stringValue":"4"}},)"
      R"({"key":"docket.target.name","value":{"stringValue":"News\n"}},)"
      R"({"key":"docket.related","value":{"arrayValue":{"values":[{"kvlistValue":{"values":[)"
      R"({"key":"type","value":{"stringValue":"Contact"}},)"
      R"({"key":"id","value":{"stringValue":"5"}}]}}]}}},)"
      R"({"key":"docket.affected","value":{"intValue":"19"}},)"
      R"({"key":"docket.ip","value":{"stringValue":"192.0.2.1"}},)"
      R"({"key":"docket.outcome","value":{"stringValue":"denied"}},)"
      R"({"key":"docket.reason","value":{"stringValue":"r"}},)"
      R"({"key":"docket.session","value":{"stringValue":"s"}},)"
      R"({"key":"docket.request","value":{"stringValue":"q"}},)"
      R"({"key":"docket.payload","value":{"kvlistValue":{"values":[)"
      R"({"key":"a","value":{"intValue":-7}},{"key":"b","value":{"doubleValue":1.5}},)"
      R"({"value":{"boolValue":true},"key":"c"},{"key":"d","value":{}},)"
      R"({"key":"e","value":{"bytesValue":"YWIB"}}]}}}]})");
  const Event event = only_event(request(bytes(2, record)), json, "campaign");
  EXPECT_EQ(event.ts, static_cast<Nanos>(time_ns));
  EXPECT_EQ(event.actor, (Actor{"user", "17", "Zo\xC3\xAB \"Z\"", "owner"}));
  EXPECT_EQ(event.verb, "EDIT");
  EXPECT_EQ(event.target, (Target{"List", "4", "News\n"}));
  ASSERT_EQ(event.related.size(), 1U);
  EXPECT_EQ(event.related[0], (Target{"Contact", "5", ""}));
  EXPECT_EQ(event.affected, 19U);
  EXPECT_EQ(format_ip(*event.ip), "192.0.2.1");
  EXPECT_EQ(event.outcome, Outcome::denied);
  EXPECT_EQ(event.reason + event.session + event.request, "rsq");
  EXPECT_EQ(event.payload, R"({"a":-7,"b":1.5,"c":true,"d":null,"e":"YWIB"})");
  EXPECT_EQ(event.node, "web-1");
}

TEST(StoreOtlp, ARecordOfAnybodyIsStoredWithAllItSays) {
  const std::string record =
      fixed64(1, time_ns) + fixed64(11, time_ns + 1) + integer(2, 17) + bytes(3, "ERROR") +
      bytes(5, text("disk \"x\" full")) + bytes(6, pair("code", integer(3, 5))) +
      bytes(9, "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10") +
      bytes(10, std::string_view("\0\0\0\0\0\0\0\0", 8)) + bytes(12, "disk.full");
  const std::string resource =
      bytes(1, pair("service.name", text("shop"))) + bytes(1, pair("host.name", text("web-1")));
  const std::string scope = bytes(1, "lib") + bytes(2, "1.2") + bytes(3, pair("x", text("y")));
  const Event event = only_event(
      request(bytes(2, record), resource, scope),
      json_request(
          R"({"timeUnixNano":1777645323123456789,"observedTimeUnixNano":"1777645323123456790",)"
          R"("severityNumber":17,"severityText":"ERROR","body":{"stringValue":"disk \"x\" full"},)"
          R"("attributes":[{"key":"code","value":{"intValue":"5"}}],)"
          R"("traceId":"0102030405060708090A0B0C0D0E0F10","spanId":"0000000000000000",)"
          R"("eventName":"disk.full","droppedAttributesCount":1})",
          R"([{"key":"service.name","value":{"stringValue":"shop"}},)"
          R"({"key":"host.name","value":{"stringValue":"web-1"}}])",
          R"({"name":"lib","version":"1.2",)"
          R"("attributes":[{"key":"x","value":{"stringValue":"y"}}]})"),
      "otlp");
  EXPECT_EQ(event.ts, static_cast<Nanos>(time_ns));
  EXPECT_EQ(event.actor, (Actor{"system", "shop", "", ""}));
  EXPECT_EQ(event.verb, "DISK.FULL");
  EXPECT_EQ(event.target, (Target{"Host", "web-1", ""}));
  EXPECT_EQ(event.outcome, Outcome::failure);
  EXPECT_EQ(event.request, "0102030405060708090a0b0c0d0e0f10");
  EXPECT_EQ(event.payload,
            R"({"severity":"ERROR","severity_number":17,)"
            R"("observed_time_unix_nano":1777645323123456790,"event_name":"disk.full",)"
            R"("body":"disk \"x\" full","attributes":{"code":5},)"
            R"("resource":{"service.name":"shop","host.name":"web-1"},)"
            R"("scope":{"name":"lib","version":"1.2","attributes":{"x":"y"}},)"
            R"("trace_id":"0102030405060708090a0b0c0d0e0f10"})");
}

TEST(StoreOtlp, ARecordOfNothingIsStoredToo) {
  for (const auto& [body, form] : {std::pair{request(bytes(2, "")), OtlpForm::protobuf},
                                   std::pair{json_request("{}"), OtlpForm::json}}) {
    FakeStore fake;
    ASSERT_TRUE(store(fake, body, form));
    ASSERT_EQ(fake.events("otlp").size(), 1U);
    const Event event = fake.events("otlp")[0];
    EXPECT_EQ(event.ts, event.received);
    EXPECT_EQ(event.actor, (Actor{"system", "unknown", "", ""}));
    EXPECT_EQ(event.verb, "LOG");
    EXPECT_EQ(event.target, (Target{"Host", "unknown", ""}));
    EXPECT_EQ(event.payload, "{}");
  }
}

TEST(StoreOtlp, ARequestOfNothingIsFine) {
  FakeStore fake;
  for (const auto& [body, form] :
       {std::pair{"", OtlpForm::protobuf}, std::pair{"{}", OtlpForm::json},
        std::pair{R"({"resourceLogs":null})", OtlpForm::json}}) {
    const auto outcome = store(fake, body, form);
    ASSERT_TRUE(outcome) << body;
    EXPECT_EQ(outcome->accepted, 0U);
  }
}

TEST(StoreOtlp, ATimeFarAheadIsKeptAsANumber) {
  const std::uint64_t far = 8'000'000'000'000'000'000;
  const Event event = only_event(request(bytes(2, fixed64(1, far) + fixed64(11, time_ns))),
                                 json_request(R"({"timeUnixNano":"8000000000000000000",)"
                                              R"("observedTimeUnixNano":"1777645323123456789"})"),
                                 "otlp");
  EXPECT_EQ(event.ts, static_cast<Nanos>(time_ns));
  EXPECT_EQ(event.payload, R"({"time_unix_nano":8000000000000000000,)"
                           R"("observed_time_unix_nano":1777645323123456789})");
}

TEST(StoreOtlp, ABrokenRecordIsNamedAndItsNeighboursAreStored) {
  const std::string good = bytes(2, bytes(5, text("x")));
  const std::string bad = bytes(2, bytes(6, pair("docket.verb", integer(3, 1))));
  FakeStore fake;
  const auto outcome = store(fake, request(good + bad + good), OtlpForm::protobuf);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->accepted, 2U);
  ASSERT_EQ(outcome->rejected.size(), 1U);
  EXPECT_EQ(outcome->rejected[0].index, 1U);
  EXPECT_EQ(outcome->rejected[0].error, "verb: must be a string");
  EXPECT_EQ(otlp_response(*outcome, OtlpForm::protobuf),
            bytes(1, integer(1, 1) + bytes(2, "record 1: verb: must be a string")));
  EXPECT_EQ(otlp_response(*outcome, OtlpForm::json),
            R"({"partialSuccess":{"rejectedLogRecords":"1",)"
            R"("errorMessage":"record 1: verb: must be a string"}})");
  EXPECT_EQ(otlp_response({}, OtlpForm::protobuf), "");
  EXPECT_EQ(otlp_response({}, OtlpForm::json), "{}");
  EXPECT_EQ(otlp_status(3, "no", OtlpForm::protobuf), integer(1, 3) + bytes(2, "no"));
  EXPECT_EQ(otlp_status(3, "n\"", OtlpForm::json), R"({"code":3,"message":"n\""})");
}

std::string rejection(const std::string& body, OtlpForm form) {
  FakeStore fake;
  const auto outcome = store(fake, body, form);
  EXPECT_TRUE(outcome.has_value()) << (outcome ? "" : outcome.error().message);
  return outcome && !outcome->rejected.empty() ? outcome->rejected[0].error : "";
}

TEST(StoreOtlp, WhatARecordMayHoldIsBounded) {
  std::string attributes;
  std::string json_attributes;
  for (std::size_t i = 0; i <= otlp_attributes_max; ++i) {
    attributes += bytes(6, pair("k", text("v")));
    json_attributes += (i == 0 ? "" : ",") + std::string(R"({"key":"k","value":{"intValue":1}})");
  }
  const std::string too_much = "record: has a value of more than 2 MiB, or 256 attributes";
  EXPECT_EQ(rejection(request(bytes(2, attributes)), OtlpForm::protobuf), too_much);
  EXPECT_EQ(rejection(json_request(R"({"attributes":[)" + json_attributes + "]}"), OtlpForm::json),
            too_much);

  const std::string large(otlp_bytes_max + 1, 'x');
  for (const std::string& record : {bytes(5, text(large)), bytes(3, large), bytes(12, large),
                                    bytes(6, pair(large, "")), bytes(6, pair("k", text(large)))}) {
    EXPECT_EQ(rejection(request(bytes(2, record)), OtlpForm::protobuf), too_much);
  }
  EXPECT_EQ(rejection(request(bytes(2, ""), bytes(1, pair("k", text(large)))), OtlpForm::protobuf),
            too_much);
  EXPECT_EQ(rejection(request(bytes(2, ""), "", bytes(1, large)), OtlpForm::protobuf), too_much);
  EXPECT_EQ(rejection(json_request(R"({"body":{"stringValue":")" + large + "\"}}"), OtlpForm::json),
            too_much);

  std::string deep = text("x");
  std::string json_deep = R"({"stringValue":"x"})";
  for (std::size_t i = 0; i < otlp_depth_max; ++i) {
    deep = bytes(5, bytes(1, deep));
    json_deep = R"({"arrayValue":{"values":[)" + json_deep + "]}}";
  }
  const std::string too_deep = "record: has a value nested more than 32 deep";
  EXPECT_EQ(rejection(request(bytes(2, bytes(5, deep))), OtlpForm::protobuf), too_deep);
  EXPECT_EQ(rejection(json_request(R"({"body":)" + json_deep + "}"), OtlpForm::json), too_deep);
  EXPECT_EQ(
      rejection(request(bytes(2, bytes(5, text(std::string(70'000, 'x'))))), OtlpForm::protobuf),
      "payload: is larger than 65536 bytes");
}

TEST(StoreOtlp, ValuesOfAnotherFormRejectTheirRecord) {
  const std::string no_value = "record: has a value of another form than its name says";
  const auto value = [](const std::string& text) {
    return rejection(json_request(R"({"body":)" + text + "}"), OtlpForm::json);
  };
  EXPECT_EQ(value(R"({"intValue":"x"})"), no_value);
  EXPECT_EQ(value(R"({"intValue":{}})"), no_value);
  EXPECT_EQ(value(R"({"boolValue":"true"})"), no_value);
  EXPECT_EQ(value(R"({"stringValue":1})"), no_value);
  EXPECT_EQ(value(R"({"doubleValue":"NaN"})"), "");
  EXPECT_EQ(value(R"({"other":1})"), "");
  EXPECT_EQ(value("null"), "");
  EXPECT_EQ(rejection(json_request(R"({"timeUnixNano":"-1"})"), OtlpForm::json),
            "record: has a number of another form");
  EXPECT_EQ(rejection(request(bytes(2, bytes(5, text("\xff")))), OtlpForm::protobuf),
            "json: is not valid UTF-8");
}

TEST(StoreOtlp, WhatIsNoRequestIsRefusedWhole) {
  const std::string body = request(bytes(2, bytes(5, text("one"))) + bytes(2, bytes(5, text("x"))),
                                   bytes(1, pair("service.name", text("shop"))), bytes(1, "lib"));
  for (std::size_t cut = 1; cut < body.size(); ++cut) {
    FakeStore fake;
    const auto outcome = store(fake, body.substr(0, cut), OtlpForm::protobuf);
    ASSERT_FALSE(outcome) << cut;
    EXPECT_EQ(outcome.error().code, ErrorCode::invalid_argument);
    EXPECT_TRUE(fake.events("otlp").empty());
  }
  const std::string json = json_request(R"({"body":{"stringValue":"x"}})");
  for (std::size_t cut = 0; cut < json.size(); ++cut) {
    FakeStore fake;
    ASSERT_FALSE(store(fake, json.substr(0, cut), OtlpForm::json)) << cut;
    EXPECT_TRUE(fake.events("otlp").empty());
  }
  for (const char* bad : {"[]", "1", "{\"resourceLogs\":[{]}", "{} {}", "{\"a\":\"\xff\"}"}) {
    FakeStore fake;
    EXPECT_FALSE(store(fake, bad, OtlpForm::json)) << bad;
  }
}

TEST(StoreOtlp, AnIdempotencyKeyMakesARetryHarmless) {
  FakeStore fake;
  const std::string body = request(bytes(2, bytes(5, text("x"))));
  EXPECT_FALSE(store(fake, body, OtlpForm::protobuf, "k")->duplicate);
  EXPECT_TRUE(store(fake, body, OtlpForm::protobuf, "k")->duplicate);
  EXPECT_EQ(fake.events("otlp").size(), 1U);
}

TEST(StoreOtlp, ARefusalOfTheStoreIsTold) {
  FakeStore fake;
  fake.refuse_commits(ErrorCode::no_space, 1);
  const auto outcome = store(fake, request(bytes(2, "")), OtlpForm::protobuf);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::no_space);
}

}  // namespace
}  // namespace docket::ingest
