#include "ingest/ndjson_session.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <thread>

#include "ingest/server.hpp"
#include "tests/ingest/peer.hpp"
#include "tests/ingest/token_guard.hpp"
#include "tests/support/fake_store.hpp"

namespace docket::ingest {
namespace {

using namespace std::chrono_literals;
using testing::eventually;
using testing::FakeStore;
using testing::line_of;
using testing::Peer;

class NdjsonSessionTest : public ::testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    options.port = 0;
    server_ = Server::start(store_, options).value();
  }
  std::uint16_t port() const { return server_->port(); }

  // Sends everything, closes the sending half and returns all answers.
  std::string exchange(const std::string& text) {
    Peer peer(port());
    EXPECT_TRUE(peer.send(text));
    peer.close_sending();
    return peer.rest();
  }

  FakeStore store_;
  std::unique_ptr<Server> server_;
};

std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of('\n');
  const std::size_t begin = text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1, end - begin);
}

TEST_F(NdjsonSessionTest, ALineIsStoredBeforeItIsCalledDurable) {
  start();
  store_.hold();
  Peer peer(port());
  peer.send(line_of(1) + "\n");
  ASSERT_TRUE(store_.wait_for_queued(1));
  EXPECT_TRUE(store_.events("activity").empty());
  store_.release();
  EXPECT_EQ(peer.line(), R"({"durable":1})");
  ASSERT_EQ(store_.events("activity").size(), 1U);
  EXPECT_EQ(store_.events("activity")[0].node, "127.0.0.1");
  // The connection goes on.
  peer.send(line_of(2) + "\n");
  EXPECT_EQ(peer.line(), R"({"durable":2})");
}

TEST_F(NdjsonSessionTest, HalfCloseCommitsAnswersAndCloses) {
  start();
  std::string text;
  for (int i = 1; i <= 30'000; ++i) {
    text += line_of(static_cast<std::uint64_t>(i)) + "\n";
  }
  const std::string answers = exchange(text);
  EXPECT_EQ(last_line(answers), R"({"durable":30000})");
  const auto events = store_.events("activity");
  ASSERT_EQ(events.size(), 30'000U);
  for (std::size_t i = 0; i < events.size(); ++i) {
    ASSERT_EQ(events[i].actor.id, std::to_string(i + 1));
  }
  EXPECT_EQ(server_->stats().events_accepted, 30'000U);
  EXPECT_EQ(server_->stats().bytes_received, text.size());
}

TEST_F(NdjsonSessionTest, TheLastLineNeedsNoNewline) {
  start();
  EXPECT_EQ(last_line(exchange(line_of(1) + "\n" + line_of(2))), R"({"durable":2})");
  EXPECT_EQ(store_.events("activity").size(), 2U);
}

TEST_F(NdjsonSessionTest, BlankLinesCountAndLeadingWhiteSpaceIsFine) {
  start();
  EXPECT_EQ(last_line(exchange("\n \r\n" + line_of(1) + "\r\n\n")), R"({"durable":4})");
  EXPECT_EQ(store_.events("activity").size(), 1U);
}

TEST_F(NdjsonSessionTest, BadLinesAreNamedBeforeTheyAreCalledSettled) {
  start();
  const std::string answers =
      exchange(line_of(1) + "\n{\"verb\":1}\n" + line_of(3) + "\nnonsense\n{\"a\":\"\xff\"}\n");
  EXPECT_NE(answers.find(R"({"line":2,"error":"verb: must be a string"})"), std::string::npos)
      << answers;
  EXPECT_NE(answers.find(R"({"line":4,"error":"json: expected '{' at byte 0"})"),
            std::string::npos);
  EXPECT_NE(answers.find(R"({"line":5,"error":"json: is not valid UTF-8"})"), std::string::npos);
  EXPECT_EQ(last_line(answers), R"({"durable":5})");
  EXPECT_EQ(store_.events("activity").size(), 2U);
  EXPECT_EQ(server_->stats().events_rejected, 3U);
}

TEST_F(NdjsonSessionTest, AnErrorIsItselfValidJson) {
  start();
  const std::string answers = exchange("{\"a\\\"b\":1}\n");
  EXPECT_EQ(answers, "{\"line\":1,\"error\":\"a\\\"b: unknown member\"}\n{\"durable\":1}\n");
}

TEST_F(NdjsonSessionTest, ALineOverTheLimitIsSkippedAndTheConnectionGoesOn) {
  start();
  const std::string filler(record_bytes_max + 100'000, 'x');
  const std::string answers = exchange(line_of(1) + "\n{\"a\":\"" + filler + "\"}\n" + line_of(3));
  EXPECT_NE(answers.find(R"({"line":2,"error":"line: is longer than 1 MiB"})"), std::string::npos);
  EXPECT_EQ(last_line(answers), R"({"durable":3})");
  EXPECT_EQ(store_.events("activity").size(), 2U);
  EXPECT_TRUE(eventually([this] { return server_->stats().memory_used == 0; }));
}

TEST_F(NdjsonSessionTest, ALineThatNeverEndsIsSkippedToTheEnd) {
  start();
  const std::string answers = exchange("{" + std::string(3 * record_bytes_max, 'x'));
  EXPECT_EQ(answers, "{\"line\":1,\"error\":\"line: is longer than 1 MiB\"}\n{\"durable\":1}\n");
}

TEST_F(NdjsonSessionTest, TheLongestLineIsTaken) {
  ServerOptions options;
  options.rules.payload_bytes_max = limits::payload_bytes_max;
  start(options);
  std::string line = line_of(1);
  line.pop_back();
  line += R"(,"payload":{"a":")";
  line += std::string(record_bytes_max - line.size() - 3, 'x') + "\"}}";
  ASSERT_EQ(line.size(), record_bytes_max);
  EXPECT_EQ(exchange(line + "\n"), "{\"durable\":1}\n");
  EXPECT_EQ(exchange(line + " \n"),
            "{\"line\":1,\"error\":\"line: is longer than 1 MiB\"}\n{\"durable\":1}\n");
}

TEST_F(NdjsonSessionTest, LinesOfDifferentLogsAreSettledInTheirOrder) {
  start();
  store_.hold();
  Peer peer(port());
  peer.send(line_of(1, "alpha") + "\n" + line_of(2, "beta") + "\n" + line_of(3, "alpha") + "\n");
  ASSERT_TRUE(store_.wait_for_queued(2));
  store_.release();
  // The batch of `alpha` holds lines 1 and 3; 3 is not covered while 2 is open.
  std::set<std::string> seen;
  for (std::string answer; answer != R"({"durable":3})";) {
    const auto line = peer.line();
    ASSERT_TRUE(line);
    answer = *line;
    seen.insert(answer);
  }
  EXPECT_LE(seen.size(), 2U);
  EXPECT_FALSE(seen.contains(R"({"durable":2})"));
  EXPECT_EQ(store_.events("alpha").size(), 2U);
  EXPECT_EQ(store_.events("beta").size(), 1U);
}

TEST_F(NdjsonSessionTest, EveryCutOfTheStreamIntoPiecesGivesTheSame) {
  start();
  const std::string text = line_of(1) + "\n\n" + line_of(2) + "\nbad\n" + line_of(3);
  for (std::size_t cut = 1; cut < text.size(); cut += 7) {
    Peer peer(port());
    peer.send(std::string_view(text).substr(0, cut));
    std::this_thread::sleep_for(1ms);
    peer.send(std::string_view(text).substr(cut));
    peer.close_sending();
    const std::string answers = peer.rest();
    EXPECT_EQ(last_line(answers), R"({"durable":5})") << cut;
    EXPECT_NE(answers.find(R"({"line":4,)"), std::string::npos) << cut;
  }
}

TEST_F(NdjsonSessionTest, ABatchOfSeveralReadsHasOneTimeOfReceipt) {
  start();
  store_.hold();
  Peer peer(port());
  for (std::uint64_t i = 1; i <= 60; ++i) {
    // Of the first two each is a batch; the others gather while these are on their way.
    peer.send(line_of(i) + "\n");
    if (i <= 2) {
      ASSERT_TRUE(store_.wait_for_queued(i));
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  store_.release();
  peer.close_sending();
  EXPECT_EQ(last_line(peer.rest()), R"({"durable":60})");
  const auto events = store_.events("activity");
  ASSERT_EQ(events.size(), 60U);
  for (const Event& event : events) {
    EXPECT_EQ(event.ts, event.received) << event.seq.value;
  }
}

TEST_F(NdjsonSessionTest, WhatTheStoreRefusesForTheMomentIsStoredInTheEnd) {
  start();
  store_.refuse_submissions(ErrorCode::overloaded, 2);
  Peer peer(port());
  peer.send(line_of(1) + "\n" + line_of(2) + "\n");
  EXPECT_EQ(peer.line(), R"({"durable":2})");
  store_.refuse_commits(ErrorCode::no_space, 3);
  peer.send(line_of(3) + "\n");
  EXPECT_EQ(peer.line(), R"({"durable":3})");
  EXPECT_EQ(store_.events("activity").size(), 3U);
}

TEST_F(NdjsonSessionTest, WhenTheStoreGoesOnRefusingTheSenderIsToldFromWhere) {
  ServerOptions options;
  options.write_ms = 100;
  start(options);
  Peer peer(port());
  peer.send(line_of(1) + "\n");
  EXPECT_EQ(peer.line(), R"({"durable":1})");
  store_.refuse_commits(ErrorCode::no_space, 1'000'000);
  peer.send(line_of(2) + "\n" + line_of(3) + "\n");
  EXPECT_EQ(peer.line(),
            R"({"line":2,"error":"not stored from here on: the test refuses this commit"})");
  EXPECT_TRUE(peer.closed());
  EXPECT_EQ(store_.events("activity").size(), 1U);
}

TEST_F(NdjsonSessionTest, AFailedCommitIsNeverCalledDurable) {
  start();
  store_.refuse_commits(ErrorCode::unknown_outcome, 1);
  Peer peer(port());
  peer.send(line_of(1) + "\n");
  EXPECT_EQ(peer.line(),
            R"({"line":1,"error":"not stored from here on: the test refuses this commit"})");
  EXPECT_TRUE(peer.closed());
}

TEST_F(NdjsonSessionTest, ALogTooManyRejectsItsLinesOnly) {
  start();
  store_.refuse_logs(ErrorCode::overloaded);
  const std::string answers = exchange(line_of(1) + "\n");
  EXPECT_EQ(answers,
            "{\"line\":1,\"error\":\"log: is one too many; there are at most 64 logs in all, the "
            "system's own and the preloaded ones among them\"}\n{\"durable\":1}\n");
}

TEST_F(NdjsonSessionTest, ASenderThatDoesNotReadIsCutAndCostsBoundedMemory) {
  ServerOptions options;
  options.write_ms = 200;
  start(options);
  Peer peer(port());
  // Bad lines are answered with more bytes than they have.
  std::string garbage;
  for (int i = 0; i < 10'000; ++i) {
    garbage += "{x\n";
  }
  std::size_t sent = 0;
  const auto until = std::chrono::steady_clock::now() + 8s;
  while (std::chrono::steady_clock::now() < until && server_->stats().protocol_errors == 0) {
    sent += peer.send_without_waiting(garbage);
  }
  EXPECT_EQ(server_->stats().protocol_errors, 1U);
  EXPECT_GT(sent, 0U);
}

TEST_F(NdjsonSessionTest, WhatWasReceivedBeforeAResetIsStored) {
  start();
  store_.hold();
  Peer peer(port());
  peer.send(line_of(1) + "\n");
  ASSERT_TRUE(store_.wait_for_queued(1));
  peer.abort();
  store_.release();
  EXPECT_TRUE(store_.wait_for_events("activity", 1));
}

TEST_F(NdjsonSessionTest, StopCommitsAndAnswersWhatCame) {
  start();
  store_.hold();
  Peer peer(port());
  peer.send(line_of(1) + "\n" + line_of(2) + "\n{\"half");
  ASSERT_TRUE(store_.wait_for_queued(1));
  std::thread stopper([this] { server_->stop(10'000); });
  std::this_thread::sleep_for(20ms);
  store_.release();
  EXPECT_EQ(peer.rest(), "{\"durable\":2}\n");
  stopper.join();
  EXPECT_EQ(store_.events("activity").size(), 2U);
}

TEST_F(NdjsonSessionTest, ManySendersShareASmallBudget) {
  ServerOptions options;
  options.memory_bytes = 64 << 10;
  options.threads = 2;
  start(options);
  constexpr int senders = 8;
  constexpr int lines = 2'000;
  std::vector<std::thread> threads;
  std::atomic<int> complete{0};
  for (int s = 0; s < senders; ++s) {
    threads.emplace_back([&] {
      std::string text;
      for (int i = 0; i < lines; ++i) {
        text += line_of(static_cast<std::uint64_t>(i)) + "\n";
      }
      complete += last_line(exchange(text)) == "{\"durable\":" + std::to_string(lines) + "}";
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(complete, senders);
  EXPECT_EQ(store_.events("activity").size(), static_cast<std::size_t>(senders * lines));
}

ServerOptions guarded_by(const testing::TokenGuard& guard) {
  ServerOptions options;
  options.authenticate = guard.authenticate();
  return options;
}

TEST_F(NdjsonSessionTest, TheFirstLineShowsTheTokenAndCountsAsALine) {
  start(guarded_by({}));
  EXPECT_EQ(last_line(exchange("\n{\"token\":\"good\"}\n" + line_of(1) + "\n")),
            R"({"durable":3})");
  EXPECT_EQ(store_.events("activity").size(), 1U);
}

TEST_F(NdjsonSessionTest, WithoutAGoodTokenNothingIsStoredAndTheAnswerSaysWhy) {
  start(guarded_by({}));
  EXPECT_EQ(exchange(line_of(1) + "\n" + line_of(2) + "\n"),
            R"({"line":1,"error":"not stored from here on: token: this is none; the first line is )"
            R"(to be {\"token\":\"...\"}"})"
            "\n");
  EXPECT_EQ(exchange("{\"token\":\"bad\"}\n" + line_of(1) + "\n"),
            R"({"line":1,"error":"not stored from here on: token: this is none"})"
            "\n");
  EXPECT_EQ(exchange("{\"token\":\"bad\"}"),
            R"({"line":1,"error":"not stored from here on: token: this is none"})"
            "\n");
  EXPECT_TRUE(store_.events("activity").empty());
  EXPECT_EQ(server_->stats().protocol_errors, 3U);
}

TEST_F(NdjsonSessionTest, WhereNoneIsAskedForATokenIsReadOver) {
  start();
  EXPECT_EQ(last_line(exchange("{\"token\":\"x\"}\n" + line_of(1))), R"({"durable":2})");
}

TEST_F(NdjsonSessionTest, LinesOfLogsThatTheTokenIsNotForAreRejectedOneByOne) {
  testing::TokenGuard guard;
  guard.logs = {"api"};
  start(guarded_by(guard));
  const std::string answers =
      exchange("{\"token\":\"good\"}\n" + line_of(1) + "\n" + line_of(2, "api") + "\n");
  EXPECT_NE(answers.find(R"({"line":2,"error":"log: the token may not write to 'activity'"})"),
            std::string::npos);
  EXPECT_EQ(last_line(answers), R"({"durable":3})");
  EXPECT_EQ(store_.events("api").size(), 1U);
}

TEST_F(NdjsonSessionTest, ATokenThatEndsEndsItsConnection) {
  testing::TokenGuard guard;
  start(guarded_by(guard));
  Peer peer(port());
  peer.send("{\"token\":\"good\"}\n" + line_of(1) + "\n");
  auto answer = peer.line();
  while (answer && *answer != R"({"durable":2})") {
    answer = peer.line();
  }
  ASSERT_TRUE(answer);
  *guard.holds = false;
  peer.send(line_of(2) + "\n");
  EXPECT_EQ(peer.line(),
            R"({"line":3,"error":"not stored from here on: token: may no longer send"})");
  EXPECT_EQ(store_.events("activity").size(), 1U);
}

}  // namespace
}  // namespace docket::ingest
