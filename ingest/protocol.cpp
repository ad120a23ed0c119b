#include "ingest/protocol.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/assert.hpp"
#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/event.hpp"
#include "engine/producers.hpp"

namespace docket::ingest {
namespace {

// Frame header:  0 body_bytes u32 · 4 type u8 · 5 flags u8 · 6 reserved u16 · 8 checksum u64
constexpr std::size_t type_at = 4;
constexpr std::size_t flags_at = 5;
constexpr std::size_t reserved_at = 6;
constexpr std::size_t checksum_at = 8;
static_assert(checksum_at + 8 == frame_header_bytes);

// Hello:  0 version u16 · 2 reserved u16 · 4 features u32 · 8 epoch u64 · 16 node · token
constexpr std::size_t hello_fixed_bytes = 16;
// Welcome:  0 version u16 · 2 reserved u16 · 4 features u32 · 8 window_batches u32 ·
//           12 payload_bytes_max u32 · 16 window_bytes u64 · 24 body_bytes_max u32 · 28 idle_ms u32
constexpr std::size_t welcome_bytes = 32;
// Batch prefix:  0 batch u64 · 8 log size u8 · 9 log 32 bytes, zeros behind · 41 zeros 7 bytes
constexpr std::size_t prefix_log_at = 9;
static_assert(prefix_log_at + limits::log_name_bytes_max + 7 == batch_prefix_bytes);
// Ack:  0 batch u64 · 8 first_seq u64 · 16 rows u32 · 20 rejected u32 · 24 flags u8 ·
//       25 reserved 3 bytes · 28 log · then for each rejected row: row u32, text
constexpr std::size_t ack_fixed_bytes = 28;
constexpr std::uint8_t ack_duplicate = 1;
// Error:  0 code u16 · 2 flags u16 · 4 reserved u32 · 8 batch u64 · 16 expected u64 · 24 log · text
constexpr std::size_t error_fixed_bytes = 24;
constexpr std::uint16_t error_retryable = 1;

tl::unexpected<Error> malformed(std::string message) {
  return fail(ErrorCode::invalid_argument, std::move(message));
}

std::size_t body_limit(FrameType type) {
  return type == FrameType::batch || type == FrameType::ack ? frame_body_bytes_max
                                                            : small_body_bytes_max;
}

// Strings travel as u16 size and bytes.
void append_text(std::vector<std::byte>& out, std::string_view text) {
  DOCKET_ASSERT(text.size() <= 0xffff);
  append_le(out, static_cast<std::uint16_t>(text.size()));
  append_bytes(out, as_byte_span(text));
}

// Cuts an error's text where it would pass the limit, never inside a UTF-8 sequence.
std::string_view bounded_text(std::string_view text) {
  if (text.size() <= error_text_bytes_max) {
    return text;
  }
  std::size_t size = error_text_bytes_max;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) {
    --size;
  }
  return text.substr(0, size);
}

// Takes a body apart from the front; remembers that something was missing.
class BodyReader {
 public:
  explicit BodyReader(std::span<const std::byte> body) : rest_(body) {}

  template <typename T>
  T number() {
    if (rest_.size() < sizeof(T)) {
      return short_of<T>();
    }
    const T value = load_le<T>(rest_.data());
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }
  std::string text(std::size_t bytes_max) {
    const std::size_t size = number<std::uint16_t>();
    if (size > bytes_max || size > rest_.size()) {
      return short_of<std::string>();
    }
    std::string value(as_text(rest_.first(size)));
    rest_ = rest_.subspan(size);
    return value;
  }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }
  // Every field was there, and nothing else.
  [[nodiscard]] bool complete() const { return !short_ && rest_.empty(); }

 private:
  template <typename T>
  T short_of() {
    short_ = true;
    rest_ = {};
    return T{};
  }

  std::span<const std::byte> rest_;
  bool short_ = false;
};

std::uint64_t checksum_of(std::span<const std::byte> header_start, std::span<const std::byte> body,
                          std::span<const std::byte> body_rest) {
  RunningChecksum sum;
  sum.add(header_start);
  sum.add(body);
  sum.add(body_rest);
  return sum.value();
}

// Reserves a header at the end of `out`; close_frame() fills it once the body stands behind it.
std::size_t open_frame(std::vector<std::byte>& out) {
  const std::size_t at = out.size();
  out.resize(at + frame_header_bytes);
  return at;
}

void fill_header(std::byte* header, FrameType type, std::span<const std::byte> body,
                 std::span<const std::byte> body_rest) {
  DOCKET_ASSERT(body.size() + body_rest.size() <= body_limit(type));
  store_le(header, static_cast<std::uint32_t>(body.size() + body_rest.size()));
  header[type_at] = static_cast<std::byte>(type);
  header[flags_at] = std::byte{0};
  store_le(header + reserved_at, std::uint16_t{0});
  store_le(header + checksum_at, checksum_of({header, checksum_at}, body, body_rest));
}

void close_frame(std::vector<std::byte>& out, std::size_t at, FrameType type) {
  fill_header(out.data() + at, type, std::span(out).subspan(at + frame_header_bytes), {});
}

}  // namespace

Result<FrameHeader> parse_frame_header(std::span<const std::byte, frame_header_bytes> bytes) {
  FrameHeader header;
  header.body_bytes = load_le<std::uint32_t>(bytes.data());
  const auto type = std::to_integer<std::uint8_t>(bytes[type_at]);
  if (type < static_cast<std::uint8_t>(FrameType::hello) ||
      type > static_cast<std::uint8_t>(FrameType::goodbye)) {
    return malformed("unknown frame type " + std::to_string(type));
  }
  header.type = static_cast<FrameType>(type);
  if (bytes[flags_at] != std::byte{0} || load_le<std::uint16_t>(bytes.data() + reserved_at) != 0) {
    return malformed("reserved bits of a frame header are set");
  }
  if (header.body_bytes > body_limit(header.type)) {
    return malformed("frame of " + std::to_string(header.body_bytes) + " bytes is over " +
                     std::to_string(body_limit(header.type)));
  }
  header.checksum = load_le<std::uint64_t>(bytes.data() + checksum_at);
  return header;
}

Result<void> check_client_frame(const FrameHeader& header, bool is_welcome) {
  if (!is_welcome && header.type != FrameType::hello) {
    return malformed("the first frame must be a hello");
  }
  switch (header.type) {
    case FrameType::hello:
      if (is_welcome) {
        break;
      }
      return header.body_bytes <= hello_body_bytes_max
                 ? Result<void>()
                 : malformed("hello: is longer than " + std::to_string(hello_body_bytes_max) +
                             " bytes");
    case FrameType::batch:
      return header.body_bytes >= batch_prefix_bytes ? Result<void>()
                                                     : malformed("batch: shorter than its prefix");
    case FrameType::ping:
    case FrameType::pong:
      return header.body_bytes == ping_body_bytes
                 ? Result<void>()
                 : malformed(header.type == FrameType::ping ? "ping: must be 8 bytes"
                                                            : "pong: must be 8 bytes");
    case FrameType::goodbye:
      return header.body_bytes == 0 ? Result<void>() : malformed("goodbye: must be empty");
    case FrameType::welcome:
    case FrameType::ack:
    case FrameType::error:
      break;
  }
  return malformed("a frame of type " + std::to_string(static_cast<int>(header.type)) +
                   " is not the client's to send here");
}

bool frame_is_intact(std::span<const std::byte, frame_header_bytes> header,
                     std::span<const std::byte> body, std::span<const std::byte> body_rest) {
  return load_le<std::uint64_t>(header.data() + checksum_at) ==
         checksum_of(header.first(checksum_at), body, body_rest);
}

void append_frame(std::vector<std::byte>& out, FrameType type, std::span<const std::byte> body) {
  const std::size_t at = open_frame(out);
  append_bytes(out, body);
  close_frame(out, at, type);
}

void append_hello(std::vector<std::byte>& out, const Hello& hello) {
  const std::size_t at = open_frame(out);
  append_le(out, hello.version);
  append_le(out, std::uint16_t{0});
  append_le(out, hello.features);
  append_le(out, hello.epoch);
  append_text(out, hello.node);
  append_text(out, hello.token);
  close_frame(out, at, FrameType::hello);
}

Result<Hello> parse_hello(std::span<const std::byte> body) {
  BodyReader reader(body);
  Hello hello;
  hello.version = reader.number<std::uint16_t>();
  const auto reserved = reader.number<std::uint16_t>();
  hello.features = reader.number<std::uint32_t>();
  hello.epoch = reader.number<std::uint64_t>();
  hello.node = reader.text(limits::node_bytes_max);
  hello.token = reader.text(token_bytes_max);
  if (body.size() < hello_fixed_bytes || !reader.complete() || reserved != 0) {
    return malformed("hello: malformed");
  }
  if (hello.node.empty() || !is_utf8(hello.node)) {
    return malformed("hello: node must be 1 to 128 bytes of UTF-8");
  }
  if (hello.node.starts_with(one_off_prefix)) {
    return malformed("hello: node must not begin with " + std::string(one_off_prefix));
  }
  if (hello.epoch == 0) {
    return malformed("hello: epoch must not be 0");
  }
  return hello;
}

void append_welcome(std::vector<std::byte>& out, const Welcome& welcome) {
  const std::size_t at = open_frame(out);
  append_le(out, welcome.version);
  append_le(out, std::uint16_t{0});
  append_le(out, welcome.features);
  append_le(out, welcome.window_batches);
  append_le(out, welcome.payload_bytes_max);
  append_le(out, welcome.window_bytes);
  append_le(out, welcome.body_bytes_max);
  append_le(out, welcome.idle_ms);
  close_frame(out, at, FrameType::welcome);
}

Result<Welcome> parse_welcome(std::span<const std::byte> body) {
  BodyReader reader(body);
  Welcome welcome;
  welcome.version = reader.number<std::uint16_t>();
  const auto reserved = reader.number<std::uint16_t>();
  welcome.features = reader.number<std::uint32_t>();
  welcome.window_batches = reader.number<std::uint32_t>();
  welcome.payload_bytes_max = reader.number<std::uint32_t>();
  welcome.window_bytes = reader.number<std::uint64_t>();
  welcome.body_bytes_max = reader.number<std::uint32_t>();
  welcome.idle_ms = reader.number<std::uint32_t>();
  if (body.size() != welcome_bytes || !reader.complete() || reserved != 0) {
    return malformed("welcome: malformed");
  }
  if (welcome.window_batches == 0 || welcome.idle_ms == 0) {
    return malformed("welcome: a window or a time of 0");
  }
  return welcome;
}

Result<BatchPrefix> parse_batch_prefix(std::span<const std::byte, batch_prefix_bytes> bytes) {
  BatchPrefix prefix;
  prefix.batch = load_le<std::uint64_t>(bytes.data());
  const auto size = std::to_integer<std::size_t>(bytes[8]);
  if (size > limits::log_name_bytes_max) {
    return malformed("batch: log name is over 32 bytes");
  }
  prefix.log = as_text(bytes.subspan(prefix_log_at, size));
  const auto padding = bytes.subspan(prefix_log_at + size);
  if (std::any_of(padding.begin(), padding.end(), [](std::byte b) { return b != std::byte{0}; })) {
    return malformed("batch: padding of the prefix is not zero");
  }
  if (prefix.batch == 0) {
    return malformed("batch: number must not be 0");
  }
  return prefix;
}

BatchHead batch_head(std::string_view log, std::uint64_t batch, std::span<const std::byte> body) {
  DOCKET_ASSERT(is_log_name(log));
  DOCKET_ASSERT(batch > 0);
  BatchHead head{};
  std::byte* prefix = head.data() + frame_header_bytes;
  store_le(prefix, batch);
  prefix[8] = static_cast<std::byte>(log.size());
  const auto name = as_byte_span(log);
  std::copy(name.begin(), name.end(), prefix + prefix_log_at);
  fill_header(head.data(), FrameType::batch, {prefix, batch_prefix_bytes}, body);
  return head;
}

void append_ack(std::vector<std::byte>& out, const Ack& ack) {
  const std::size_t at = open_frame(out);
  append_le(out, ack.batch);
  append_le(out, ack.first_seq);
  append_le(out, ack.rows);
  append_le(out, static_cast<std::uint32_t>(ack.rejected.size()));
  append_le(out, ack.duplicate ? ack_duplicate : std::uint8_t{0});
  out.resize(out.size() + 3);
  append_text(out, ack.log);
  for (const RejectedRow& rejected : ack.rejected) {
    append_le(out, rejected.row);
    append_text(out, bounded_text(rejected.error));
  }
  close_frame(out, at, FrameType::ack);
}

Result<Ack> parse_ack(std::span<const std::byte> body) {
  BodyReader reader(body);
  Ack ack;
  ack.batch = reader.number<std::uint64_t>();
  ack.first_seq = reader.number<std::uint64_t>();
  ack.rows = reader.number<std::uint32_t>();
  const auto rejected = reader.number<std::uint32_t>();
  const auto flags = reader.number<std::uint8_t>();
  const auto reserved = reader.number<std::uint8_t>() | reader.number<std::uint16_t>();
  ack.log = reader.text(limits::log_name_bytes_max);
  if (body.size() < ack_fixed_bytes || (flags & ~ack_duplicate) != 0 || reserved != 0 ||
      ack.batch == 0 || rejected > limits::block_rows_max) {
    return malformed("ack: malformed");
  }
  ack.duplicate = (flags & ack_duplicate) != 0;
  for (std::uint32_t i = 0; i < rejected; ++i) {
    RejectedRow row;
    row.row = reader.number<std::uint32_t>();
    row.error = reader.text(error_text_bytes_max);
    if (!ack.rejected.empty() && row.row <= ack.rejected.back().row) {
      return malformed("ack: rejected rows are not ascending");
    }
    ack.rejected.push_back(std::move(row));
  }
  if (!reader.complete()) {
    return malformed("ack: malformed");
  }
  return ack;
}

void append_error(std::vector<std::byte>& out, const ErrorFrame& error) {
  const std::size_t at = open_frame(out);
  append_le(out, static_cast<std::uint16_t>(error.code));
  append_le(out, error.retryable ? error_retryable : std::uint16_t{0});
  append_le(out, std::uint32_t{0});
  append_le(out, error.batch);
  append_le(out, error.expected);
  append_text(out, error.log);
  append_text(out, bounded_text(error.message));
  close_frame(out, at, FrameType::error);
}

Result<ErrorFrame> parse_error(std::span<const std::byte> body) {
  BodyReader reader(body);
  ErrorFrame error;
  const auto code = reader.number<std::uint16_t>();
  const auto flags = reader.number<std::uint16_t>();
  const auto reserved = reader.number<std::uint32_t>();
  error.batch = reader.number<std::uint64_t>();
  error.expected = reader.number<std::uint64_t>();
  error.log = reader.text(limits::log_name_bytes_max);
  error.message = reader.text(error_text_bytes_max);
  if (body.size() < error_fixed_bytes || !reader.complete() || (flags & ~error_retryable) != 0 ||
      reserved != 0 || code < static_cast<std::uint16_t>(WireError::protocol) ||
      code > static_cast<std::uint16_t>(WireError::unauthorized)) {
    return malformed("error: malformed");
  }
  error.code = static_cast<WireError>(code);
  error.retryable = (flags & error_retryable) != 0;
  return error;
}

void append_ping(std::vector<std::byte>& out, FrameType ping_or_pong, std::uint64_t opaque) {
  const std::size_t at = open_frame(out);
  append_le(out, opaque);
  close_frame(out, at, ping_or_pong);
}

Result<std::uint64_t> parse_ping(std::span<const std::byte> body) {
  if (body.size() != ping_body_bytes) {
    return malformed("ping: must be 8 bytes");
  }
  return load_le<std::uint64_t>(body.data());
}

ErrorFrame to_error_frame(const Error& error, std::string_view log, std::uint64_t batch) {
  ErrorFrame frame;
  frame.log = log;
  frame.batch = batch;
  frame.message = error.message;
  frame.retryable = true;
  switch (error.code) {
    case ErrorCode::out_of_order:
      frame.code = WireError::out_of_order;
      frame.expected = error.offset;
      break;
    case ErrorCode::no_space:
      frame.code = WireError::no_space;
      break;
    case ErrorCode::overloaded:
    case ErrorCode::busy:
      frame.code = WireError::overloaded;
      break;
    case ErrorCode::closed:
    case ErrorCode::cancelled:
      frame.code = WireError::closed;
      break;
    case ErrorCode::unknown_outcome:
    case ErrorCode::io:
    case ErrorCode::not_found:
    case ErrorCode::exists:
    case ErrorCode::corrupt:
    case ErrorCode::newer_format:
      // Something is wrong with the server's files, not with the batch: it must not be given up.
      frame.code = WireError::unknown_outcome;
      break;
    case ErrorCode::invalid_argument:
      frame.code = WireError::invalid_batch;
      frame.retryable = false;
      break;
  }
  return frame;
}

}  // namespace docket::ingest
