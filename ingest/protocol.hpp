// The native protocol's frames as bytes. The normative text is PROTOCOL.md; every layout here
// stands there as a table. Pure functions: no socket, no thread, no state.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/batch.hpp"
#include "engine/limits.hpp"
#include "engine/result.hpp"

namespace docket::ingest {

inline constexpr std::string_view native_preface = "DKT1";
inline constexpr std::uint16_t protocol_version = 1;

inline constexpr std::size_t frame_header_bytes = 16;
inline constexpr std::size_t batch_prefix_bytes = 48;
// A batch body and what stands before it. The slack is for the prefix and for later versions'.
inline constexpr std::size_t frame_body_bytes_max =
    limits::batch_bytes_max + (std::size_t{64} << 10);
// Everything but batches and acks is small; a peer that says otherwise is not given the memory.
inline constexpr std::size_t small_body_bytes_max = std::size_t{8} << 10;
inline constexpr std::size_t token_bytes_max = 4096;
// A hello with the longest node and token.
inline constexpr std::size_t hello_body_bytes_max =
    16 + (2 + limits::node_bytes_max) + (2 + token_bytes_max);
inline constexpr std::size_t ping_body_bytes = 8;
inline constexpr std::size_t error_text_bytes_max = 512;

enum class FrameType : std::uint8_t {
  hello = 1,    // client, once, first
  welcome = 2,  // server, once, first
  batch = 3,    // client
  ack = 4,      // server, one for each batch that is stored
  error = 5,    // server, one for each batch that is not; or about the connection, then it closes
  ping = 6,     // either
  pong = 7,     // either, with the ping's body
  goodbye = 8,  // either: sends no more batches (client), takes no more batches (server)
};

struct FrameHeader {
  std::uint32_t body_bytes = 0;
  FrameType type = FrameType::hello;
  std::uint64_t checksum = 0;  // XXH3-64 of the header's first 8 bytes and the body
};

// Error: invalid_argument (unknown type, reserved bits set, longer than its type may be).
[[nodiscard]] Result<FrameHeader> parse_frame_header(
    std::span<const std::byte, frame_header_bytes> bytes);
// Whether a client may send such a frame before the welcome, or after it, and may make it so long:
// to be asked before memory is given to its body. Error: invalid_argument, fit to tell the client.
[[nodiscard]] Result<void> check_client_frame(const FrameHeader& header, bool is_welcome);
// Whether the checksum fits header and body (in one or two parts).
[[nodiscard]] bool frame_is_intact(std::span<const std::byte, frame_header_bytes> header,
                                   std::span<const std::byte> body,
                                   std::span<const std::byte> body_rest = {});
// Appends a whole frame.
void append_frame(std::vector<std::byte>& out, FrameType type, std::span<const std::byte> body);

struct Hello {
  std::uint16_t version = protocol_version;
  std::uint32_t features = 0;
  std::uint64_t epoch = 0;
  std::string node;
  std::string token;
};

struct Welcome {
  std::uint16_t version = protocol_version;
  std::uint32_t features = 0;
  std::uint32_t window_batches = 0;     // batches that may wait for their answer
  std::uint32_t payload_bytes_max = 0;  // of one event
  std::uint64_t window_bytes = 0;       // bodies of batches that may wait for their answer
  std::uint32_t body_bytes_max = 0;     // of one frame
  std::uint32_t idle_ms = 0;            // a silent client is cut after it
};

struct Ack {
  std::uint64_t batch = 0;
  std::uint64_t first_seq = 0;
  std::uint32_t rows = 0;  // stored
  bool duplicate = false;
  std::string log;
  std::vector<RejectedRow> rejected;  // ascending by row
};

enum class WireError : std::uint16_t {
  protocol = 1,         // a frame that breaks this protocol; the connection closes
  version = 2,          // no common version; the connection closes
  invalid_batch = 3,    // the batch or its log cannot be taken, now or later
  out_of_order = 4,     // not the next batch; `expected` is
  overloaded = 5,       // retryable
  no_space = 6,         // retryable
  closed = 7,           // shutting down; retryable
  unknown_outcome = 8,  // stored or not, a resend will tell; retryable
  unauthorized = 9,     // the token is none, or not for this node; the connection closes
};

struct ErrorFrame {
  WireError code = WireError::protocol;
  bool retryable = false;
  std::uint64_t batch = 0;     // 0: about the connection, which closes
  std::uint64_t expected = 0;  // out_of_order: the batch number to go on with
  std::string log;
  std::string message;
};

void append_hello(std::vector<std::byte>& out, const Hello& hello);
void append_welcome(std::vector<std::byte>& out, const Welcome& welcome);
void append_ack(std::vector<std::byte>& out, const Ack& ack);
void append_error(std::vector<std::byte>& out, const ErrorFrame& error);
void append_ping(std::vector<std::byte>& out, FrameType ping_or_pong, std::uint64_t opaque);

// The errors of all of these: invalid_argument, one line.
[[nodiscard]] Result<Hello> parse_hello(std::span<const std::byte> body);
[[nodiscard]] Result<Welcome> parse_welcome(std::span<const std::byte> body);
[[nodiscard]] Result<Ack> parse_ack(std::span<const std::byte> body);
[[nodiscard]] Result<ErrorFrame> parse_error(std::span<const std::byte> body);
[[nodiscard]] Result<std::uint64_t> parse_ping(std::span<const std::byte> body);

// What stands before the batch body in a batch frame. The view is into the parsed bytes.
struct BatchPrefix {
  std::uint64_t batch = 0;
  std::string_view log;
};
[[nodiscard]] Result<BatchPrefix> parse_batch_prefix(
    std::span<const std::byte, batch_prefix_bytes> bytes);

// Frame header and prefix of a batch frame whose batch body is `body`; it follows on the wire.
using BatchHead = std::array<std::byte, frame_header_bytes + batch_prefix_bytes>;
// Preconditions: is_log_name(log), batch > 0, body fits.
[[nodiscard]] BatchHead batch_head(std::string_view log, std::uint64_t batch,
                                   std::span<const std::byte> body);

// How a refusal of the engine is told to the client.
[[nodiscard]] ErrorFrame to_error_frame(const Error& error, std::string_view log,
                                        std::uint64_t batch);

}  // namespace docket::ingest
