#include "ingest/sender_rights.hpp"

#include <gtest/gtest.h>

#include <mutex>

#include "ingest/client.hpp"
#include "ingest/server.hpp"
#include "tests/ingest/peer.hpp"
#include "tests/ingest/token_guard.hpp"
#include "tests/support/fake_store.hpp"

namespace docket::ingest {
namespace {

using testing::body_of;
using testing::FakeStore;
using testing::hello_bytes;
using testing::Peer;

TEST(SenderRights, ALineWithATokenAloneIsToldFromEveryOther) {
  EXPECT_EQ(token_of_line(R"({"token":"dkt_1"})"), "dkt_1");
  EXPECT_EQ(token_of_line("  { \"token\" :\t\"dkt_1\" } \r"), "dkt_1");
  EXPECT_EQ(token_of_line(R"({"token":""})"), "");
  for (const std::string_view line :
       {"", "{", "{}", R"({"token"})", R"({"token":1})", R"({"token":"a)", R"({"token":"a\"b"})",
        R"({"token":"a","verb":"EDIT"})", R"({"token":"a"}{)", R"({"verb":"token"})",
        R"(["token"])", R"({"tokens":"a"})"}) {
    EXPECT_FALSE(token_of_line(line)) << line;
  }
}

TEST(SenderRights, NoLogsNamedIsAllOfThem) {
  EXPECT_TRUE(may_write({}, "api"));
  EXPECT_TRUE(may_write({"activity", "api"}, "api"));
  EXPECT_FALSE(may_write({"activity"}, "api"));
  EXPECT_EQ(log_forbidden("api"), "log: the token may not write to 'api'");
}

class NativeSenderTest : public ::testing::Test {
 protected:
  void start(const testing::TokenGuard& guard) {
    ServerOptions options;
    options.port = 0;
    options.authenticate = guard.authenticate();
    server_ =
        Server::start(store_, options, [this](const auto& node, const auto&, const auto& why) {
          const std::scoped_lock lock(mutex_);
          refusals_.push_back(node + ": " + why);
        }).value();
  }
  std::uint16_t port() const { return server_->port(); }
  std::vector<std::string> refusals() {
    const std::scoped_lock lock(mutex_);
    return refusals_;
  }

  FakeStore store_;
  std::mutex mutex_;
  std::vector<std::string> refusals_;
  std::unique_ptr<Server> server_;
};

TEST_F(NativeSenderTest, AHelloWithoutAGoodTokenIsRefusedAndRecorded) {
  start({});
  for (const std::string token : {"", "bad", "good "}) {
    Peer peer(port());
    peer.send(hello_bytes("web-1", 1, token));
    const auto error = peer.error();
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, WireError::unauthorized);
    EXPECT_EQ(error->message, "token: this is none");
    EXPECT_EQ(peer.rest(), "");
  }
  EXPECT_EQ(refusals(), std::vector<std::string>(3, "web-1: token: this is none"));
  Peer peer(port());
  ASSERT_TRUE(peer.shake_hands("web-1", 1, "good"));
  peer.send_batch("activity", 1, body_of(3));
  EXPECT_EQ(peer.ack()->rows, 3U);
}

TEST_F(NativeSenderTest, ATokenForSomeNodesAndLogsSendsAsNoOtherAndToNoOther) {
  testing::TokenGuard guard;
  guard.nodes = {"web-1"};
  guard.logs = {"api"};
  start(guard);
  Peer other(port());
  other.send(hello_bytes("web-2", 1, "good"));
  EXPECT_EQ(other.error()->message, "node: the token may not send as 'web-2'");
  Peer peer(port());
  peer.shake_hands("web-1", 1, "good");
  peer.send_batch("activity", 1, body_of(3));
  const auto error = peer.error();
  EXPECT_EQ(error->code, WireError::invalid_batch);
  EXPECT_FALSE(error->retryable);
  EXPECT_EQ(error->message, "log: the token may not write to 'activity'");
  peer.send_batch("api", 1, body_of(3));
  EXPECT_EQ(peer.ack()->rows, 3U);
  EXPECT_TRUE(store_.events("activity").empty());
}

TEST_F(NativeSenderTest, ATokenThatEndsEndsItsConnections) {
  testing::TokenGuard guard;
  start(guard);
  Peer peer(port());
  peer.shake_hands("web-1", 1, "good");
  peer.send_batch("activity", 1, body_of(3));
  EXPECT_EQ(peer.ack()->rows, 3U);
  *guard.holds = false;
  peer.send_batch("activity", 2, body_of(3));
  EXPECT_EQ(peer.error()->code, WireError::unauthorized);
  EXPECT_EQ(store_.events("activity").size(), 3U);
}

TEST(SenderRightsOfAClient, ItShowsItsTokenAndSaysThatABadOneWasRefused) {
  FakeStore store;
  ServerOptions guarded;
  guarded.authenticate = testing::TokenGuard().authenticate();
  const auto server = Server::start(store, guarded).value();
  client::Options options;
  options.port = server->port();
  options.node = "web-1";
  options.reconnect_ms_max = 5;
  Event event;
  event.actor = {"user", "1", "", ""};
  event.verb = "EDIT";
  event.target = {"List", "7", ""};
  std::vector<TargetView> related;
  options.token = "bad";
  const auto refused = client::Client::start(options).value();
  EXPECT_TRUE(refused->emit("activity", view_of(event, related)));
  EXPECT_TRUE(testing::eventually([&] {
    return refused->last_error().find("token: this is none") != std::string::npos;
  })) << refused->last_error();
  options.token = "good";
  const auto client = client::Client::start(options).value();
  event.actor.id = "2";
  EXPECT_TRUE(client->emit("activity", view_of(event, related)));
  EXPECT_TRUE(client->flush(60'000));
  ASSERT_EQ(store.events("activity").size(), 1U);
  EXPECT_EQ(store.events("activity")[0].actor.id, "2");
}

}  // namespace
}  // namespace docket::ingest
