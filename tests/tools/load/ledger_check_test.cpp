#include "tools/load/ledger_check.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/event_copy.hpp"

namespace docket::load {
namespace {

Event stored(const GeneratedEvent& made, std::uint64_t seq) {
  Event event = docket::testing::copy_of(made.event);
  event.log = made.log();
  event.seq = Seq(seq);
  return event;
}

// A store of one log with the generator's first `rows` events, acknowledged in batches of ten.
class LedgerCheckTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t rows = 100;
  LedgerCheckTest()
      : generator_(
            {.seed = 1, .events = 150, .end = 1'780'000'000'000'000'000, .mix = {1, 0, 0, 0}}) {
    GeneratedEvent room;
    for (std::uint64_t i = 0; i < 150; ++i) {
      generator_.make(i, room);
      events_.push_back(stored(room, i + 1));
    }
    for (std::uint64_t i = 0; i < rows; i += 10) {
      ledger_.push_back({"activity", i + 1, 10, i, 1});
    }
  }

  LedgerFindings check(const std::vector<Event>& store) {
    auto check = LedgerCheck::make(generator_, ledger_);
    EXPECT_TRUE(check);
    for (const Event& event : store) {
      check->see(event);
    }
    return check->findings();
  }

  Generator generator_;
  std::vector<Event> events_;
  std::vector<LedgerEntry> ledger_;
};

TEST_F(LedgerCheckTest, AStoreWithAllThatWasAcknowledgedIsClean) {
  events_.resize(rows);
  const LedgerFindings found = check(events_);
  EXPECT_TRUE(found.clean());
  EXPECT_EQ(found.acknowledged, rows);
  EXPECT_EQ(found.stored, rows);
}

TEST_F(LedgerCheckTest, EventsSentAndStoredButNotAcknowledgedAreAllowed) {
  EXPECT_TRUE(check(events_).clean());
}

TEST_F(LedgerCheckTest, AnAcknowledgedEventThatIsGoneIsMissing) {
  events_.erase(events_.begin() + 42);
  EXPECT_EQ(check(events_).missing, 1U);
}

TEST_F(LedgerCheckTest, WhatRetentionHasTakenIsNotMissingAndWhatItLeftIs) {
  events_.erase(events_.begin(), events_.begin() + 43);
  auto check = LedgerCheck::make(generator_, ledger_);
  ASSERT_TRUE(check);
  for (const Event& event : events_) {
    check->see(event);
  }
  check->retired_below("campaign", 1000);
  EXPECT_EQ(check->findings().missing, 43U);
  check->retired_below("activity", 43);  // seq 43 should be there
  EXPECT_EQ(check->findings().retired, 42U);
  EXPECT_EQ(check->findings().missing, 1U);
}

TEST_F(LedgerCheckTest, AnEventStoredTwiceIsFound) {
  Event again = events_[7];
  again.seq = Seq(1000);
  events_.push_back(again);
  EXPECT_EQ(check(events_).invented, 1U);
}

TEST_F(LedgerCheckTest, AnEventNeverSentIsFound) {
  events_[140].verb = "INVENTED";
  EXPECT_EQ(check(events_).invented, 1U);
}

TEST_F(LedgerCheckTest, AChangedAcknowledgedEventIsFound) {
  std::swap(events_[3].seq, events_[4].seq);
  EXPECT_EQ(check(events_).changed, 2U);
}

TEST_F(LedgerCheckTest, ALedgerThatAcknowledgesOneSeqTwiceIsRefused) {
  ledger_.push_back(ledger_.front());
  EXPECT_FALSE(LedgerCheck::make(generator_, ledger_));
}

}  // namespace
}  // namespace docket::load
