#include "ingest/connection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ingest/server.hpp"
#include "tests/ingest/peer.hpp"
#include "tests/ingest/token_guard.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/fake_store.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket::ingest {
namespace {

using namespace std::string_literals;
using testing::body_of;
using ::testing::ElementsAre;
using testing::eventually;
using testing::FakeStore;
using ::testing::HasSubstr;
using testing::line_of;
using testing::Peer;

// A server whose port speaks TLS.
class ConnectionUnderTls : public ::testing::Test {
 protected:
  ConnectionUnderTls() {
    docket::testing::make_certificate(directory_.path(), "a");
    docket::testing::make_certificate(directory_.path(), "b");
    serve_as("a");
  }

  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }
  void serve_as(const std::string& name, const std::string& client_authority = "") {
    const std::scoped_lock lock(mutex_);
    tls_ = server_tls({path(name + ".crt"), path(name + ".key"),
                       client_authority.empty() ? "" : path(client_authority)})
               .value();
  }
  void start(ServerOptions options = {}) {
    options.port = 0;
    options.tls = [this] {
      const std::scoped_lock lock(mutex_);
      return tls_;
    };
    server_ =
        Server::start(store_, options, [this](const auto&, const auto& peer, const auto& why) {
          const std::scoped_lock lock(mutex_);
          refusals_.push_back(peer + ": " + why);
        }).value();
  }
  [[nodiscard]] TlsContext trusting(const std::string& name, const std::string& own = "") const {
    return client_tls({own.empty() ? "" : path(own + ".crt"), own.empty() ? "" : path(own + ".key"),
                       path(name + ".crt")})
        .value();
  }
  // One that has shaken hands.
  std::unique_ptr<Peer> connect(const std::string& trusted = "a") {
    auto peer = std::make_unique<Peer>(server_->port(), trusting(trusted));
    EXPECT_EQ(peer->shake_hands_of_tls(), "");
    return peer;
  }
  std::vector<std::string> refusals() {
    const std::scoped_lock lock(mutex_);
    return refusals_;
  }
  bool eventually_refused(const std::string& why) {
    return eventually([&] {
      const auto all = refusals();
      return std::ranges::any_of(
          all, [&](const std::string& one) { return one.find(why) != std::string::npos; });
    });
  }

  const docket::testing::TemporaryDirectory directory_;
  FakeStore store_;
  std::mutex mutex_;
  TlsContext tls_;
  std::vector<std::string> refusals_;
  std::unique_ptr<Server> server_;
};

TEST_F(ConnectionUnderTls, NativeFramesAreTakenAndAnswered) {
  start();
  const auto peer = connect();
  ASSERT_TRUE(peer->shake_hands("web-1"));
  for (std::uint64_t batch = 1; batch <= 3; ++batch) {
    peer->send_batch("activity", batch, body_of(8192, batch * 10'000));
  }
  for (std::uint64_t batch = 1; batch <= 3; ++batch) {
    const auto ack = peer->ack();
    ASSERT_TRUE(ack);
    EXPECT_EQ(ack->rows, 8192U);
  }
  peer->close_sending();
  EXPECT_TRUE(peer->closed());
  EXPECT_EQ(store_.events("activity").size(), 3U * 8192);
}

TEST_F(ConnectionUnderTls, LinesAreAnsweredAlsoAfterTheSendersFarewell) {
  start();
  const auto peer = connect();
  std::string lines;
  for (std::uint64_t id = 1; id <= 5000; ++id) {
    lines += line_of(id) + '\n';
  }
  peer->send(lines + line_of(5001));
  peer->close_sending();
  EXPECT_THAT(peer->rest(), HasSubstr("{\"durable\":5001}\n"));
  EXPECT_EQ(store_.events("activity").size(), 5001U);
}

TEST_F(ConnectionUnderTls, SyslogIsTaken) {
  start();
  const auto peer = connect();
  peer->send("24 <13>1 - - - - - - hello124 <13>1 - - - - - - hello2");
  peer->close_sending();
  EXPECT_EQ(peer->rest(), "");
  EXPECT_EQ(store_.events("syslog").size(), 2U);
}

TEST_F(ConnectionUnderTls, RecordsOfOneByteAreReadLikeOthers) {
  start();
  const auto peer = connect();
  for (const char c : line_of(1) + '\n') {
    peer->send(std::string(1, c));
  }
  EXPECT_EQ(peer->line(), "{\"durable\":1}");
  peer->send(line_of(2) + '\n');
  EXPECT_EQ(peer->line(), "{\"durable\":2}");
}

TEST_F(ConnectionUnderTls, WhatComesInTheClearIsToldSoInItsOwnProtocol) {
  start();
  Peer lines(server_->port());
  lines.send(line_of(1) + '\n');
  EXPECT_EQ(lines.rest(), "{\"line\":1,\"error\":\"this port speaks TLS\"}\n");
  Peer native(server_->port());
  native.send(testing::hello_bytes("web-1", 1));
  const auto error = native.error();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->batch, 0U);
  EXPECT_EQ(error->message, "this port speaks TLS");
  EXPECT_TRUE(native.closed());
  for (const char* other :
       {"<13>1 - - - - - - hello\n", "GET / HTTP/1.1\r\n\r\n", "\x16\x02zzzz"}) {
    Peer peer(server_->port());
    peer.send(std::string_view(other));
    EXPECT_EQ(peer.rest(), "error: this port speaks TLS\n");
  }
  EXPECT_EQ(store_.events("activity").size(), 0U);
  EXPECT_EQ(store_.events("syslog").size(), 0U);
  EXPECT_EQ(refusals().at(0), "127.0.0.1: in the clear, where TLS is spoken");
  EXPECT_EQ(server_->stats().protocol_errors, 5U);
  EXPECT_EQ(server_->stats().tls_failures, 5U);
}

TEST_F(ConnectionUnderTls, FailedHandshakesAreCountedAndSilentPeersAreNot) {
  serve_as("a", "b.crt");
  start();
  Peer(server_->port()).close_sending();
  Peer cut(server_->port());
  cut.send("\x16\x03\x01"s);
  cut.close_sending();
  EXPECT_TRUE(eventually([&] { return server_->stats().tls_failures == 1; }));
  Peer stranger(server_->port(), trusting("a", "a"));
  static_cast<void>(stranger.shake_hands_of_tls());
  EXPECT_TRUE(eventually([&] { return server_->stats().tls_failures == 2; }));
  Peer distrustful(server_->port(), trusting("b", "b"));
  EXPECT_NE(distrustful.shake_hands_of_tls(), "");
  EXPECT_TRUE(eventually([&] { return server_->stats().tls_failures == 3; }));
  Peer known(server_->port(), trusting("a", "b"));
  EXPECT_EQ(known.shake_hands_of_tls(), "");
  known.send(line_of(1) + '\n');
  EXPECT_EQ(known.line(), "{\"durable\":1}");
  EXPECT_TRUE(eventually([&] { return server_->stats().connections == 1; }));
  EXPECT_EQ(server_->stats().tls_failures, 3U);
}

TEST_F(ConnectionUnderTls, TheUnixSocketStaysInTheClear) {
  ServerOptions options;
  options.socket = path("socket");
  start(options);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  options.socket.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  Peer peer(Peer::Accepted{fd});
  peer.send(line_of(1) + '\n');
  EXPECT_EQ(peer.line(), "{\"durable\":1}");
}

TEST_F(ConnectionUnderTls, AnEndThatIsNotAnnouncedLeavesTheUnfinishedRecordOut) {
  start();
  const auto peer = connect();
  peer->send("<13>1 - - - - - - transfer 10\n<13>1 - - - - - - transfer 10");
  peer->close_sending_unannounced();
  EXPECT_EQ(peer->rest(), "");
  EXPECT_TRUE(eventually([this] { return server_->stats().connections == 0; }));
  EXPECT_EQ(store_.events("syslog").size(), 1U);
}

TEST_F(ConnectionUnderTls, AHandshakeHasItsTime) {
  ServerOptions options;
  options.handshake_ms = 50;
  start(options);
  Peer silent(server_->port());
  EXPECT_TRUE(silent.closed());
  Peer slow(server_->port());
  slow.send("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s);
  EXPECT_TRUE(slow.closed());
  EXPECT_TRUE(eventually([this] { return refusals().size() == 2; }));
}

TEST_F(ConnectionUnderTls, TheFirstLineHasItsTimeAfterTheHandshake) {
  ServerOptions options;
  options.handshake_ms = 2000;  // long enough for a handshake on a busy machine
  start(options);
  EXPECT_TRUE(connect()->closed());
  ASSERT_TRUE(eventually([this] { return refusals().size() == 1; }));
  EXPECT_THAT(refusals().at(0), HasSubstr("no complete first frame or line in time"));
}

TEST_F(ConnectionUnderTls, AFirstMessageThatIsTooLongIsNotWaitedFor) {
  start();
  Peer peer(server_->port());
  peer.send("\x16\x03\x01\x40\x00\x01\x01\x00\x00"s);
  EXPECT_TRUE(peer.closed());
  EXPECT_TRUE(eventually_refused("longer than 16 KiB"));
}

TEST_F(ConnectionUnderTls, ConnectionsTakeOfABudgetAndThereIsNoneBeyondIt) {
  ServerOptions options;
  options.memory_bytes = 3 * tls_connection_bytes;
  start(options);
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 3; ++i) {
    peers.push_back(connect());
    peers.back()->send(line_of(1) + '\n');
    EXPECT_TRUE(peers.back()->line());
  }
  Peer refused(server_->port(), trusting("a"));
  EXPECT_NE(refused.shake_hands_of_tls(), "");
  EXPECT_TRUE(eventually_refused("no memory for so many connections"));
  peers.clear();
  EXPECT_TRUE(eventually([this] { return server_->stats().connections == 0; }));
  connect();
}

TEST_F(ConnectionUnderTls, ANewContextIsForTheNextConnection) {
  start();
  const auto before = connect("a");
  serve_as("b");
  const auto after = connect("b");
  for (const auto& peer : {before.get(), after.get()}) {
    peer->send(line_of(1) + '\n');
    EXPECT_EQ(peer->line(), "{\"durable\":1}");
  }
}

TEST_F(ConnectionUnderTls, WhoShowsNoGoodCertificateWhereOneIsAskedForIsNotServed) {
  serve_as("a", "b.crt");
  start();
  Peer known(server_->port(), trusting("a", "b"));
  EXPECT_EQ(known.shake_hands_of_tls(), "");
  known.send(line_of(1) + '\n');
  EXPECT_EQ(known.line(), "{\"durable\":1}");
  for (const char* own : {"", "a"}) {
    Peer peer(server_->port(), trusting("a", own));
    static_cast<void>(peer.shake_hands_of_tls());  // of TLS 1.3 the client's side is through first
    peer.send(line_of(2) + '\n');
    EXPECT_TRUE(peer.closed());
  }
  EXPECT_TRUE(eventually_refused("TLS: peer did not return a certificate"));
  EXPECT_TRUE(eventually_refused("TLS: the certificate is not accepted: "));
  EXPECT_EQ(store_.events("activity").size(), 1U);
}

TEST_F(ConnectionUnderTls, ACertificateStandsForATokenWhateverItsSenderSpeaks) {
  testing::make_certificate(directory_.path(), "web-1", "DNS:web-1.test,DNS:localhost");
  serve_as("a", "web-1.crt");
  testing::TokenGuard guard;
  guard.certified = "web-1.test";
  guard.logs = {"syslog", "api"};
  guard.nodes = {"web-1"};
  ServerOptions options;
  options.authenticate = guard.authenticate();
  start(options);
  const auto meet = [this] {
    auto peer = std::make_unique<Peer>(server_->port(), trusting("a", "web-1"));
    EXPECT_EQ(peer->shake_hands_of_tls(), "");
    return peer;
  };
  const auto syslog = meet();
  syslog->send("<13>one\n<13>1 - - - - - [docket@32473 log=\"activity\"] two\n<13>three\n");
  ASSERT_TRUE(store_.wait_for_events("syslog", 2));
  EXPECT_TRUE(eventually_refused("syslog message: log: the token may not write to 'activity'"));
  const auto lines = meet();
  lines->send(line_of(1, "api") + '\n');
  EXPECT_EQ(lines->line(), "{\"durable\":1}");
  const auto native = meet();
  ASSERT_TRUE(native->shake_hands("web-1"));
  native->send_batch("api", 1, body_of(3));
  EXPECT_EQ(native->ack()->rows, 3U);
  const auto other = meet();
  other->send(testing::hello_bytes("web-2", 1));
  EXPECT_EQ(other->error()->message, "node: the token may not send as 'web-2'");
  // A token that is shown is what counts.
  const auto wrong = meet();
  wrong->send("{\"token\":\"bad\"}\n" + line_of(1, "api") + '\n');
  EXPECT_THAT(wrong->rest(), ::testing::HasSubstr("token: this is none"));
  *guard.holds = false;
  syslog->send("<13>four\n");
  EXPECT_TRUE(syslog->closed());
  EXPECT_TRUE(eventually_refused("token: may no longer send"));
  EXPECT_EQ(store_.events("syslog").size(), 2U);
}

TEST_F(ConnectionUnderTls, ACertificateThatNobodyAsksForStandsForNothing) {
  testing::TokenGuard guard;
  guard.certified = "localhost";
  ServerOptions options;
  options.authenticate = guard.authenticate();
  start(options);
  Peer peer(server_->port(), trusting("a", "a"));
  EXPECT_EQ(peer.shake_hands_of_tls(), "");
  peer.send("<13>one\n");
  EXPECT_TRUE(peer.closed());
  EXPECT_TRUE(eventually_refused("token: this is none"));
  EXPECT_TRUE(store_.events("syslog").empty());
}

TEST_F(ConnectionUnderTls, StopEndsHandshakesAtOnceAndAnswersWhatCame) {
  start();
  Peer unfinished(server_->port());
  unfinished.send("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s);
  const auto lines = connect();
  lines->send(line_of(1) + '\n');
  EXPECT_EQ(lines->line(), "{\"durable\":1}");
  const auto native = connect();
  ASSERT_TRUE(native->shake_hands("web-1"));
  const std::int64_t before = steady_ms();
  server_->stop(60'000);
  EXPECT_LT(steady_ms() - before, 30'000);
  EXPECT_EQ(lines->rest(), "");
  const auto last = native->frame();
  ASSERT_TRUE(last);
  EXPECT_EQ(last->type, FrameType::goodbye);
}

}  // namespace
}  // namespace docket::ingest
