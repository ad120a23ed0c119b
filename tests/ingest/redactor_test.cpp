#include "ingest/redactor.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "engine/timestamp.hpp"
#include "ingest/event_json.hpp"
#include "ingest/server.hpp"
#include "tests/ingest/peer.hpp"
#include "tests/support/fake_store.hpp"

namespace docket::ingest {
namespace {

using testing::FakeStore;
using testing::Peer;

constexpr std::size_t plenty = std::size_t{64} << 10;
const RedactionRules all_rules{{"password", "api_key", "*secret*"},
                               {"authorization", "card", "jwt", "private_key", "access_key"}};

std::string clean(std::string_view payload, const RedactionRules& rules = all_rules,
                  std::size_t bytes_max = plenty) {
  EXPECT_TRUE(is_json_object(payload)) << payload;
  std::string out = "untouched";
  if (!Redactor(rules).payload(payload, bytes_max, out)) {
    return std::string(payload);
  }
  EXPECT_TRUE(is_json_object(out)) << out;
  return out;
}

TEST(Redactor, ValuesOfNamedMembersGoInWhateverDepthAndOfWhateverKind) {
  EXPECT_EQ(clean(R"({"a":1,"password":"hunter2","b":[{"API-Key" : {"x":[1,2]} , "c":null}]})"),
            R"({"a":1,"password":"[redacted]","b":[{"API-Key" : "[redacted]" , "c":null}]})");
  EXPECT_EQ(clean(R"({"password":null,"apikey":12,"api.key":true,"passwords":"kept"})"),
            R"({"password":"[redacted]","apikey":"[redacted]","api.key":"[redacted]",)"
            R"("passwords":"kept"})");
}

TEST(Redactor, AStarStandsForAnything) {
  EXPECT_EQ(clean(R"({"client_secret_2":"x","SECRET":"y","secre":"z"})"),
            R"({"client_secret_2":"[redacted]","SECRET":"[redacted]","secre":"z"})");
  EXPECT_EQ(clean(R"({"ab":1,"ba":2})", {{"a*"}, {}}), R"({"ab":"[redacted]","ba":2})");
  EXPECT_EQ(clean(R"({"ab":1,"ba":2})", {{"*a"}, {}}), R"({"ab":1,"ba":"[redacted]"})");
}

TEST(Redactor, BothSidesOfADiffGoWhereverTheirFieldStands) {
  EXPECT_EQ(clean(R"({"changes":[{"old":"a","field":"password","new":{"secret":"b"}},)"
                  R"({"field":"name","old":"c","new":"d"}]})"),
            R"({"changes":[{"old":"[redacted]","field":"password","new":"[redacted]"},)"
            R"({"field":"name","old":"c","new":"d"}]})");
  EXPECT_EQ(clean(R"({"changes":[{"field":"settings.api_key","old":1,"new":[2]}]})"),
            R"({"changes":[{"field":"settings.api_key","old":"[redacted]","new":"[redacted]"}]})");
  EXPECT_EQ(clean(R"({"before":{"password":"a"},"after":{"password":"b"}})"),
            R"({"before":{"password":"[redacted]"},"after":{"password":"[redacted]"}})");
}

TEST(Redactor, NamesAreReadAsTheyMeanAndNotAsTheyAreWritten) {
  EXPECT_EQ(clean(R"({"p\u0061ssword":"x"})"), R"({"p\u0061ssword":"[redacted]"})");
  EXPECT_EQ(clean(R"({"field":"p\u0061ssword","new":"x"})"),
            R"({"field":"p\u0061ssword","new":"[redacted]"})");
}

TEST(Redactor, WhatLooksLikeASecretGoesOutOfStringsNumbersAndNames) {
  EXPECT_EQ(clean(R"({"note":"paid with 4111 1111 1111 1111.","n":4111111111111111,"m":-12.5e3})"),
            R"({"note":"paid with [redacted].","n":"[redacted]","m":-12.5e3})");
  EXPECT_EQ(clean(R"({"AKIAIOSFODNN7EXAMPLE":["Bearer 0123456789abcdef"]})"),
            R"({"[redacted]":["[redacted]"]})");
}

TEST(Redactor, AStringWithEscapesThatHidesOneGoesAsAWhole) {
  EXPECT_EQ(clean(R"({"a":"x \u0034111111111111111 y"})"), R"({"a":"[redacted]"})");
  EXPECT_EQ(clean(R"({"a":"-----BEGIN PRIVATE KEY-----\nMHc\n"})"), R"({"a":"[redacted]"})");
  EXPECT_EQ(clean(R"({"a":"tab\tand \"quotes\""})"), R"({"a":"tab\tand \"quotes\""})");
  EXPECT_EQ(clean(R"({"a":"\ud800 4111111111111111"})"), R"({"a":"[redacted]"})");
}

TEST(Redactor, WithoutPatternsNothingButMembersIsLookedAt) {
  const std::string payload = R"({"a":"Bearer 0123456789abcdef","b":4111111111111111})";
  EXPECT_EQ(clean(payload, {{"password"}, {}}), payload);
}

TEST(Redactor, APayloadThatGrowsTooLongGoesAsAWhole) {
  EXPECT_EQ(clean(R"({"password":1})", all_rules, 20), R"({"payload":"[redacted]"})");
}

TEST(Redactor, RulesThatMeanNothingAreRefused) {
  for (const char* key : {"", "*", "**", "a*b", "_-. "}) {
    EXPECT_FALSE(check_redaction({{key}, {}})) << key;
  }
  for (const char* key : {"a", "*a", "a*", "*a*", "Ärger"}) {
    EXPECT_TRUE(check_redaction({{key}, {}})) << key;
  }
  EXPECT_FALSE(check_redaction({{}, {"cards"}}));
  EXPECT_FALSE(check_redaction({std::vector<std::string>(redaction_keys_max + 1, "a"), {}}));
}

TEST(Redactor, OfAnEventEveryTextIsLookedAtButWhatItIsFoundBy) {
  constexpr std::string_view card = "4111111111111111";
  const std::string text = "x " + std::string(card);
  TargetView related{"List", card, text};
  EventView event;
  event.actor = {"user", card, text, text};
  event.verb = "EDIT";
  event.target = {"Contact", card, text};
  event.related = std::span(&related, 1);
  event.reason = event.session = event.request = text;
  event.payload = R"({"password":"x"})";
  Redactor::Scratch scratch;
  Redactor(all_rules).apply(event, plenty, scratch);
  for (const std::string_view cleaned :
       {event.actor.name, event.actor.role, event.target.name, event.related[0].name, event.reason,
        event.session, event.request}) {
    EXPECT_EQ(cleaned, "x [redacted]");
  }
  for (const std::string_view kept : {event.actor.id, event.target.id, event.related[0].id}) {
    EXPECT_EQ(kept, card);
  }
  EXPECT_EQ(event.payload, R"({"password":"[redacted]"})");
}

// Each way in.
class RedactingServerTest : public ::testing::Test {
 protected:
  void start(bool has_rules = true) {
    ServerOptions options;
    options.port = 0;
    options.redactor = [redactor = has_rules
                                       ? std::make_shared<const Redactor>(all_rules)
                                       : std::shared_ptr<const Redactor>()] { return redactor; };
    server_ = Server::start(store_, options).value();
  }

  static std::vector<std::byte> batch(std::string_view payload, std::string_view name = "Ada") {
    BatchBuilder builder;
    EventView event;
    event.ts = now_ns();
    event.actor = {"user", "17", name, ""};
    event.verb = "EDIT";
    event.target = {"List", "7", ""};
    event.payload = R"({"a":1})";
    builder.add(event);
    event.payload = payload;
    builder.add(event);
    return builder.finish().bytes;
  }

  FakeStore store_;
  std::unique_ptr<Server> server_;
};

TEST_F(RedactingServerTest, ANativeBatchIsEncodedAnewWithoutItsSecrets) {
  start();
  Peer peer(server_->port());
  peer.shake_hands("web-1");
  peer.send_batch("activity", 1, batch(R"({"password":"hunter2"})", "4111111111111111"));
  const auto ack = peer.ack();
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->rows, 2U);
  const auto events = store_.events("activity");
  EXPECT_EQ(events[0].payload, R"({"a":1})");
  EXPECT_EQ(events[1].payload, R"({"password":"[redacted]"})");
  EXPECT_EQ(events[1].actor.name, "[redacted]");
}

TEST_F(RedactingServerTest, LinesAreStoredWithoutTheirSecrets) {
  start();
  Peer peer(server_->port());
  peer.send(R"({"actor":{"kind":"user","id":"1"},"verb":"EDIT","target":{"type":"List"},)"
            R"("reason":"Bearer 0123456789abcdef","payload":{"password":"hunter2"}})"
            "\n");
  ASSERT_TRUE(store_.wait_for_events("activity", 1));
  EXPECT_EQ(store_.events("activity")[0].reason, "[redacted]");
  EXPECT_EQ(store_.events("activity")[0].payload, R"({"password":"[redacted]"})");
}

TEST_F(RedactingServerTest, WithoutRulesNothingIsTouched) {
  start(false);
  Peer peer(server_->port());
  peer.shake_hands("web-1");
  peer.send_batch("activity", 1, batch(R"({"password":"hunter2"})"));
  EXPECT_TRUE(peer.ack());
  EXPECT_EQ(store_.events("activity")[1].payload, R"({"password":"hunter2"})");
}

}  // namespace
}  // namespace docket::ingest
