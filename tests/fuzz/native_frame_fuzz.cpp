// Arbitrary bytes as frames of the native protocol.
//
// Invariants:
//   N1  No parser reads outside of its bytes.
//   N2  A body that is taken is written back to the same bytes: nothing in it is overlooked.
//   N3  A header that is taken keeps the length of its type.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/assert.hpp"
#include "ingest/protocol.hpp"

namespace {

using namespace docket::ingest;
using Bytes = std::vector<std::byte>;

void expect_same(const Bytes& frame, std::span<const std::byte> body) {
  const auto written = std::span(frame).subspan(frame_header_bytes);
  DOCKET_ASSERT(std::equal(written.begin(), written.end(), body.begin(), body.end()));
  const auto header = std::span(frame).first<frame_header_bytes>();
  DOCKET_ASSERT(parse_frame_header(header).has_value());
  DOCKET_ASSERT(frame_is_intact(header, written));
}

void check_body(std::span<const std::byte> body) {
  Bytes frame;
  if (const auto hello = parse_hello(body)) {
    append_hello(frame, *hello);
    expect_same(frame, body);
  }
  frame.clear();
  if (const auto welcome = parse_welcome(body)) {
    append_welcome(frame, *welcome);
    expect_same(frame, body);
  }
  frame.clear();
  if (const auto ack = parse_ack(body)) {
    append_ack(frame, *ack);
    expect_same(frame, body);
  }
  frame.clear();
  if (const auto error = parse_error(body)) {
    append_error(frame, *error);
    expect_same(frame, body);
  }
  frame.clear();
  if (const auto ping = parse_ping(body)) {
    append_ping(frame, FrameType::ping, *ping);
    expect_same(frame, body);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(data, size));
  if (bytes.size() >= frame_header_bytes) {
    const auto header = parse_frame_header(bytes.first<frame_header_bytes>());
    if (header) {
      const bool is_large = header->type == FrameType::batch || header->type == FrameType::ack;
      DOCKET_ASSERT(header->body_bytes <= (is_large ? frame_body_bytes_max : small_body_bytes_max));
    }
    check_body(bytes.subspan(frame_header_bytes));
  }
  if (bytes.size() >= batch_prefix_bytes) {
    if (const auto prefix = parse_batch_prefix(bytes.first<batch_prefix_bytes>())) {
      DOCKET_ASSERT(prefix->batch > 0);
      DOCKET_ASSERT(prefix->log.size() <= 32);
    }
  }
  check_body(bytes);
  return 0;
}
