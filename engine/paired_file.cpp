#include "engine/paired_file.hpp"

#include <cstring>

#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/segment_file.hpp"

namespace docket {

namespace {

constexpr std::size_t header_bytes = 40;
constexpr std::size_t checked_header_bytes = 32;

std::uint64_t checksum_of(std::span<const std::byte> header, std::span<const std::byte> content) {
  RunningChecksum sum;
  sum.add(header.first(checked_header_bytes));
  sum.add(content);
  return sum.value();
}

}  // namespace

std::vector<std::byte> encode_paired(const PairedFile& kind, std::span<const std::byte> content) {
  std::vector<std::byte> bytes(header_bytes);
  std::memcpy(bytes.data(), kind.magic.data(), kind.magic.size());
  store_le(bytes.data() + 8, format_version);
  store_le(bytes.data() + 24, static_cast<std::uint64_t>(content.size()));
  store_le(bytes.data() + 32, checksum_of(bytes, content));
  append_bytes(bytes, content);
  return bytes;
}

Result<std::span<const std::byte>> decode_paired(const PairedFile& kind,
                                                 std::span<const std::byte> bytes) {
  if (bytes.size() < header_bytes ||
      std::memcmp(bytes.data(), kind.magic.data(), kind.magic.size()) != 0) {
    return fail(ErrorCode::corrupt, "not a " + std::string(kind.what));
  }
  const auto content = bytes.subspan(header_bytes);
  if (load_le<std::uint64_t>(bytes.data() + 24) != content.size() ||
      load_le<std::uint64_t>(bytes.data() + 32) != checksum_of(bytes, content)) {
    return fail(ErrorCode::corrupt, std::string(kind.what) + " checksum does not match");
  }
  DOCKET_TRY(check_format(load_le<std::uint32_t>(bytes.data() + 8),
                          load_le<std::uint32_t>(bytes.data() + 16)));
  return content;
}

Result<void> replace_copies(Disk& disk, const CopyPaths& paths, std::span<const std::byte> bytes) {
  for (const std::string& path : paths) {
    DOCKET_TRY(replace_file(disk, path, bytes));
  }
  return {};
}

Result<std::optional<std::vector<std::byte>>> read_copy(Disk& disk, const PairedFile& kind,
                                                        const std::string& path) {
  DOCKET_ASSIGN(const bool exists, disk.exists(path));
  if (!exists) {
    return std::nullopt;
  }
  DOCKET_ASSIGN(auto bytes, read_file(disk, path, kind.bytes_max));
  return std::optional(std::move(bytes));
}

}  // namespace docket
