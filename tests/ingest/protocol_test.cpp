#include "ingest/protocol.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "engine/bytes.hpp"

namespace docket::ingest {
namespace {

using Bytes = std::vector<std::byte>;

FrameHeader header_of(const Bytes& frame) {
  return parse_frame_header(std::span(frame).first<frame_header_bytes>()).value();
}

std::span<const std::byte> body_of(const Bytes& frame) {
  return std::span(frame).subspan(frame_header_bytes);
}

bool intact(const Bytes& frame) {
  return frame_is_intact(std::span(frame).first<frame_header_bytes>(), body_of(frame));
}

TEST(Protocol, EveryFrameComesBackAsItWasWritten) {
  Bytes bytes;
  Hello hello;
  hello.epoch = 7;
  hello.node = "web-1";
  hello.token = "secret";
  append_hello(bytes, hello);
  EXPECT_EQ(header_of(bytes).type, FrameType::hello);
  EXPECT_EQ(header_of(bytes).body_bytes, bytes.size() - frame_header_bytes);
  EXPECT_TRUE(intact(bytes));
  const auto hello2 = parse_hello(body_of(bytes));
  ASSERT_TRUE(hello2);
  EXPECT_EQ(hello2->epoch, 7U);
  EXPECT_EQ(hello2->node, "web-1");
  EXPECT_EQ(hello2->token, "secret");

  bytes.clear();
  Welcome welcome;
  welcome.window_batches = 64;
  welcome.window_bytes = 1ULL << 40;
  welcome.body_bytes_max = 99;
  welcome.payload_bytes_max = 98;
  welcome.idle_ms = 97;
  append_welcome(bytes, welcome);
  const auto welcome2 = parse_welcome(body_of(bytes));
  ASSERT_TRUE(welcome2);
  EXPECT_EQ(welcome2->window_batches, 64U);
  EXPECT_EQ(welcome2->window_bytes, 1ULL << 40);
  EXPECT_EQ(welcome2->body_bytes_max, 99U);
  EXPECT_EQ(welcome2->payload_bytes_max, 98U);
  EXPECT_EQ(welcome2->idle_ms, 97U);

  bytes.clear();
  Ack ack;
  ack.batch = 5;
  ack.first_seq = 1000;
  ack.rows = 3;
  ack.duplicate = true;
  ack.log = "activity";
  ack.rejected = {{1, "verb: is required"}, {4, ""}};
  append_ack(bytes, ack);
  const auto ack2 = parse_ack(body_of(bytes));
  ASSERT_TRUE(ack2);
  EXPECT_EQ(ack2->batch, 5U);
  EXPECT_EQ(ack2->first_seq, 1000U);
  EXPECT_EQ(ack2->rows, 3U);
  EXPECT_TRUE(ack2->duplicate);
  EXPECT_EQ(ack2->log, "activity");
  ASSERT_EQ(ack2->rejected.size(), 2U);
  EXPECT_EQ(ack2->rejected[0].error, "verb: is required");
  EXPECT_EQ(ack2->rejected[1].row, 4U);

  bytes.clear();
  ErrorFrame error;
  error.code = WireError::out_of_order;
  error.retryable = true;
  error.batch = 9;
  error.expected = 8;
  error.log = "api";
  error.message = "batch 9 came before batch 8";
  append_error(bytes, error);
  const auto error2 = parse_error(body_of(bytes));
  ASSERT_TRUE(error2);
  EXPECT_EQ(error2->code, WireError::out_of_order);
  EXPECT_TRUE(error2->retryable);
  EXPECT_EQ(error2->batch, 9U);
  EXPECT_EQ(error2->expected, 8U);
  EXPECT_EQ(error2->log, "api");
  EXPECT_EQ(error2->message, error.message);

  bytes.clear();
  append_ping(bytes, FrameType::pong, 0x0123456789abcdef);
  EXPECT_EQ(header_of(bytes).type, FrameType::pong);
  EXPECT_EQ(parse_ping(body_of(bytes)).value(), 0x0123456789abcdefU);
}

TEST(Protocol, BatchHeadAndBodyAreOneIntactFrame) {
  const Bytes body(100, std::byte{7});
  const BatchHead head = batch_head("activity", 42, body);
  const auto header = parse_frame_header(std::span(head).first<frame_header_bytes>());
  ASSERT_TRUE(header);
  EXPECT_EQ(header->type, FrameType::batch);
  EXPECT_EQ(header->body_bytes, batch_prefix_bytes + body.size());
  const auto prefix_bytes = std::span(head).subspan<frame_header_bytes>();
  EXPECT_TRUE(frame_is_intact(std::span(head).first<frame_header_bytes>(), prefix_bytes, body));
  const auto prefix = parse_batch_prefix(prefix_bytes);
  ASSERT_TRUE(prefix);
  EXPECT_EQ(prefix->batch, 42U);
  EXPECT_EQ(prefix->log, "activity");
}

TEST(Protocol, EveryFlippedBitOfAFrameIsNoticed) {
  Bytes frame;
  Ack ack;
  ack.batch = 1;
  ack.log = "activity";
  append_ack(frame, ack);
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    Bytes damaged = frame;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto header = parse_frame_header(std::span(damaged).first<frame_header_bytes>());
    // A changed length makes another body; here the same bytes stand for it.
    EXPECT_TRUE(!header || !intact(damaged)) << "bit " << bit;
  }
}

TEST(Protocol, LengthsAreBoundedByTypeBeforeAnythingIsAllocated) {
  std::array<std::byte, frame_header_bytes> header{};
  const auto parses = [&](std::uint32_t size, std::uint8_t type) {
    store_le(header.data(), size);
    header[4] = static_cast<std::byte>(type);
    return parse_frame_header(header).has_value();
  };
  EXPECT_TRUE(parses(frame_body_bytes_max, 3));
  EXPECT_FALSE(parses(frame_body_bytes_max + 1, 3));
  EXPECT_FALSE(parses(0xffffffff, 3));
  EXPECT_TRUE(parses(small_body_bytes_max, 1));
  EXPECT_FALSE(parses(small_body_bytes_max + 1, 1));
  EXPECT_FALSE(parses(0, 0));
  EXPECT_FALSE(parses(0, 9));
  header[5] = std::byte{1};
  EXPECT_FALSE(parses(0, 1));
}

TEST(Protocol, EveryCutAndEveryExtraByteOfABodyIsRefused) {
  const auto expect_exact = [](const Bytes& frame, const auto& parse) {
    const auto body = body_of(frame);
    EXPECT_TRUE(parse(body));
    for (std::size_t size = 0; size < body.size(); ++size) {
      EXPECT_FALSE(parse(body.first(size))) << size;
    }
    Bytes longer(body.begin(), body.end());
    longer.push_back(std::byte{0});
    EXPECT_FALSE(parse(longer));
  };
  Bytes frame;
  append_hello(frame, {protocol_version, 0, 1, "n", "t"});
  expect_exact(frame, [](auto body) { return parse_hello(body).has_value(); });
  frame.clear();
  Ack ack;
  ack.batch = 1;
  ack.log = "api";
  ack.rejected = {{1, "x"}};
  append_ack(frame, ack);
  expect_exact(frame, [](auto body) { return parse_ack(body).has_value(); });
  frame.clear();
  append_error(frame, {});
  expect_exact(frame, [](auto body) { return parse_error(body).has_value(); });
  frame.clear();
  append_welcome(frame, {protocol_version, 0, 1, 1, 1, 1, 1});
  expect_exact(frame, [](auto body) { return parse_welcome(body).has_value(); });
}

TEST(Protocol, BadHellosAndPrefixesAreRefused) {
  const auto parses = [](const Hello& hello) {
    Bytes frame;
    append_hello(frame, hello);
    return parse_hello(body_of(frame)).has_value();
  };
  EXPECT_TRUE(parses({1, 0, 1, std::string(128, 'n'), ""}));
  EXPECT_FALSE(parses({1, 0, 1, std::string(129, 'n'), ""}));
  EXPECT_FALSE(parses({1, 0, 1, "", ""}));
  EXPECT_FALSE(parses({1, 0, 1, "\xff", ""}));
  EXPECT_FALSE(parses({1, 0, 0, "n", ""}));

  BatchHead head = batch_head("api", 1, {});
  const auto prefix = [&head] {
    return parse_batch_prefix(std::span(head).subspan<frame_header_bytes>()).has_value();
  };
  EXPECT_TRUE(prefix());
  head[frame_header_bytes + 47] = std::byte{1};
  EXPECT_FALSE(prefix());
  head[frame_header_bytes + 47] = std::byte{0};
  head[frame_header_bytes + 8] = std::byte{33};
  EXPECT_FALSE(prefix());
  head[frame_header_bytes + 8] = std::byte{3};
  head[frame_header_bytes] = std::byte{0};
  EXPECT_FALSE(prefix());
}

TEST(Protocol, LongErrorTextsAreCutBetweenCharacters) {
  Bytes frame;
  ErrorFrame error;
  error.message = std::string(error_text_bytes_max - 1, 'x') + "é and more";
  append_error(frame, error);
  EXPECT_EQ(parse_error(body_of(frame)).value().message,
            std::string(error_text_bytes_max - 1, 'x'));
}

TEST(Protocol, AckOfAFullBatchOfRejectionsFits) {
  Ack ack;
  ack.batch = 1;
  ack.log = "activity";
  for (std::uint32_t row = 0; row < limits::block_rows_max; ++row) {
    ack.rejected.push_back({row, std::string(2 * error_text_bytes_max, 'e')});
  }
  Bytes frame;
  append_ack(frame, ack);
  EXPECT_TRUE(parse_frame_header(std::span(frame).first<frame_header_bytes>()));
  EXPECT_EQ(parse_ack(body_of(frame)).value().rejected.size(), limits::block_rows_max);
}

TEST(Protocol, RefusalsOfTheEngineKeepTheirMeaning) {
  Error error;
  error.code = ErrorCode::out_of_order;
  error.offset = 17;
  const ErrorFrame gap = to_error_frame(error, "api", 20);
  EXPECT_EQ(gap.code, WireError::out_of_order);
  EXPECT_EQ(gap.expected, 17U);
  EXPECT_TRUE(gap.retryable);
  error.code = ErrorCode::no_space;
  EXPECT_EQ(to_error_frame(error, "api", 20).code, WireError::no_space);
  error.code = ErrorCode::unknown_outcome;
  EXPECT_TRUE(to_error_frame(error, "api", 20).retryable);
  error.code = ErrorCode::invalid_argument;
  EXPECT_FALSE(to_error_frame(error, "api", 20).retryable);
}

TEST(Protocol, OnlyWhatTheBatchItselfBreaksIsRefusedForGood) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::cancelled); ++code) {
    Error error;
    error.code = static_cast<ErrorCode>(code);
    const ErrorFrame frame = to_error_frame(error, "api", 20);
    EXPECT_EQ(frame.retryable, error.code != ErrorCode::invalid_argument) << to_string(error.code);
    EXPECT_EQ(frame.code == WireError::invalid_batch, !frame.retryable);
  }
}

TEST(Protocol, WhatAClientMaySendIsKnownByTheHeader) {
  const auto may_send = [](FrameType type, std::size_t body_bytes, bool is_welcome) {
    FrameHeader header;
    header.type = type;
    header.body_bytes = static_cast<std::uint32_t>(body_bytes);
    return check_client_frame(header, is_welcome).has_value();
  };
  EXPECT_TRUE(may_send(FrameType::hello, hello_body_bytes_max, false));
  EXPECT_FALSE(may_send(FrameType::hello, hello_body_bytes_max + 1, false));
  EXPECT_TRUE(may_send(FrameType::batch, frame_body_bytes_max, true));
  EXPECT_FALSE(may_send(FrameType::batch, batch_prefix_bytes - 1, true));
  EXPECT_TRUE(may_send(FrameType::ping, ping_body_bytes, true));
  EXPECT_TRUE(may_send(FrameType::goodbye, 0, true));
  for (int t = 1; t <= static_cast<int>(FrameType::goodbye); ++t) {
    const auto type = static_cast<FrameType>(t);
    EXPECT_EQ(may_send(type, 16, false), type == FrameType::hello) << t;
    EXPECT_EQ(may_send(type, 1000, true), type == FrameType::batch) << t;
  }
  // The longest hello there can be is one.
  std::vector<std::byte> frame;
  append_hello(frame, {protocol_version, 0, 1, std::string(limits::node_bytes_max, 'n'),
                       std::string(token_bytes_max, 't')});
  EXPECT_EQ(frame.size(), frame_header_bytes + hello_body_bytes_max);
}

}  // namespace
}  // namespace docket::ingest
