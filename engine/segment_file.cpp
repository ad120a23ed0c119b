#include "engine/segment_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "engine/assert.hpp"
#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/event.hpp"
#include "engine/limits.hpp"

namespace docket {

namespace {
constexpr std::string_view magic = "DKTSEG1\n";
constexpr std::size_t checksum_at = 120;
constexpr std::size_t id_digits = 20;
}  // namespace

Result<void> check_format(std::uint32_t version, std::uint32_t incompatible_flags) {
  if (version > format_version || incompatible_flags != 0) {
    return fail(ErrorCode::newer_format,
                fmt::format("written by a newer version (format {}, flags {:#x}); this one reads "
                            "format {}",
                            version, incompatible_flags, format_version));
  }
  return {};
}

std::vector<std::byte> encode_segment_header(const SegmentFileHeader& header) {
  DOCKET_ASSERT(header.log.size() <= limits::log_name_bytes_max);
  std::vector<std::byte> bytes(segment_header_bytes);
  std::byte* to = bytes.data();
  std::memcpy(to, magic.data(), magic.size());
  store_le(to + 8, format_version);
  store_le(to + 20, static_cast<std::uint32_t>(header.kind));
  store_le(to + 24, header.id.value);
  store_le(to + 32, header.first_seq.value);
  store_le(to + 40, static_cast<std::uint8_t>(header.log.size()));
  std::memcpy(to + 41, header.log.data(), header.log.size());
  store_le(to + 76, header.salt);
  store_le(to + checksum_at, checksum64(std::span<const std::byte>(bytes).first(checksum_at)));
  return bytes;
}

Result<SegmentFileHeader> decode_segment_header(std::span<const std::byte> bytes) {
  if (bytes.size() < segment_header_bytes ||
      std::memcmp(bytes.data(), magic.data(), magic.size()) != 0) {
    return fail(ErrorCode::corrupt, "not a segment file");
  }
  const std::byte* from = bytes.data();
  if (load_le<std::uint64_t>(from + checksum_at) != checksum64(bytes.first(checksum_at))) {
    return fail(ErrorCode::corrupt, "segment header checksum does not match");
  }
  DOCKET_TRY(check_format(load_le<std::uint32_t>(from + 8), load_le<std::uint32_t>(from + 16)));
  const auto kind = load_le<std::uint32_t>(from + 20);
  const auto name_bytes = load_le<std::uint8_t>(from + 40);
  if ((kind != 1 && kind != 2) || name_bytes > limits::log_name_bytes_max) {
    return fail(ErrorCode::corrupt, "segment header is out of bounds");
  }
  SegmentFileHeader header;
  header.kind = static_cast<SegmentKind>(kind);
  header.id = SegmentId(load_le<std::uint64_t>(from + 24));
  header.first_seq = Seq(load_le<std::uint64_t>(from + 32));
  header.salt = load_le<std::uint32_t>(from + 76);
  header.log = as_text(bytes.subspan(41, name_bytes));
  if (!is_log_name(header.log)) {
    return fail(ErrorCode::corrupt, "segment header names no log");
  }
  return header;
}

std::string segment_file_name(SegmentId id, std::string_view extension) {
  return fmt::format("{:020}.{}", id.value, extension);
}

std::optional<SegmentFileName> parse_segment_file_name(std::string_view name) {
  if (name.size() < id_digits + 2 || name[id_digits] != '.') {
    return std::nullopt;
  }
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + id_digits, id);
  if (error != std::errc{} || end != name.data() + id_digits || id == 0) {
    return std::nullopt;
  }
  return SegmentFileName{SegmentId(id), std::string(name.substr(id_digits + 1))};
}

}  // namespace docket
