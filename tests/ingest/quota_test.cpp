#include "ingest/quota.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "ingest/server.hpp"
#include "tests/ingest/peer.hpp"
#include "tests/ingest/token_guard.hpp"
#include "tests/support/fake_store.hpp"

namespace docket::ingest {
namespace {

using testing::body_of;
using testing::FakeStore;
using testing::Peer;

constexpr Nanos second = 1'000'000'000;

TEST(Quota, ASecondsWorthMayComeAtOnceAndTheRestIsPaidForByWaiting) {
  Quota quota({100, 0});
  EXPECT_EQ(quota.wait(50 * second), 0);
  quota.take(100, 1'000'000, 50 * second);
  EXPECT_EQ(quota.wait(50 * second), 0);
  quota.take(50, 0, 50 * second);
  EXPECT_EQ(quota.wait(50 * second), second / 2);
  EXPECT_EQ(quota.wait(50 * second + second / 4), second / 4);
  EXPECT_EQ(quota.wait(51 * second), 0);
}

TEST(Quota, WhatIsNotUsedIsKeptForOneSecondOnly) {
  Quota quota({0, 1000});
  quota.take(0, 1000, second);
  quota.take(0, 2000, 1000 * second);
  EXPECT_EQ(quota.wait(1000 * second), second);
}

TEST(Quota, TheSlowerOfBothDecides) {
  Quota quota({10, 1000});
  quota.take(40, 2000, 0);
  EXPECT_EQ(quota.wait(0), 3 * second);
  quota.take(0, 4000, 0);
  EXPECT_EQ(quota.wait(0), 5 * second);
}

TEST(Quota, AClockThatGoesBackGivesNothing) {
  Quota quota({10, 0});
  quota.take(20, 0, 100 * second);
  EXPECT_EQ(quota.wait(90 * second), second);
  EXPECT_EQ(quota.wait(100 * second), second);
}

TEST(Quota, HowOftenAndHowLongIsCounted) {
  Quota quota({1, 0});
  quota.throttled(second);
  quota.throttled(2 * second);
  EXPECT_EQ(quota.stats().times, 2U);
  EXPECT_EQ(quota.stats().held, 3 * second);
}

// Senders with the token `good`, whose owner has a quota that lasts for a second.
class QuotaOfAServerTest : public ::testing::Test {
 protected:
  void start(const QuotaRates& rates) {
    testing::TokenGuard guard;
    guard.quota = quota_ = std::make_shared<Quota>(rates);
    ServerOptions options;
    options.port = 0;
    // Anybody else has none.
    options.authenticate = [known = guard.authenticate()](const Credentials& shown,
                                                          const std::string& peer) {
      return shown.token == "other" ? Result<SenderRights>(SenderRights()) : known(shown, peer);
    };
    server_ = Server::start(store_, options).value();
  }
  void others_are_served() {
    Peer other(server_->port());
    other.shake_hands("other", 1, "other");
    other.send_batch("api", 1, body_of(5));
    EXPECT_TRUE(other.ack());
  }

  FakeStore store_;
  std::shared_ptr<Quota> quota_;
  std::unique_ptr<Server> server_;
};

TEST_F(QuotaOfAServerTest, ANativeSenderInDebtIsAnsweredAndNotReadFrom) {
  start({1, 0});
  Peer peer(server_->port());
  peer.shake_hands("web-1", 1, "good");
  peer.send_batch("activity", 1, body_of(8000));  // two hours' worth
  EXPECT_TRUE(peer.ack());
  peer.send_batch("activity", 2, body_of(7));
  others_are_served();
  EXPECT_EQ(store_.events("activity").size(), 8000U);
  // Neither is another connection of the same owner.
  Peer also(server_->port());
  also.shake_hands("web-2", 1, "good");
  also.send_batch("activity", 1, body_of(7));
  others_are_served();
  EXPECT_EQ(store_.events("activity").size(), 8000U);
  server_->stop(10'000);  // and nobody waits for its debt
  EXPECT_EQ(quota_->stats().times, 2U);
}

TEST_F(QuotaOfAServerTest, ASenderOfLinesInDebtIsAnsweredAndNotReadFrom) {
  start({0, 10});
  Peer peer(server_->port());
  std::string lines = "{\"token\":\"good\"}\n";
  for (int i = 0; i < 20; ++i) {  // one read of 4 KiB
    lines += testing::line_of(1) + "\n";
  }
  peer.send(lines);
  ASSERT_TRUE(store_.wait_for_events("activity", 20)) << "what has come is stored";
  peer.send(testing::line_of(2) + "\n");
  others_are_served();
  EXPECT_EQ(store_.events("activity").size(), 20U);
  server_->stop(10'000);
  EXPECT_EQ(quota_->stats().times, 1U);
}

TEST_F(QuotaOfAServerTest, WhoKeepsToItIsNeverHeldUp) {
  start({1'000'000, std::uint64_t{1} << 30});
  Peer peer(server_->port());
  peer.shake_hands("web-1", 1, "good");
  for (std::uint64_t i = 1; i <= 20; ++i) {
    peer.send_batch("activity", i, body_of(10));
    EXPECT_TRUE(peer.ack());
  }
  EXPECT_EQ(quota_->stats().times, 0U);
}

}  // namespace
}  // namespace docket::ingest
