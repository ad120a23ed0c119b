#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "engine/bytes.hpp"
#include "ingest/server.hpp"
#include "tests/ingest/peer.hpp"
#include "tests/support/fake_store.hpp"

namespace docket::ingest {
namespace {

using namespace std::chrono_literals;
using testing::batch_bytes;
using testing::body_of;
using testing::eventually;
using testing::FakeStore;
using testing::hello_bytes;
using testing::Peer;

// A frame's header alone, as somebody sends it who wants memory and sends no body.
std::vector<std::byte> header_of(FrameType type, std::uint32_t body_bytes) {
  std::vector<std::byte> header(frame_header_bytes);
  store_le(header.data(), body_bytes);
  header[4] = static_cast<std::byte>(type);
  return header;
}

// A body of a few bytes that claims 8,192 rows, of which each breaks a rule.
std::vector<std::byte> body_of_broken_rows() {
  std::vector<std::byte> body(8);
  store_le(body.data(), limits::block_rows_max);
  return body;
}

class NativeSessionTest : public ::testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    options.port = 0;
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

TEST_F(NativeSessionTest, ABatchIsAckedWithItsSeqsOnceItIsStored) {
  start();
  Peer peer(port());
  const auto welcome = peer.shake_hands("web-1");
  ASSERT_TRUE(welcome);
  EXPECT_LE(welcome->window_batches, limits::producer_receipts_max);
  store_.hold();
  peer.send_batch("activity", 1, body_of(10));
  ASSERT_TRUE(store_.wait_for_queued(1));
  EXPECT_TRUE(store_.events("activity").empty());
  store_.release();
  const auto ack = peer.ack();
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->log, "activity");
  EXPECT_EQ(ack->batch, 1U);
  EXPECT_EQ(ack->first_seq, 1U);
  EXPECT_EQ(ack->rows, 10U);
  EXPECT_FALSE(ack->duplicate);
  peer.send_batch("activity", 2, body_of(5));
  EXPECT_EQ(peer.ack()->first_seq, 11U);
  EXPECT_EQ(store_.events("activity")[0].node, "web-1");
  EXPECT_EQ(server_->stats().events_accepted, 15U);
  EXPECT_TRUE(eventually([this] { return server_->stats().memory_used == 0; }));
}

TEST_F(NativeSessionTest, AResendGetsTheOriginalAck) {
  start();
  {
    Peer peer(port());
    peer.shake_hands("web-1");
    peer.send_batch("activity", 1, body_of(10));
    peer.send_batch("activity", 2, body_of(3));
    EXPECT_TRUE(peer.ack());
    EXPECT_TRUE(peer.ack());
  }
  Peer peer(port());
  peer.shake_hands("web-1");
  peer.send_batch("activity", 2, body_of(3));
  const auto again = peer.ack();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(again->first_seq, 11U);
  EXPECT_EQ(again->rows, 3U);
  EXPECT_EQ(store_.events("activity").size(), 13U);
  EXPECT_EQ(server_->stats().batches_duplicate, 1U);
}

// As after the clock was set back, when rows seem to come from the future that did not before.
TEST_F(NativeSessionTest, AResendIsAnsweredByTheFirstJudgementOfItsRows) {
  start();
  Peer peer(port());
  peer.shake_hands("web-1");
  peer.send_batch("activity", 1, body_of(2));
  EXPECT_TRUE(peer.ack());
  BatchBuilder builder;
  for (const char* id : {"1", ""}) {
    EventView event;
    event.actor = {"user", id, "", ""};
    event.verb = "EDIT";
    event.target = {"List", "7", ""};
    builder.add(event);
  }
  peer.send_batch("activity", 1, builder.finish().bytes);
  const auto again = peer.ack();
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ(again->rows, 2U);
  EXPECT_TRUE(again->rejected.empty());
}

TEST_F(NativeSessionTest, AGapIsAnsweredWithTheNumberExpected) {
  start();
  Peer peer(port());
  peer.shake_hands("web-1");
  peer.send_batch("activity", 1, body_of(1));
  EXPECT_TRUE(peer.ack());
  peer.send_batch("activity", 3, body_of(1));
  const auto gap = peer.error();
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->code, WireError::out_of_order);
  EXPECT_EQ(gap->batch, 3U);
  EXPECT_EQ(gap->expected, 2U);
  EXPECT_EQ(gap->log, "activity");
  // The connection goes on with the right one.
  peer.send_batch("activity", 2, body_of(1));
  EXPECT_EQ(peer.ack()->batch, 2U);
}

TEST_F(NativeSessionTest, NumbersCountPerLogAndPerEpoch) {
  start();
  Peer peer(port());
  peer.shake_hands("web-1", 1);
  peer.send_batch("activity", 1, body_of(1));
  peer.send_batch("api", 1, body_of(1));
  EXPECT_TRUE(peer.ack());
  EXPECT_TRUE(peer.ack());
  Peer next(port());
  next.shake_hands("web-1", 2);
  next.send_batch("activity", 1, body_of(1));
  const auto ack = next.ack();
  ASSERT_TRUE(ack);
  EXPECT_FALSE(ack->duplicate);
  EXPECT_EQ(store_.events("activity").size(), 2U);
}

TEST_F(NativeSessionTest, BrokenRowsAreNamedAndTheOthersStored) {
  start();
  Peer peer(port());
  peer.shake_hands("web-1");
  BatchBuilder builder;
  for (int i = 0; i < 4; ++i) {
    EventView event;
    event.actor = {"user", i == 2 ? "" : "1", "", ""};
    event.verb = "EDIT";
    event.target = {"List", "7", ""};
    event.payload = i == 3 ? "[1]" : "{}";
    builder.add(event);
  }
  peer.send_batch("activity", 1, builder.finish().bytes);
  const auto ack = peer.ack();
  ASSERT_TRUE(ack);
  EXPECT_EQ(ack->rows, 2U);
  ASSERT_EQ(ack->rejected.size(), 2U);
  EXPECT_EQ(ack->rejected[0].row, 2U);
  EXPECT_EQ(ack->rejected[0].error, "actor.id: is required");
  EXPECT_EQ(ack->rejected[1].row, 3U);
  EXPECT_EQ(ack->rejected[1].error, "payload: must be a JSON object");
  EXPECT_EQ(server_->stats().events_rejected, 2U);
}

TEST_F(NativeSessionTest, AnEmptyBatchKeepsTheNumbersDense) {
  start();
  Peer peer(port());
  peer.shake_hands("web-1");
  peer.send_batch("activity", 1, body_of(0));
  EXPECT_EQ(peer.ack()->rows, 0U);
  peer.send_batch("activity", 2, body_of(1));
  EXPECT_EQ(peer.ack()->first_seq, 1U);
}

TEST_F(NativeSessionTest, AMalformedBodyIsRefusedForGoodAndTheConnectionGoesOn) {
  start();
  Peer peer(port());
  peer.shake_hands("web-1");
  std::vector<std::byte> body = body_of(10);
  body[body.size() / 2] ^= std::byte{0x40};
  peer.send_batch("activity", 1, body);
  const auto error = peer.error();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, WireError::invalid_batch);
  EXPECT_FALSE(error->retryable);
  EXPECT_EQ(error->batch, 1U);
  ASSERT_TRUE(testing::eventually([this] { return refusals().size() == 1U; }));
  EXPECT_EQ(refusals()[0].substr(0, 23), "web-1: malformed batch:");
  peer.send_batch("activity", 1, body_of(10));
  EXPECT_EQ(peer.ack()->rows, 10U);
}

TEST_F(NativeSessionTest, ReservedAndInvalidLogsAreRefused) {
  start();
  Peer peer(port());
  peer.shake_hands("web-1");
  peer.send_batch("docket", 1, body_of(1));
  EXPECT_EQ(peer.error()->code, WireError::invalid_batch);
  store_.refuse_logs(ErrorCode::overloaded);
  peer.send_batch("another", 1, body_of(1));
  const auto full = peer.error();
  EXPECT_EQ(full->code, WireError::invalid_batch);
  EXPECT_FALSE(full->retryable);
  EXPECT_EQ(full->log, "another");
}

TEST_F(NativeSessionTest, MomentaryRefusalsAreRetryable) {
  start();
  Peer peer(port());
  peer.shake_hands("web-1");
  for (const ErrorCode code : {ErrorCode::overloaded, ErrorCode::no_space, ErrorCode::closed,
                               ErrorCode::unknown_outcome}) {
    store_.refuse_submissions(code, 1);
    peer.send_batch("activity", 1, body_of(1));
    EXPECT_TRUE(peer.error()->retryable) << to_string(code);
  }
  peer.send_batch("activity", 1, body_of(1));
  EXPECT_TRUE(peer.ack());
}

TEST_F(NativeSessionTest, FaultsOfTheServersSurroundingsAreRetryable) {
  start();
  Peer peer(port());
  peer.shake_hands("web-1");
  for (const ErrorCode code :
       {ErrorCode::io, ErrorCode::not_found, ErrorCode::exists, ErrorCode::corrupt,
        ErrorCode::newer_format, ErrorCode::busy, ErrorCode::cancelled}) {
    store_.refuse_commits(code, 1);
    peer.send_batch("activity", 1, body_of(1));
    EXPECT_TRUE(peer.error()->retryable) << to_string(code);
    store_.refuse_logs(code);
    peer.send_batch("not-yet-there", 1, body_of(1));
    EXPECT_TRUE(peer.error()->retryable) << to_string(code);
  }
  peer.send_batch("activity", 1, body_of(1));
  EXPECT_TRUE(peer.ack());
  store_.refuse_commits(ErrorCode::invalid_argument, 1);
  peer.send_batch("activity", 2, body_of(1));
  EXPECT_FALSE(peer.error()->retryable);
}

TEST_F(NativeSessionTest, AnEpochThatIsOverIsToldByANumberAboveTheOneRefused) {
  start();
  {
    Peer later(port());
    later.shake_hands("web-1", 9);
    later.send_batch("activity", 1, body_of(1));
    EXPECT_TRUE(later.ack());
  }
  Peer peer(port());
  peer.shake_hands("web-1", 8);
  for (const std::uint64_t batch : {1U, 2U, 3U, 70U}) {
    peer.send_batch("activity", batch, body_of(1));
    const auto refused = peer.error();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code, WireError::out_of_order);
    EXPECT_GT(refused->expected, batch);
  }
}

TEST_F(NativeSessionTest, AnswersOfOneLogComeInTheOrderOfItsBatchesWhoeverRefuses) {
  start();
  Peer peer(port());
  peer.shake_hands("web-1");
  store_.hold();
  peer.send_batch("activity", 1, body_of(1));
  ASSERT_TRUE(store_.wait_for_queued(1));
  std::vector<std::byte> malformed = body_of(10);
  malformed.back() ^= std::byte{1};
  peer.send_batch("activity", 2, malformed);  // refused by its form
  store_.refuse_submissions(ErrorCode::overloaded, 1);
  peer.send_batch("activity", 2, body_of(1));  // refused at once
  peer.send_batch("activity", 2, body_of(1));
  peer.send_batch("api", 1, body_of(1));
  peer.send_batch("docket", 1, body_of(1));  // another log's answer need not wait
  const auto reserved = peer.error();
  ASSERT_TRUE(reserved);
  EXPECT_EQ(reserved->log, "docket");
  store_.release();
  EXPECT_EQ(peer.ack()->batch, 1U);
  EXPECT_EQ(peer.error()->code, WireError::invalid_batch);
  EXPECT_EQ(peer.error()->code, WireError::overloaded);
  EXPECT_EQ(peer.ack()->batch, 2U);
  EXPECT_EQ(peer.ack()->log, "api");
}

TEST_F(NativeSessionTest, MoreBatchesThanTheWindowEndTheConnection) {
  start();
  store_.hold();
  Peer peer(port());
  const auto welcome = peer.shake_hands("web-1");
  ASSERT_TRUE(welcome);
  for (std::uint64_t n = 1; n <= welcome->window_batches + 1; ++n) {
    peer.send_batch("activity", n, body_of(1));
  }
  const auto error = peer.error();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, WireError::protocol);
  EXPECT_EQ(error->batch, 0U);
  // What was within the window is stored and answered all the same.
  store_.release();
  for (std::uint64_t n = 1; n <= welcome->window_batches; ++n) {
    EXPECT_EQ(peer.ack()->batch, n);
  }
  EXPECT_TRUE(peer.closed());
}

TEST_F(NativeSessionTest, HalfCloseAndGoodbyeAreAnsweredInFull) {
  start();
  for (const bool says_goodbye : {false, true}) {
    store_.hold();
    Peer peer(port());
    peer.shake_hands(says_goodbye ? "polite" : "curt");
    peer.send_batch("activity", 1, body_of(2));
    if (says_goodbye) {
      std::vector<std::byte> goodbye;
      append_frame(goodbye, FrameType::goodbye, {});
      peer.send(goodbye);
    } else {
      peer.close_sending();
    }
    ASSERT_TRUE(store_.wait_for_queued(1));
    store_.release();
    EXPECT_EQ(peer.ack()->rows, 2U);
    EXPECT_TRUE(peer.closed());
  }
}

TEST_F(NativeSessionTest, PingsAreAnswered) {
  start();
  Peer peer(port());
  peer.shake_hands("web-1");
  std::vector<std::byte> ping;
  append_ping(ping, FrameType::ping, 77);
  peer.send(ping);
  const auto pong = peer.frame();
  ASSERT_TRUE(pong);
  EXPECT_EQ(pong->type, FrameType::pong);
  EXPECT_EQ(parse_ping(pong->body).value(), 77U);
}

TEST_F(NativeSessionTest, EveryPieceOfAStreamMayComeAlone) {
  start();
  std::vector<std::byte> stream = hello_bytes("dribble", 1);
  for (std::uint64_t n = 1; n <= 2; ++n) {
    const auto frame = batch_bytes("activity", n, body_of(3));
    stream.insert(stream.end(), frame.begin(), frame.end());
  }
  Peer peer(port());
  for (const std::byte b : stream) {
    peer.send(std::span(&b, 1));
  }
  EXPECT_EQ(peer.frame()->type, FrameType::welcome);
  EXPECT_EQ(peer.ack()->batch, 1U);
  EXPECT_EQ(peer.ack()->batch, 2U);
}

// The connection is cut after every byte of a conversation; then everything is sent again.
TEST_F(NativeSessionTest, ACutAtAnyByteAndAResendStoreEverythingOnce) {
  start();
  const auto first = batch_bytes("activity", 1, body_of(3));
  const auto second = batch_bytes("activity", 2, body_of(2, 100));
  std::size_t stored = 0;
  for (std::size_t cut = 0; cut <= first.size() + second.size(); ++cut) {
    const std::string node = "cut-" + std::to_string(cut);
    std::vector<std::byte> stream = hello_bytes(node, 1);
    const std::size_t hello = stream.size();
    stream.insert(stream.end(), first.begin(), first.end());
    stream.insert(stream.end(), second.begin(), second.end());
    {
      Peer peer(port());
      peer.send(std::span(stream).first(hello + cut));
      if (cut % 2 == 0) {
        peer.abort();
      }
    }
    Peer peer(port());
    peer.send(stream);
    ASSERT_EQ(peer.frame()->type, FrameType::welcome);
    const auto one = peer.ack();
    const auto two = peer.ack();
    ASSERT_TRUE(one && two) << cut;
    EXPECT_EQ(one->batch, 1U);
    EXPECT_EQ(one->rows, 3U);
    EXPECT_EQ(two->batch, 2U);
    EXPECT_EQ(two->rows, 2U);
    stored += 5;
    ASSERT_EQ(store_.events("activity").size(), stored) << "cut at byte " << cut;
  }
}

TEST_F(NativeSessionTest, BrokenFramesAreToldAndCut) {
  start();
  const auto expect_refused = [this](std::vector<std::byte> bytes, const std::string& what) {
    Peer peer(port());
    peer.shake_hands("web-1");
    peer.send(bytes);
    const auto error = peer.error();
    ASSERT_TRUE(error) << what;
    EXPECT_EQ(error->code, WireError::protocol);
    EXPECT_NE(error->message.find(what), std::string::npos) << error->message;
    EXPECT_TRUE(peer.closed());
  };
  auto frame = batch_bytes("activity", 1, body_of(1));
  auto flipped = frame;
  flipped.back() ^= std::byte{1};
  expect_refused(flipped, "checksum");
  auto oversized = frame;
  store_le(oversized.data(), std::uint32_t{0xffffffff});
  expect_refused(oversized, "is over");
  auto unknown = frame;
  unknown[4] = std::byte{77};
  expect_refused(unknown, "unknown frame type 77");
  auto reserved = frame;
  reserved[6] = std::byte{1};
  expect_refused(reserved, "reserved");
  std::vector<std::byte> short_batch;
  append_frame(short_batch, FrameType::batch, std::vector<std::byte>(10));
  expect_refused(short_batch, "shorter than its prefix");
  std::vector<std::byte> ack;
  append_frame(ack, FrameType::ack, {});
  expect_refused(ack, "not the client's");
  // Refused by the header alone: no body ever comes.
  constexpr auto much = static_cast<std::uint32_t>(frame_body_bytes_max);
  expect_refused(header_of(FrameType::ack, much), "not the client's");
  expect_refused(header_of(FrameType::welcome, 32), "not the client's");
  expect_refused(header_of(FrameType::error, 30), "not the client's");
  expect_refused(header_of(FrameType::hello, 30), "not the client's");
  expect_refused(header_of(FrameType::ping, 9), "ping");
  expect_refused(header_of(FrameType::pong, 4000), "pong");
  expect_refused(header_of(FrameType::goodbye, 1), "goodbye");
  std::vector<std::byte> ping;
  append_frame(ping, FrameType::ping, std::vector<std::byte>(3));
  expect_refused(ping, "ping");
  std::vector<std::byte> hello;
  append_hello(hello, {protocol_version, 0, 1, "again", ""});
  expect_refused(hello, "not the client's");
  EXPECT_EQ(server_->stats().protocol_errors, 15U);
  EXPECT_TRUE(testing::eventually([this] { return refusals().size() == 15U; }));
  EXPECT_TRUE(store_.events("activity").empty());
}

TEST_F(NativeSessionTest, BadHandshakesAreTold) {
  start();
  const auto expect_refused = [this](const std::vector<std::byte>& frame, WireError code) {
    Peer peer(port());
    peer.send(native_preface);
    peer.send(frame);
    const auto error = peer.error();
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, code) << error->message;
    EXPECT_TRUE(peer.closed());
  };
  std::vector<std::byte> frame;
  append_hello(frame, {99, 0, 1, "web-1", ""});
  expect_refused(frame, WireError::version);
  frame.clear();
  append_hello(frame, {protocol_version, 0, 1, "", ""});
  expect_refused(frame, WireError::protocol);
  frame.clear();
  append_hello(frame, {protocol_version, 0, 1, "idempotency:0123", ""});
  expect_refused(frame, WireError::protocol);
  frame.clear();
  append_frame(frame, FrameType::goodbye, {});
  expect_refused(frame, WireError::protocol);
  expect_refused(batch_bytes("activity", 1, body_of(1)), WireError::protocol);
  // No body of another type is waited for, nor one that no hello has.
  constexpr auto much = static_cast<std::uint32_t>(frame_body_bytes_max);
  expect_refused(header_of(FrameType::ack, much), WireError::protocol);
  expect_refused(header_of(FrameType::batch, much), WireError::protocol);
  expect_refused(header_of(FrameType::ping, 8), WireError::protocol);
  expect_refused(header_of(FrameType::hello, 5000), WireError::protocol);
  EXPECT_EQ(server_->stats().memory_used, 0U);
}

TEST_F(NativeSessionTest, StopAnswersWhatCameAndSaysGoodbye) {
  start();
  store_.hold();
  Peer peer(port());
  peer.shake_hands("web-1");
  peer.send_batch("activity", 1, body_of(4));
  ASSERT_TRUE(store_.wait_for_queued(1));
  std::thread stopper([this] { server_->stop(10'000); });
  EXPECT_EQ(peer.frame()->type, FrameType::goodbye);
  store_.release();
  EXPECT_EQ(peer.ack()->rows, 4U);
  EXPECT_TRUE(peer.closed());
  stopper.join();
}

TEST_F(NativeSessionTest, AcksOfDifferentLogsMayCrossAndAllCome) {
  start();
  Peer peer(port());
  peer.shake_hands("web-1");
  for (std::uint64_t n = 1; n <= 20; ++n) {
    peer.send_batch(n % 2 == 0 ? "alpha" : "beta", (n + 1) / 2, body_of(1));
  }
  std::map<std::string, std::uint64_t> last;
  for (int i = 0; i < 20; ++i) {
    const auto ack = peer.ack();
    ASSERT_TRUE(ack);
    EXPECT_EQ(ack->batch, ++last[ack->log]);
  }
}

TEST_F(NativeSessionTest, RejectedRowsCountForTheBudgetUntilTheyAreTold) {
  start();
  store_.hold();
  Peer peer(port());
  peer.shake_hands("web-1");
  peer.send_batch("activity", 1, body_of_broken_rows());
  ASSERT_TRUE(store_.wait_for_queued(1));
  EXPECT_GE(server_->stats().memory_used, limits::block_rows_max * sizeof(RejectedRow));
  store_.release();
  EXPECT_EQ(peer.ack()->rejected.size(), limits::block_rows_max);
  EXPECT_TRUE(eventually([this] { return server_->stats().memory_used == 0; }));
}

TEST_F(NativeSessionTest, NoMoreIsReadThanMayBeAnsweredAtOnce) {
  start();
  store_.hold();
  Peer peer(port());
  peer.shake_hands("web-1");
  // All of these fit into the smallest input buffer.
  constexpr std::uint64_t batches = 50;
  std::vector<std::byte> frames;
  for (std::uint64_t n = 1; n <= batches; ++n) {
    const auto frame = batch_bytes("activity", n, body_of_broken_rows());
    frames.insert(frames.end(), frame.begin(), frame.end());
  }
  ASSERT_LT(frames.size(), 4096U);
  peer.send(frames);
  ASSERT_TRUE(store_.wait_for_queued(1));
  std::this_thread::sleep_for(50ms);
  EXPECT_LE(server_->stats().events_rejected, std::uint64_t{3} * limits::block_rows_max);
  store_.release();
  for (std::uint64_t n = 1; n <= batches; ++n) {
    const auto ack = peer.ack();
    ASSERT_TRUE(ack);
    EXPECT_EQ(ack->batch, n);
  }
}

}  // namespace
}  // namespace docket::ingest
