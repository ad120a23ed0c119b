// The server over a real store on a real disk: what was acknowledged is there after a restart,
// once.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/disk.hpp"
#include "engine/log.hpp"
#include "engine/segment_reader.hpp"
#include "ingest/client.hpp"
#include "ingest/server.hpp"
#include "tests/ingest/peer.hpp"
#include "tests/support/random_events.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket::ingest {
namespace {

using testing::line_of;
using testing::Peer;

class RealStoreTest : public ::testing::Test {
 protected:
  RealStoreTest() { start(); }

  void start() {
    store_ = Store::open(posix_disk(), directory_.path(), StoreOptions{}).value();
    ServerOptions options;
    options.port = port_;
    server_ = Server::start(*store_, options).value();
    port_ = server_->port();
  }
  void restart() {
    server_.reset();
    store_.reset();
    start();
  }

  std::vector<Event> events(std::string_view log) const {
    std::vector<Event> events;
    const LogSnapshot snapshot = store_->find_log(log)->snapshot();
    for (const auto& segment : snapshot.segments) {
      EventReader reader(*segment);
      for (std::uint32_t row = 0; row < segment->info().rows; ++row) {
        Event event;
        EXPECT_TRUE(reader.read(row, event));
        events.push_back(event);
      }
    }
    return events;
  }

  testing::TemporaryDirectory directory_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Server> server_;
};

TEST_F(RealStoreTest, LinesAreThereAfterARestart) {
  {
    Peer peer(port_);
    peer.send(line_of(1) + "\n" + line_of(2, "api") + "\n");
    peer.close_sending();
    const std::string answers = peer.rest();
    EXPECT_NE(answers.find(R"({"durable":2})"), std::string::npos) << answers;
  }
  restart();
  ASSERT_EQ(events("activity").size(), 1U);
  EXPECT_EQ(events("activity")[0].actor.id, "1");
  EXPECT_EQ(events("activity")[0].node, "127.0.0.1");
  ASSERT_EQ(events("api").size(), 1U);
}

TEST_F(RealStoreTest, AResendAfterARestartGetsTheOriginalAck) {
  for (const bool again : {false, true}) {
    Peer peer(port_);
    peer.shake_hands("web-1");
    peer.send_batch("activity", 1, testing::body_of(10));
    peer.send_batch("activity", 2, testing::body_of(5));
    for (std::uint64_t n = 1; n <= 2; ++n) {
      const auto ack = peer.ack();
      ASSERT_TRUE(ack);
      EXPECT_EQ(ack->batch, n);
      EXPECT_EQ(ack->duplicate, again);
      EXPECT_EQ(ack->first_seq, n == 1 ? 1U : 11U);
      EXPECT_EQ(ack->rows, n == 1 ? 10U : 5U);
    }
    restart();
  }
  EXPECT_EQ(events("activity").size(), 15U);
}

TEST_F(RealStoreTest, AClientAcrossRestartsStoresEveryEventOnceAndInOrder) {
  client::Options options;
  options.port = port_;
  options.node = "web-1";
  options.reconnect_ms_max = 5;
  options.batch_rows = 64;
  const auto client = client::Client::start(options).value();
  testing::RandomEvents random(5);
  const std::vector<Event> sent = random.take(5'000);
  std::vector<TargetView> scratch;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    ASSERT_TRUE(client->emit_waiting("activity", view_of(sent[i], scratch), 20'000));
    if (i % 1000 == 100) {
      ASSERT_TRUE(client->flush(20'000));
    }
    if (i % 1000 == 500) {
      restart();
    }
  }
  ASSERT_TRUE(client->flush(20'000));
  const std::vector<Event> stored = events("activity");
  ASSERT_EQ(stored.size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    ASSERT_EQ(stored[i].seq, Seq(i + 1));
    ASSERT_EQ(stored[i].payload, sent[i].payload) << i;
    ASSERT_EQ(stored[i].actor, sent[i].actor) << i;
  }
}

}  // namespace
}  // namespace docket::ingest
