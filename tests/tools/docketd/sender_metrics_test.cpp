#include "tools/docketd/sender_metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace docket::server {
namespace {

using api::SenderRow;
using api::SenderState;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Nanos second = 1'000'000'000;

SenderRow row(const std::string& node, const std::string& log, SenderState state,
              Nanos last_heard = 0) {
  SenderRow made;
  made.node = node;
  made.log = log;
  made.state = state;
  made.last_heard = last_heard;
  return made;
}

TEST(SenderMetrics, NodesAreCountedOnceWhateverTheirLogsAndSilentOnesNamed) {
  std::string out;
  append_sender_metrics(
      out,
      {row("a", "activity", SenderState::connected),
       row("b", "activity", SenderState::silent, 10 * second),
       row("b", "api", SenderState::silent, 10 * second), row("c", "api", SenderState::gone)},
      100 * second);
  EXPECT_THAT(out, HasSubstr("docket_senders{state=\"connected\"} 1\n"));
  EXPECT_THAT(out, HasSubstr("docket_senders{state=\"silent\"} 1\n"));
  EXPECT_THAT(out, HasSubstr("docket_senders{state=\"gone\"} 1\n"));
  EXPECT_THAT(out, HasSubstr("docket_node_silent_seconds{node=\"b\"} 90\n"));
  EXPECT_THAT(out, Not(HasSubstr("node=\"c\"")));
}

TEST(SenderMetrics, WhatMayStillComeIsMissingAndWhatWillNotIsCounted) {
  SenderRow lacking = row("we\"b\\1\n", "activity", SenderState::connected);
  lacking.missing = {{"activity", 5, 7, 9, 0, false}, {"activity", 4, 1, 1, 0, true}};
  std::string out;
  append_sender_metrics(out, {lacking}, 0);
  EXPECT_THAT(out, HasSubstr("docket_senders_lacking_batches 1\n"));
  EXPECT_THAT(out, HasSubstr("docket_sender_batches_missing 3\n"));
  EXPECT_THAT(out, HasSubstr("docket_sender_gaps_final 1\n"));
  EXPECT_THAT(out, HasSubstr("docket_node_batches_missing{node=\"we\\\"b\\\\1\\n\","
                             "log=\"activity\"} 3\n"));
}

TEST(SenderMetrics, NoMoreThanSixteenNodesAreNamedAndThoseAreTheWorst) {
  std::vector<SenderRow> rows;
  for (int i = 0; i < 40; ++i) {
    rows.push_back(row("node-" + std::to_string(10 + i), "api", SenderState::silent, i * second));
  }
  std::string out;
  append_sender_metrics(out, rows, 1000 * second);
  EXPECT_THAT(out, HasSubstr("docket_senders{state=\"silent\"} 40\n"));
  EXPECT_THAT(out, HasSubstr("node=\"node-10\"} 1000\n"));
  EXPECT_THAT(out, HasSubstr("node=\"node-25\"} 985\n"));
  EXPECT_THAT(out, Not(HasSubstr("node=\"node-26\"")));
}

TEST(SenderMetrics, TokensWithAQuotaSayHowOftenAndHowLongTheyHeldUp) {
  std::string out;
  append_quota_metrics(out, {{"shop", {3, 2'500'000'000}}});
  EXPECT_THAT(out, HasSubstr("docket_token_throttled_total{token=\"shop\"} 3\n"));
  EXPECT_THAT(out, HasSubstr("docket_token_throttled_seconds_total{token=\"shop\"} 2.5\n"));
}

TEST(SenderMetrics, EachWayAndReasonHasASeries) {
  ingest::IntakeNumbers intake;
  intake.accepted[3] = 12;
  intake.rejected[1][0] = 4;
  std::string out;
  append_intake_metrics(out, intake);
  EXPECT_THAT(out, HasSubstr("docket_events_accepted_total{way=\"http\"} 12\n"));
  EXPECT_THAT(out, HasSubstr("docket_events_rejected_total{way=\"ndjson\",reason=\"form\"} 4\n"));
  EXPECT_THAT(out, HasSubstr("docket_events_rejected_total{way=\"otlp\",reason=\"ts\"} 0\n"));
}

}  // namespace
}  // namespace docket::server
