#include "ingest/sender_ledger.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ingest/server.hpp"
#include "tests/ingest/peer.hpp"
#include "tests/support/fake_store.hpp"

namespace docket::ingest {
namespace {

using testing::body_of;
using testing::eventually;
using testing::FakeStore;
using testing::Peer;

constexpr Nanos second = 1'000'000'000;

MissingBatches only_missing(const SenderLedger& ledger) {
  const auto all = ledger.all();
  EXPECT_EQ(all.size(), 1U);
  EXPECT_EQ(all.at(0).missing.size(), 1U);
  return all.at(0).missing.at(0);
}

TEST(SenderLedger, AConnectionCountsUntilItGoes) {
  SenderLedger ledger;
  {
    auto one = ledger.connected("web-1", "10.0.0.1", SenderWay::native, 5 * second);
    const auto two = ledger.connected("web-1", "10.0.0.2", SenderWay::native, 4 * second);
    const auto taken = std::move(one);
    EXPECT_EQ(ledger.all().at(0).connections, 2U);
  }
  const SenderFacts facts = ledger.all().at(0);
  EXPECT_EQ(facts.node, "web-1");
  EXPECT_EQ(facts.address, "10.0.0.2");
  EXPECT_EQ(facts.connections, 0U);
  EXPECT_EQ(facts.last_heard, 5 * second) << "the clock of receipts may be read out of order";
  EXPECT_FALSE(facts.clock_ahead);
}

TEST(SenderLedger, WhatIsRefusedIsMissingUntilItIsStored) {
  SenderLedger ledger;
  auto sender = ledger.connected("web-1", "10.0.0.1", SenderWay::native, 0);
  EXPECT_TRUE(sender.stored("activity", 3, 6).empty());
  sender.refused("activity", 3, 8, 7, second);
  sender.refused("activity", 3, 9, 7, 2 * second);
  const MissingBatches gap = only_missing(ledger);
  EXPECT_EQ(gap.log, "activity");
  EXPECT_EQ(gap.epoch, 3U);
  EXPECT_EQ(gap.first, 7U);
  EXPECT_EQ(gap.last, 9U);
  EXPECT_EQ(gap.since, second);
  EXPECT_FALSE(gap.is_final);
  EXPECT_EQ(text_of(gap), "batches 7 to 9 of log activity, epoch 3");
  EXPECT_TRUE(sender.stored("api", 3, 20).empty());
  EXPECT_TRUE(sender.stored("activity", 3, 8).empty());
  EXPECT_EQ(text_of(only_missing(ledger)), "batch 9 of log activity, epoch 3");
  EXPECT_TRUE(sender.stored("activity", 3, 9).empty());
  EXPECT_TRUE(ledger.all().at(0).missing.empty());
}

// Overloaded, or no space: no number is told as the next, but the batch's own is known.
TEST(SenderLedger, ABatchThatIsRefusedForTheMomentIsMissing) {
  SenderLedger ledger;
  auto sender = ledger.connected("web-1", "10.0.0.1", SenderWay::native, 0);
  sender.refused("activity", 1, 4, 0, second);
  sender.refused("activity", 1, 5, 4, second);
  EXPECT_EQ(text_of(only_missing(ledger)), "batches 4 to 5 of log activity, epoch 1");
}

TEST(SenderLedger, ALaterEpochMakesWhatIsMissingFinalAndSaysSoOnce) {
  SenderLedger ledger;
  {
    auto sender = ledger.connected("web-1", "10.0.0.1", SenderWay::native, 0);
    sender.refused("activity", 1, 9, 7, second);
  }
  auto sender = ledger.connected("web-1", "10.0.0.1", SenderWay::native, 2 * second);
  EXPECT_TRUE(sender.stored("api", 2, 1).empty()) << "each log has numbers of its own";
  const auto ended = sender.stored("activity", 2, 1);
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(text_of(ended[0]), "batches 7 to 9 of log activity, epoch 1");
  EXPECT_TRUE(sender.stored("activity", 2, 2).empty());
  EXPECT_TRUE(only_missing(ledger).is_final);
}

TEST(SenderLedger, TheClockIsAheadByTheMostOfTheLastMinuteOrTwo) {
  SenderLedger ledger;
  auto sender = ledger.connected("web-1", "10.0.0.1", SenderWay::native, 0);
  const Nanos start = 1000 * second;
  sender.sent(start + 3 * second, start);
  sender.sent(start - 50 * second, start + second);  // late, and says nothing of the clock
  EXPECT_EQ(ledger.all().at(0).clock_ahead, 3 * second);
  sender.sent(start + 69 * second, start + 70 * second);
  EXPECT_EQ(ledger.all().at(0).clock_ahead, 3 * second);
  sender.sent(start + 139 * second, start + 140 * second);
  EXPECT_EQ(ledger.all().at(0).clock_ahead, -second);
}

TEST(SenderLedger, SendersAreBoundedAndThoseConnectedStay) {
  SenderLedger ledger;
  const auto kept = ledger.connected("kept", "10.0.0.1", SenderWay::native, 0);
  for (std::size_t i = 0; i < ledger_senders_max; ++i) {
    ledger.heard("node-" + std::to_string(i), "10.0.0.2", SenderWay::http,
                 static_cast<Nanos>(i + 1));
  }
  const auto all = ledger.all();
  EXPECT_LE(all.size(), ledger_senders_max);
  const auto has = [&all](const std::string& node) {
    return std::ranges::find(all, node, &SenderFacts::node) != all.end();
  };
  EXPECT_TRUE(has("kept"));
  EXPECT_TRUE(has("node-" + std::to_string(ledger_senders_max - 1)));
  EXPECT_FALSE(has("node-0")) << "heard of longest ago";
}

TEST(SenderLedger, WhatIsMissingIsBoundedAndWhatIsFinalGoesFirst) {
  SenderLedger ledger;
  auto sender = ledger.connected("web-1", "10.0.0.1", SenderWay::native, 0);
  for (std::uint64_t epoch = 1; epoch <= 2 * ledger_missing_max; ++epoch) {
    sender.refused("activity", epoch, 2, 1, static_cast<Nanos>(epoch));
    static_cast<void>(sender.stored("activity", epoch + 1, 1));
  }
  sender.refused("api", 1, 2, 1, 0);
  sender.refused("campaign", 1, 2, 1, 0);
  const auto missing = ledger.all().at(0).missing;
  EXPECT_EQ(missing.size(), ledger_missing_max);
  EXPECT_EQ(missing.back().log, "campaign");
  EXPECT_EQ(std::ranges::count(missing, "api", &MissingBatches::log), 1);
}

// The native session tells it.
class LedgerOfAServerTest : public ::testing::Test {
 protected:
  LedgerOfAServerTest() {
    ServerOptions options;
    options.port = 0;
    server_ =
        Server::start(store_, options, [this](const auto& node, const auto&, const auto& why) {
          const std::scoped_lock lock(mutex_);
          refusals_.push_back(node + ": " + why);
        }).value();
  }
  std::vector<std::string> refusals() {
    const std::scoped_lock lock(mutex_);
    return refusals_;
  }

  FakeStore store_;
  std::mutex mutex_;
  std::vector<std::string> refusals_;
  std::unique_ptr<Server> server_;
};

TEST_F(LedgerOfAServerTest, ItNamesWhatIsMissingAndWhoMissesIt) {
  {
    Peer peer(server_->port());
    peer.shake_hands("web-1");
    for (const std::uint64_t number : {1, 2, 4, 5}) {
      peer.send_batch("activity", number, body_of(1));
    }
    EXPECT_TRUE(peer.ack());
    EXPECT_TRUE(peer.ack());
    EXPECT_TRUE(peer.error());
    EXPECT_TRUE(peer.error());
    const auto senders = server_->senders().all();
    ASSERT_EQ(senders.size(), 1U);
    EXPECT_EQ(senders[0].node, "web-1");
    EXPECT_EQ(senders[0].address, "127.0.0.1");
    EXPECT_EQ(senders[0].connections, 1U);
    EXPECT_TRUE(senders[0].clock_ahead);
    ASSERT_EQ(senders[0].missing.size(), 1U);
    EXPECT_EQ(text_of(senders[0].missing[0]), "batches 3 to 5 of log activity, epoch 1");
    peer.send_batch("activity", 3, body_of(1));
    EXPECT_TRUE(peer.ack());
    EXPECT_EQ(text_of(server_->senders().all()[0].missing.at(0)),
              "batches 4 to 5 of log activity, epoch 1");
  }
  EXPECT_TRUE(eventually([this] { return server_->senders().all()[0].connections == 0; }));
  EXPECT_TRUE(refusals().empty()) << "it may still come";
  Peer peer(server_->port());
  peer.shake_hands("web-1", 2);
  peer.send_batch("activity", 1, body_of(1));
  EXPECT_TRUE(peer.ack());
  ASSERT_EQ(refusals().size(), 1U);
  EXPECT_EQ(refusals()[0],
            "web-1: a new epoch has begun without batches 4 to 5 of log activity, epoch 1");
}

// Its number is not used up, and another batch comes under it.
TEST_F(LedgerOfAServerTest, AMalformedBatchIsNotMissing) {
  Peer peer(server_->port());
  peer.shake_hands("web-1");
  peer.send_batch("activity", 1, std::vector<std::byte>(8, std::byte{1}));
  EXPECT_TRUE(peer.error());
  EXPECT_TRUE(server_->senders().all()[0].missing.empty());
}

}  // namespace
}  // namespace docket::ingest
