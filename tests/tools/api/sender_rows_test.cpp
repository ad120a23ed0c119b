#include "tools/api/sender_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/tools/api/store_fixture.hpp"

namespace docket::api {
namespace {

using ingest::MissingBatches;
using ingest::SenderFacts;
using ingest::SenderWay;

constexpr Nanos second = 1'000'000'000;
constexpr Nanos now = 1'000'000 * second;
constexpr SenderRules rules{60 * second, 3600 * second};

// web-1 sends numbered batches, 10.0.0.9 lines.
std::vector<LogSenders> stored() {
  return {{"activity", {{"web-1", 5, 6, now - 70 * second}, {"10.0.0.9", 0, 0, now - 70 * second}}},
          {"api", {{"web-1", 5, 2, now - 80 * second}}}};
}

SenderFacts seen(Nanos last_heard, std::uint32_t connections) {
  SenderFacts facts;
  facts.node = "web-1";
  facts.address = "10.0.0.1";
  facts.connections = connections;
  facts.last_heard = last_heard;
  return facts;
}

SenderState state_of(const std::vector<SenderRow>& rows, std::string_view node) {
  return std::ranges::find(rows, node, &SenderRow::node)->state;
}

TEST(SenderRows, ANumberedSenderThatIsNotHeardOfIsSilentAndOneDayGone) {
  const auto state = [](Nanos last_heard, std::uint32_t connections) {
    return state_of(sender_rows(stored(), {seen(last_heard, connections)}, rules, now), "web-1");
  };
  EXPECT_EQ(state(now - 59 * second, 0), SenderState::away);
  EXPECT_EQ(state(now - 60 * second, 0), SenderState::silent);
  EXPECT_EQ(state(now - 65 * second, 1), SenderState::connected);
  // Nothing newer is known than its last event, 70 s ago.
  EXPECT_EQ(state(now - 3600 * second, 0), SenderState::silent);
  const auto later = sender_rows(stored(), {}, rules, now + 3600 * second);
  EXPECT_EQ(state_of(later, "web-1"), SenderState::gone);
  EXPECT_EQ(state_of(later, "10.0.0.9"), SenderState::away) << "nothing is known to be owed";
}

TEST(SenderRows, WhatIsMissingIsThatOfTheLogAndOfWhatTheStoreDoesNotHaveMeanwhile) {
  SenderFacts facts = seen(now, 1);
  facts.missing = {MissingBatches{"activity", 4, 3, 3, 1, true},
                   MissingBatches{"activity", 5, 5, 9, 2, false},
                   MissingBatches{"api", 5, 2, 2, 3, false}};
  const auto rows = sender_rows(stored(), {facts}, rules, now);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].node, "10.0.0.9");
  EXPECT_EQ(rows[1].log, "activity");
  EXPECT_EQ(rows[1].complete_to, 6U);
  ASSERT_EQ(rows[1].missing.size(), 2U);
  EXPECT_EQ(text_of(rows[1].missing[0]), "batch 3 of log activity, epoch 4");
  EXPECT_EQ(text_of(rows[1].missing[1]), "batches 7 to 9 of log activity, epoch 5");
  EXPECT_EQ(rows[2].log, "api");
  EXPECT_TRUE(rows[2].missing.empty());
}

TEST(SenderRows, WhoHasStoredNothingIsThereWithWhatItMisses) {
  SenderFacts quiet = seen(now, 1);
  quiet.node = "quiet";
  SenderFacts refused = seen(now, 1);
  refused.node = "refused";
  refused.missing = {MissingBatches{"campaign", 8, 1, 2, 1, false}};
  const auto rows = sender_rows({}, {quiet, refused}, rules, now);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].log, "");
  EXPECT_EQ(rows[1].log, "campaign");
  EXPECT_EQ(rows[1].epoch, 8U);
  EXPECT_EQ(rows[1].missing.size(), 1U);
}

TEST(SenderRows, WhoHasStoredNothingAndMissesNothingIsThereWhileConnected) {
  EXPECT_EQ(sender_rows({}, {seen(now, 1)}, rules, now).size(), 1U);
  EXPECT_TRUE(sender_rows({}, {seen(now, 0)}, rules, now).empty());
}

class SenderRowsAnswerTest : public StoreFixture {};

TEST_F(SenderRowsAnswerTest, ARunningServerAddsWhatItHasSeenAndADirectoryDoesNot) {
  add("activity", {event(1)});
  const std::string plain = get("/api/v1/nodes").body;
  EXPECT_TRUE(plain.find(R"("node":"node-1","log":"activity","epoch":0,"complete_to":0)") !=
              std::string::npos);
  EXPECT_TRUE(plain.find("silent_seconds") == std::string::npos);
  SenderFacts facts;
  facts.node = "node-1";
  facts.address = "10.0.0.1";
  facts.connections = 1;
  facts.clock_ahead = -1'500'000;
  facts.missing = {
      MissingBatches{"activity", 0, 7, 9, parse_rfc3339("2026-05-01T00:00:00Z").value(), false}};
  ServiceOptions options;
  options.senders = [&facts] { return std::vector<SenderFacts>{facts}; };
  options.sender_rules = [] { return rules; };
  const Service live(*store_, catalog_, options);
  const std::string body = live.get(find_route("GET", "/api/v1/nodes"), {}, nullptr).body;
  EXPECT_TRUE(body.find(R"("silent_seconds":0,"address":"10.0.0.1","way":"native","connections":1,)"
                        R"("clock_ahead_ms":-1,"missing":[{"epoch":0,"first":7,"last":9,)"
                        R"("since":"2026-05-01T00:00:00Z","final":false}]}],"gaps":[]})") !=
              std::string::npos)
      << body;
}

}  // namespace
}  // namespace docket::api
