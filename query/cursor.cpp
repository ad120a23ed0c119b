#include "query/cursor.hpp"

#include <array>
#include <cstddef>
#include <optional>

#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/limits.hpp"

namespace docket::query {
namespace {

// version u8 · order u8 · query hash u64 · ts i64 · seq u64 · log (u8, bytes) ·
// watermarks u8, each: log (u8, bytes), last seq u64, first and last seq to come u64 ·
// checksum u64 of all before it
constexpr std::uint8_t version = 2;
constexpr std::size_t checksum_bytes = 8;
// Above any real one: 64 logs with names of 32 bytes.
constexpr std::size_t cursor_text_max = 8192;

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

[[nodiscard]] std::string to_base64url(std::span<const std::byte> bytes) {
  std::string out;
  std::uint32_t pending = 0;
  std::uint32_t filled = 0;
  for (const std::byte byte : bytes) {
    pending = pending << 8 | std::to_integer<std::uint32_t>(byte);
    filled += 8;
    while (filled >= 6) {
      filled -= 6;
      out += alphabet[pending >> filled & 63];
    }
  }
  if (filled > 0) {
    out += alphabet[pending << (6 - filled) & 63];
  }
  return out;
}

[[nodiscard]] std::optional<std::vector<std::byte>> from_base64url(std::string_view text) {
  std::vector<std::byte> out;
  std::uint32_t pending = 0;
  std::uint32_t filled = 0;
  for (const char c : text) {
    const std::size_t digit = alphabet.find(c);
    if (digit == std::string_view::npos) {
      return std::nullopt;
    }
    pending = pending << 6 | static_cast<std::uint32_t>(digit);
    filled += 6;
    if (filled >= 8) {
      filled -= 8;
      out.push_back(static_cast<std::byte>(pending >> filled & 0xFF));
    }
  }
  // One text for one cursor: the bits that are left over are zero.
  if (filled >= 6 || (pending & ((1U << filled) - 1)) != 0) {
    return std::nullopt;
  }
  return out;
}

void append_name(std::vector<std::byte>& out, std::string_view name) {
  append_le(out, static_cast<std::uint8_t>(name.size()));
  append_bytes(out, as_byte_span(name));
}

// Reads one field after another; past the end everything is empty and ok() is false.
class FieldReader {
 public:
  explicit FieldReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <std::integral T>
  [[nodiscard]] T number() {
    const std::span<const std::byte> part = take(sizeof(T));
    return ok_ ? load_le<T>(part.data()) : T{0};
  }
  [[nodiscard]] std::string name() { return std::string(as_text(take(number<std::uint8_t>()))); }
  [[nodiscard]] bool ended_well() const { return ok_ && bytes_.empty(); }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  [[nodiscard]] std::span<const std::byte> take(std::size_t count) {
    if (count > bytes_.size()) {
      ok_ = false;
      return {};
    }
    const std::span<const std::byte> part = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return part;
  }

  std::span<const std::byte> bytes_;
  bool ok_ = true;
};

}  // namespace

std::uint64_t hash_query(std::string_view text) {
  return checksum64(as_byte_span(text));
}

std::string encode_cursor(const Cursor& cursor) {
  std::vector<std::byte> bytes;
  append_le(bytes, version);
  append_le(bytes, static_cast<std::uint8_t>(cursor.order));
  append_le(bytes, cursor.query_hash);
  append_le(bytes, cursor.ts);
  append_le(bytes, cursor.seq.value);
  append_name(bytes, cursor.log);
  append_le(bytes, static_cast<std::uint8_t>(cursor.watermarks.size()));
  for (const Cursor::Watermark& watermark : cursor.watermarks) {
    append_name(bytes, watermark.log);
    append_le(bytes, watermark.last_seq.value);
    append_le(bytes, watermark.rest.first.value);
    append_le(bytes, watermark.rest.last.value);
  }
  append_le(bytes, checksum64(bytes));
  return to_base64url(bytes);
}

Result<Cursor> decode_cursor(std::string_view text) {
  const auto damaged = [] {
    return fail(ErrorCode::invalid_argument,
                "the cursor is damaged or not one of ours; ask for the first page again");
  };
  if (text.size() > cursor_text_max) {
    return damaged();
  }
  const std::optional<std::vector<std::byte>> decoded = from_base64url(text);
  if (!decoded || decoded->size() < checksum_bytes) {
    return damaged();
  }
  const std::span<const std::byte> body =
      std::span<const std::byte>(*decoded).first(decoded->size() - checksum_bytes);
  if (load_le<std::uint64_t>(decoded->data() + body.size()) != checksum64(body)) {
    return damaged();
  }
  FieldReader fields(body);
  const bool known = fields.number<std::uint8_t>() == version;
  const auto order = fields.number<std::uint8_t>();
  if (!known || order > static_cast<std::uint8_t>(Order::oldest_first)) {
    return damaged();
  }
  Cursor cursor;
  cursor.order = static_cast<Order>(order);
  cursor.query_hash = fields.number<std::uint64_t>();
  cursor.ts = fields.number<Nanos>();
  cursor.seq = Seq(fields.number<std::uint64_t>());
  cursor.log = fields.name();
  const auto watermarks = fields.number<std::uint8_t>();
  for (std::uint32_t i = 0; i < watermarks && fields.ok(); ++i) {
    Cursor::Watermark watermark;
    watermark.log = fields.name();
    watermark.last_seq = Seq(fields.number<std::uint64_t>());
    watermark.rest.first = Seq(fields.number<std::uint64_t>());
    watermark.rest.last = Seq(fields.number<std::uint64_t>());
    cursor.watermarks.push_back(std::move(watermark));
  }
  if (!fields.ended_well()) {
    return damaged();
  }
  return cursor;
}

}  // namespace docket::query
