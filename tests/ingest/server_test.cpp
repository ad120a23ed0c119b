#include "ingest/server.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <string>
#include <thread>

#include "tests/ingest/peer.hpp"
#include "tests/support/fake_store.hpp"

namespace docket::ingest {
namespace {

using namespace std::chrono_literals;
using testing::eventually;
using testing::FakeStore;
using testing::line_of;
using testing::Peer;

class ServerTest : public ::testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    options.port = 0;
    server_ =
        Server::start(store_, options, [this](const auto&, const auto& peer, const auto& why) {
          const std::scoped_lock lock(mutex_);
          refusals_.push_back(peer + ": " + why);
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

TEST_F(ServerTest, UnknownProtocolsAreToldWhatThePortTakes) {
  start();
  for (const char* greeting : {"GET / HTTP/1.1\r\n\r\n", "DKT2", "DKX", "\x16\x03\x01", "[{}]"}) {
    Peer peer(port());
    peer.send(std::string_view(greeting));
    EXPECT_EQ(
        peer.rest(),
        "error: this port takes the native protocol (first bytes DKT1), NDJSON (first byte {) "
        "or syslog (first byte < or a digit)\n")
        << greeting;
  }
  EXPECT_EQ(server_->stats().protocol_errors, 5U);
  EXPECT_TRUE(eventually([this] { return refusals().size() == 5U; }));
  EXPECT_EQ(refusals()[0], "127.0.0.1: unknown protocol");
}

TEST_F(ServerTest, EveryProtocolIsToldFromTheOthersHoweverItsFirstBytesAreCut) {
  start();
  const auto hello = testing::hello_bytes("web-1", 1);
  const std::string native = std::string(native_preface) +
                             std::string(reinterpret_cast<const char*>(hello.data()), hello.size());
  const std::string line = testing::line_of(1) + "\n";
  const std::string lines = "<13>1 - - - - - - one\n<14>two\n";
  const std::string octets = "21 <13>1 - - - - - - one7 <14>two";
  std::size_t messages = 0;
  for (const std::string& stream : {native, line, "\n" + line, lines, octets}) {
    const bool is_syslog = stream[0] == '<' || stream[0] == '2';
    for (std::size_t cut = 1; cut <= std::min<std::size_t>(stream.size(), 48); ++cut) {
      Peer peer(port());
      peer.send(std::string_view(stream).substr(0, cut));
      std::this_thread::yield();
      peer.send(std::string_view(stream).substr(cut));
      peer.close_sending();
      const std::string answer = peer.rest();
      EXPECT_EQ(answer.find("error"), std::string::npos) << stream << " cut at " << cut;
      EXPECT_EQ(answer.empty(), is_syslog) << stream << " cut at " << cut;
      messages += is_syslog ? 2 : 0;
      EXPECT_EQ(store_.events("syslog").size(), messages) << stream << " cut at " << cut;
    }
  }
  EXPECT_EQ(server_->stats().events_rejected, 0U);
}

TEST_F(ServerTest, APeerThatSaysNothingIsCut) {
  ServerOptions options;
  options.handshake_ms = 50;
  start(options);
  for (const char* beginning : {"", "D", "DKT1", "{\"verb\":", "DKT1\x20\x00\x00"}) {
    Peer peer(port());
    peer.send(std::string_view(beginning));
    EXPECT_TRUE(peer.closed()) << beginning;
  }
  EXPECT_TRUE(eventually([this] { return refusals().size() == 5U; }));
}

TEST_F(ServerTest, AnIdlePeerIsCutWithoutBlame) {
  ServerOptions options;
  options.idle_ms = 100;
  start(options);
  Peer lines(port());
  lines.send(line_of(1) + "\n");
  EXPECT_EQ(lines.line(), R"({"durable":1})");
  Peer frames(port());
  frames.shake_hands("web-1");
  EXPECT_TRUE(lines.closed());
  EXPECT_TRUE(frames.closed());
  EXPECT_TRUE(refusals().empty());
}

TEST_F(ServerTest, ConnectionsOverTheLimitAreClosedAtOnce) {
  ServerOptions options;
  options.connections_max = 2;
  start(options);
  Peer one(port());
  Peer two(port());
  ASSERT_TRUE(eventually([this] { return server_->stats().connections == 2; }));
  Peer three(port());
  EXPECT_TRUE(three.closed());
  EXPECT_TRUE(eventually([this] { return refusals().size() == 1U; }));
  EXPECT_EQ(refusals(), (std::vector<std::string>{"127.0.0.1: too many connections"}));
  one.send(line_of(1) + "\n");
  EXPECT_EQ(one.line(), R"({"durable":1})");
}

TEST_F(ServerTest, ManyConnectionsComeAndGo) {
  ServerOptions options;
  options.threads = 2;
  start(options);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < 50; ++i) {
        Peer peer(port());
        peer.send(line_of(1));
        if (i % 5 == 0) {
          peer.abort();
          continue;
        }
        peer.close_sending();
        EXPECT_EQ(peer.rest(), "{\"durable\":1}\n");
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_TRUE(eventually([this] { return server_->stats().connections == 0; }));
  EXPECT_EQ(server_->stats().connections_accepted, 200U);
  EXPECT_EQ(server_->stats().memory_used, 0U);
}

TEST_F(ServerTest, StopEndsIdleConnectionsAndAcceptsNoMore) {
  start();
  Peer peer(port());
  peer.send(line_of(1) + "\n");
  EXPECT_EQ(peer.line(), R"({"durable":1})");
  std::thread stopper([this] { server_->stop(10'000); });
  EXPECT_TRUE(peer.closed());
  stopper.join();
  server_->stop(10'000);  // once more is harmless
  EXPECT_EQ(server_->stats().connections, 0U);
}

TEST_F(ServerTest, StopDoesNotWaitLongerThanItsDeadline) {
  start();
  store_.hold();
  Peer peer(port());
  peer.send(line_of(1) + "\n");
  ASSERT_TRUE(store_.wait_for_queued(1));
  server_->stop(50);
  EXPECT_TRUE(peer.closed());
  store_.release();
}

// What is in flight belongs to the connection even after it is cut.
TEST_F(ServerTest, ConnectionsThatWaitForMemoryCanBeCut) {
  ServerOptions options;
  options.memory_bytes = 64 << 10;
  start(options);
  store_.hold();
  Peer frames(port());
  frames.shake_hands("web-1");
  const auto body = testing::body_of(8000);
  frames.send_batch("activity", 1, body);
  frames.send_batch("activity", 2, body);
  ASSERT_TRUE(store_.wait_for_queued(1));
  Peer lines(port());
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += line_of(1) + "\n";
  }
  lines.send_without_waiting(text);
  std::this_thread::sleep_for(50ms);
  server_->stop(50);
  EXPECT_TRUE(frames.closed());
  EXPECT_TRUE(lines.closed());
  store_.release();
  server_.reset();
}

TEST_F(ServerTest, FramesBeyondTheBudgetWaitTheirTurn) {
  ServerOptions options;
  options.memory_bytes = 64 << 10;
  start(options);
  store_.hold();
  std::vector<std::unique_ptr<Peer>> peers;
  const auto body = testing::body_of(5000);  // about a third of the budget
  ASSERT_GT(body.size(), 16U << 10);
  for (int i = 0; i < 8; ++i) {
    peers.push_back(std::make_unique<Peer>(port()));
    peers.back()->shake_hands("web-" + std::to_string(i));
    peers.back()->send_batch("activity", 1, body);
  }
  std::this_thread::sleep_for(50ms);
  EXPECT_LE(server_->stats().memory_used, options.memory_bytes);
  store_.release();
  for (const auto& peer : peers) {
    EXPECT_EQ(peer->ack()->rows, 5000U);
  }
  EXPECT_TRUE(eventually([this] { return server_->stats().memory_used == 0; }));
}

TEST_F(ServerTest, AStalledFrameIsCutWhileOthersWaitForMemory) {
  ServerOptions options;
  options.memory_bytes = 64 << 10;
  options.handshake_ms = 1000;  // of which the honest one needs little
  start(options);
  Peer staller(port());
  staller.shake_hands("staller");
  // A frame that takes the whole budget, begun and left.
  const auto body = testing::body_of(8000);
  ASSERT_GT(body.size(), 33U << 10);
  const auto frame = testing::batch_bytes("activity", 1, body);
  staller.send(std::span(frame).first(5000));
  EXPECT_TRUE(eventually([this] { return server_->stats().memory_used > 0; }));
  Peer honest(port());
  honest.shake_hands("honest");
  honest.send_batch("activity", 1, body);
  EXPECT_EQ(honest.ack()->rows, 8000U);
  EXPECT_TRUE(staller.closed());
  EXPECT_TRUE(eventually([this] { return refusals().size() == 1U; }));
}

TEST_F(ServerTest, AFrameThatIsOnlyAnnouncedHoldsNothing) {
  ServerOptions options;
  options.memory_bytes = 64 << 10;
  start(options);
  const auto body = testing::body_of(8000);
  const auto frame = testing::batch_bytes("activity", 1, body);
  Peer slow(port());
  slow.shake_hands("slow");
  slow.send(std::span(frame).first(100));
  Peer honest(port());
  honest.shake_hands("honest");
  honest.send_batch("activity", 1, body);
  EXPECT_EQ(honest.ack()->rows, 8000U);
  EXPECT_TRUE(eventually([this] { return server_->stats().memory_used == 0; }));
  EXPECT_TRUE(eventually([this] { return refusals().size() == 0U; }));
  slow.send(std::span(frame).subspan(100));
  EXPECT_EQ(slow.ack()->rows, 8000U);
}

TEST_F(ServerTest, ALogThatTakesLongToOpenHoldsUpNobodyElse) {
  static_cast<void>(store_.log("activity"));
  start();
  store_.hold_new_logs();
  Peer waiting(port());
  waiting.send(line_of(1, "fresh") + "\n");
  Peer frames(port());
  frames.shake_hands("web-1");
  frames.send_batch("fresh", 1, testing::body_of(1));
  Peer other_lines(port());
  other_lines.send(line_of(1) + "\n");
  EXPECT_EQ(other_lines.line(), R"({"durable":1})");
  Peer other_frames(port());
  other_frames.shake_hands("web-2");
  other_frames.send_batch("activity", 1, testing::body_of(1));
  EXPECT_TRUE(other_frames.ack());
  store_.release_logs();
  EXPECT_EQ(waiting.line(), R"({"durable":1})");
  EXPECT_TRUE(frames.ack());
}

// The sanitizers see what is left behind.
TEST_F(ServerTest, AServerGoesWithConnectionsThatWaitForMemoryAndCouldNotBeCut) {
  ServerOptions options;
  options.memory_bytes = 86 << 10;  // 48 KiB of it for frames that are not small
  start(options);
  store_.hold();
  // Two batches are under way, so that a third line waits for its turn.
  Peer lines(port());
  for (std::size_t line = 1; line <= 2; ++line) {
    lines.send(line_of(line) + "\n");
    ASSERT_TRUE(store_.wait_for_queued(line));
  }
  lines.send(line_of(3) + "\n");
  // It holds what others would be given when they go, so nothing ends its wait but the server.
  Peer waiting(port());
  waiting.shake_hands("web-1");
  const auto body = testing::body_of(6000);
  waiting.send_batch("activity", 1, body);
  ASSERT_TRUE(store_.wait_for_queued(3));
  waiting.send_batch("activity", 2, body);
  std::this_thread::sleep_for(50ms);
  // The third line goes to the store when the server stops, and there the io thread stays.
  store_.hold_submissions();
  std::thread late([this] {
    std::this_thread::sleep_for(1500ms);
    store_.release_submissions();
  });
  server_->stop(10);
  late.join();
  store_.release();
  server_.reset();
  EXPECT_TRUE(waiting.closed());
}

TEST_F(ServerTest, AnIdleConnectionGivesItsLargeBufferBack) {
  start();
  Peer peer(port());
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    text += line_of(1) + "\n";
  }
  peer.send(text);
  for (std::string answer; answer != R"({"durable":20000})";) {
    const auto line = peer.line();
    ASSERT_TRUE(line);
    answer = *line;
  }
  EXPECT_TRUE(eventually([this] { return server_->stats().memory_used == 0; }));
  peer.send(line_of(1) + "\n");
  EXPECT_EQ(peer.line(), R"({"durable":20001})");
}

TEST_F(ServerTest, AServerGoesWithConnectionsOfEveryKindOpen) {
  start();
  Peer silent(port());
  Peer partial(port());
  partial.send("{\"verb\"");
  Peer native(port());
  native.shake_hands("web-1");
  Peer batch(port());
  batch.shake_hands("web-2");
  batch.send_batch("activity", 1, testing::body_of(1));
  server_.reset();
  EXPECT_TRUE(silent.closed());
}

TEST_F(ServerTest, ATakenAddressAndBadOptionsAreErrors) {
  start();
  ServerOptions options;
  options.port = port();
  const auto taken = Server::start(store_, options);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::io);
  options.port = 0;
  options.address = "no such address";
  EXPECT_EQ(Server::start(store_, options).error().code, ErrorCode::invalid_argument);
  options.address = "127.0.0.1";
  options.threads = 0;
  EXPECT_EQ(Server::start(store_, options).error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace docket::ingest
