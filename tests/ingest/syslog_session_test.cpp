#include "ingest/syslog_session.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ingest/server.hpp"
#include "tests/ingest/peer.hpp"
#include "tests/ingest/token_guard.hpp"
#include "tests/support/fake_store.hpp"

namespace docket::ingest {
namespace {

using namespace std::chrono_literals;
using testing::eventually;
using testing::FakeStore;
using testing::Peer;

class SyslogSessionTest : public ::testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    options.port = 0;
    server_ = Server::start(
                  store_, options,
                  [this](const std::string& node, const std::string&, const std::string& reason) {
                    const std::scoped_lock lock(mutex_);
                    refusals_.push_back(node + ": " + reason);
                  })
                  .value();
  }
  std::uint16_t port() const { return server_->port(); }
  std::vector<std::string> refusals() {
    const std::scoped_lock lock(mutex_);
    return refusals_;
  }
  // Sends everything, closes the sending half and waits for the end.
  void send(const std::string& text) {
    Peer peer(port());
    peer.send(text);
    peer.close_sending();
    EXPECT_EQ(peer.rest(), "");
  }
  // The payloads' messages, in the order in which they are stored.
  std::vector<std::string> stored() {
    constexpr std::string_view mark = R"("message":")";
    std::vector<std::string> messages;
    for (const auto& event : store_.events("syslog")) {
      const std::size_t at = event.payload.find(mark);
      messages.push_back(at == std::string::npos ? "" : event.payload.substr(at + mark.size()));
      if (!messages.back().empty()) {
        messages.back().resize(messages.back().size() - 2);
      }
    }
    return messages;
  }

  using Texts = std::vector<std::string>;

  FakeStore store_;
  std::mutex mutex_;
  Texts refusals_;
  std::unique_ptr<Server> server_;
};

std::string counted(const std::string& message) {
  return std::to_string(message.size()) + " " + message;
}

TEST_F(SyslogSessionTest, LinesAreStoredInTheirOrder) {
  start();
  send("<13>one\n<13>two\r\n\n<13>three");
  EXPECT_EQ(stored(), (Texts{"one", "two", "three"}));
  EXPECT_EQ(store_.events("syslog")[0].node, "127.0.0.1");
  EXPECT_EQ(server_->stats().events_accepted, 3U);
}

TEST_F(SyslogSessionTest, IsRefusedWhereTokensAreAskedFor) {
  ServerOptions options;
  options.authenticate = testing::TokenGuard().authenticate();
  start(options);
  send("<13>one\n<13>{\"token\":\"good\"}\n<13>two\n");
  EXPECT_TRUE(stored().empty());
  ASSERT_FALSE(refusals().empty());
  EXPECT_NE(refusals()[0].find("token: this is none"), std::string::npos) << refusals()[0];
  EXPECT_EQ(server_->stats().events_accepted, 0U);
}

TEST_F(SyslogSessionTest, CountedMessagesMayHoldNewlines) {
  start();
  send(counted("<13>one\n<13>two") + counted("<13>three\n") + "\n" + counted("<13>four"));
  EXPECT_EQ(stored(), (Texts{"one\\u000a<13>two", "three", "four"}));
}

TEST_F(SyslogSessionTest, AMessageIsStoredWhileItsSenderStaysSilent) {
  start();
  Peer peer(port());
  peer.send("<13>one\n");
  EXPECT_TRUE(store_.wait_for_events("syslog", 1));
  Peer other(port());
  other.send(counted("<13>two"));
  EXPECT_TRUE(store_.wait_for_events("syslog", 2));
}

TEST_F(SyslogSessionTest, EveryCutOfTheStreamIntoPiecesGivesTheSame) {
  start();
  std::size_t rounds = 0;
  for (const std::string& text : {std::string("<13>one\nbad\n<13>1 - - - - - - two\n"),
                                  counted("<13>one") + counted("bad") + counted("<13>two")}) {
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      Peer peer(port());
      peer.send(std::string_view(text).substr(0, cut));
      std::this_thread::sleep_for(1ms);
      peer.send(std::string_view(text).substr(cut));
      peer.close_sending();
      EXPECT_EQ(peer.rest(), "");
      ++rounds;
      EXPECT_EQ(store_.events("syslog").size(), 2 * rounds) << text << " cut at " << cut;
      EXPECT_EQ(server_->stats().events_rejected, rounds) << text << " cut at " << cut;
    }
  }
}

TEST_F(SyslogSessionTest, AMalformedMessageIsCountedAndToldAndItsNeighboursAreStored) {
  start();
  send("<13>one\nno priority\n<13>1 x\n<13>two\n");
  EXPECT_EQ(stored(), (Texts{"one", "two"}));
  EXPECT_EQ(server_->stats().events_rejected, 2U);
  EXPECT_EQ(server_->stats().protocol_errors, 0U);
  ASSERT_EQ(refusals().size(), 2U);
  EXPECT_EQ(refusals()[0], "127.0.0.1: syslog message: pri: expected <0> to <191>");
}

TEST_F(SyslogSessionTest, WhereTheFramingIsLostTheConnectionEnds) {
  start();
  for (const std::string& bad : {std::string("x"), std::string("07 <13>two"),
                                 std::string("1234567890 <13>"), std::string("7<13>two")}) {
    Peer peer(port());
    peer.send(counted("<13>one") + bad + counted("<13>three"));
    EXPECT_EQ(peer.rest(), "");
  }
  EXPECT_EQ(stored(), Texts(4, "one"));
  EXPECT_EQ(server_->stats().protocol_errors, 4U);
  EXPECT_EQ(refusals(), Texts(4, "127.0.0.1: syslog: expected the count of a message's octets"));
}

TEST_F(SyslogSessionTest, AMessageOverTheLimitIsSkippedAndTheConnectionGoesOn) {
  start();
  const std::string large = "<13>" + std::string(record_bytes_max + 100'000, 'x');
  send("<13>one\n" + large + "\n<13>two\n");
  send(counted("<13>three") + counted(large) + counted("<13>four"));
  EXPECT_EQ(stored(), (Texts{"one", "two", "three", "four"}));
  EXPECT_EQ(server_->stats().events_rejected, 2U);
  EXPECT_TRUE(eventually([this] { return server_->stats().memory_used == 0; }));
}

TEST_F(SyslogSessionTest, ACountedMessageThatIsCutShortIsToldSo) {
  start();
  send(counted("<13>one") + "100 <13>tw");
  EXPECT_EQ(stored(), Texts{"one"});
  EXPECT_EQ(refusals(),
            Texts{"127.0.0.1: syslog message: message: the connection ended within it"});
}

TEST_F(SyslogSessionTest, MessagesGoToTheLogsTheyName) {
  start();
  send(
      "<13>1 - - - - - [docket@32473 log=\"beta\" actor.kind=\"user\" actor.id=\"1\" verb=\"EDIT\" "
      "target.type=\"List\"]\n<13>two\n");
  EXPECT_EQ(store_.events("beta").size(), 1U);
  EXPECT_EQ(stored(), Texts{"two"});
}

TEST_F(SyslogSessionTest, ALogTooManyRejectsItsMessagesOnly) {
  start();
  store_.refuse_logs(ErrorCode::overloaded);
  send("<13>one\n<13>two\n");
  EXPECT_EQ(server_->stats().events_rejected, 2U);
  EXPECT_EQ(refusals().size(), 2U);
}

TEST_F(SyslogSessionTest, WhatTheStoreRefusesForTheMomentIsStoredInTheEnd) {
  start();
  store_.refuse_submissions(ErrorCode::overloaded, 2);
  send("<13>one\n");
  store_.refuse_commits(ErrorCode::no_space, 3);
  send("<13>two\n");
  EXPECT_EQ(stored(), (Texts{"one", "two"}));
}

TEST_F(SyslogSessionTest, AFailedCommitEndsTheConnectionAndIsTold) {
  start();
  store_.refuse_commits(ErrorCode::unknown_outcome, 1);
  Peer peer(port());
  peer.send("<13>one\n");
  EXPECT_TRUE(peer.closed());
  EXPECT_TRUE(eventually([this] { return refusals().size() == 1U; }));
  EXPECT_NE(refusals()[0].find("syslog messages may not be stored: "), std::string::npos);
}

TEST_F(SyslogSessionTest, StopCommitsWhatCame) {
  start();
  store_.hold();
  Peer peer(port());
  peer.send("<13>one\n<13>two\n<13>ha");
  ASSERT_TRUE(store_.wait_for_queued(1));
  std::thread stopper([this] { server_->stop(10'000); });
  std::this_thread::sleep_for(20ms);
  store_.release();
  EXPECT_EQ(peer.rest(), "");
  stopper.join();
  EXPECT_EQ(stored(), (Texts{"one", "two"}));
}

}  // namespace
}  // namespace docket::ingest
