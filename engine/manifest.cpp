#include "engine/manifest.hpp"

#include <array>
#include <cstring>
#include <optional>

#include "engine/byte_reader.hpp"
#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/event.hpp"
#include "engine/limits.hpp"
#include "engine/segment_file.hpp"

namespace docket {

namespace {

constexpr std::string_view magic = "DKTMANI1";
// 0 magic · 8 version u32 · 12 compatible flags u32 · 16 incompatible flags u32 · 20 zeros ·
// 24 content bytes u64 · 32 checksum u64 (of 0..32 and the content)
constexpr std::size_t header_bytes = 40;
constexpr std::size_t checked_header_bytes = 32;
constexpr std::uint64_t manifest_bytes_max = std::uint64_t{256} << 20;
constexpr std::size_t reason_bytes_max = 255;
constexpr std::array<std::string_view, 2> copies = {"manifest.a", "manifest.b"};

std::uint64_t checksum_of(std::span<const std::byte> header, std::span<const std::byte> content) {
  RunningChecksum sum;
  sum.add(header.first(checked_header_bytes));
  sum.add(content);
  return sum.value();
}

void append_text(std::vector<std::byte>& out, std::string_view text) {
  text = text.substr(0, reason_bytes_max);
  append_le(out, static_cast<std::uint8_t>(text.size()));
  append_bytes(out, as_byte_span(text));
}

SegmentInfo get_segment(ByteReader& reader) {
  SegmentInfo info;
  info.sealed = true;
  info.id = SegmentId(reader.get<std::uint64_t>());
  info.first_seq = Seq(reader.get<std::uint64_t>());
  info.last_seq = Seq(reader.get<std::uint64_t>());
  info.rows = reader.get<std::uint32_t>();
  info.ts_min = reader.get<Nanos>();
  info.ts_max = reader.get<Nanos>();
  info.received_max = reader.get<Nanos>();
  info.bytes = reader.get<std::uint64_t>();
  info.digest = reader.get<std::uint64_t>();
  return info;
}

Result<Manifest> decode_content(std::span<const std::byte> content) {
  ByteReader reader(content);
  Manifest manifest;
  manifest.generation = reader.get<std::uint64_t>();
  manifest.log = reader.text(reader.get<std::uint8_t>());
  manifest.next_seq = Seq(reader.get<std::uint64_t>());
  manifest.next_segment = SegmentId(reader.get<std::uint64_t>());
  manifest.retired_events = reader.get<std::uint64_t>();
  manifest.retired_below = Seq(reader.get<std::uint64_t>());
  manifest.proven = Seq(reader.get<std::uint64_t>());
  const auto segments = reader.get<std::uint32_t>();
  for (std::uint32_t i = 0; i < segments && reader.ok(); ++i) {
    manifest.segments.push_back(get_segment(reader));
    const SegmentInfo& info = manifest.segments.back();
    const bool in_order = i == 0 || (manifest.segments[i - 1].id < info.id &&
                                     manifest.segments[i - 1].last_seq < info.first_seq);
    if (reader.ok() && (!in_order || info.last_seq < info.first_seq || info.first_seq.value == 0)) {
      return fail(ErrorCode::corrupt, "manifest lists segments out of order");
    }
  }
  const auto gaps = reader.get<std::uint32_t>();
  for (std::uint32_t i = 0; i < gaps && reader.ok(); ++i) {
    Gap gap;
    gap.first_seq = Seq(reader.get<std::uint64_t>());
    gap.last_seq = Seq(reader.get<std::uint64_t>());
    gap.reason = reader.text(reader.get<std::uint8_t>());
    manifest.gaps.push_back(std::move(gap));
  }
  auto rest = reader.rest();
  if (!reader.ok() || !is_log_name(manifest.log)) {
    return fail(ErrorCode::corrupt, "manifest is cut short");
  }
  // A seq is given once: what comes next is behind all that is listed.
  if (manifest.next_seq.value == 0 || manifest.proven.value > UINT64_MAX / 2 ||
      (!manifest.segments.empty() && manifest.next_seq <= manifest.segments.back().last_seq)) {
    return fail(ErrorCode::corrupt, "manifest goes on before its end");
  }
  DOCKET_ASSIGN(manifest.producers, ProducerTable::decode(rest));
  if (!rest.empty()) {
    return fail(ErrorCode::corrupt, "manifest has bytes behind its end");
  }
  return manifest;
}

}  // namespace

std::vector<std::byte> encode_manifest(const Manifest& manifest) {
  std::vector<std::byte> content;
  append_le(content, manifest.generation);
  append_text(content, manifest.log);
  append_le(content, manifest.next_seq.value);
  append_le(content, manifest.next_segment.value);
  append_le(content, manifest.retired_events);
  append_le(content, manifest.retired_below.value);
  append_le(content, manifest.proven.value);
  append_le(content, static_cast<std::uint32_t>(manifest.segments.size()));
  for (const SegmentInfo& s : manifest.segments) {
    append_le(content, s.id.value);
    append_le(content, s.first_seq.value);
    append_le(content, s.last_seq.value);
    append_le(content, s.rows);
    append_le(content, s.ts_min);
    append_le(content, s.ts_max);
    append_le(content, s.received_max);
    append_le(content, s.bytes);
    append_le(content, s.digest);
  }
  append_le(content, static_cast<std::uint32_t>(manifest.gaps.size()));
  for (const Gap& gap : manifest.gaps) {
    append_le(content, gap.first_seq.value);
    append_le(content, gap.last_seq.value);
    append_text(content, gap.reason);
  }
  manifest.producers.encode(content);

  std::vector<std::byte> bytes(header_bytes);
  std::memcpy(bytes.data(), magic.data(), magic.size());
  store_le(bytes.data() + 8, format_version);
  store_le(bytes.data() + 24, static_cast<std::uint64_t>(content.size()));
  store_le(bytes.data() + 32, checksum_of(bytes, content));
  append_bytes(bytes, content);
  return bytes;
}

Result<Manifest> decode_manifest(std::span<const std::byte> bytes) {
  if (bytes.size() < header_bytes || std::memcmp(bytes.data(), magic.data(), magic.size()) != 0) {
    return fail(ErrorCode::corrupt, "not a manifest");
  }
  const auto content = bytes.subspan(header_bytes);
  if (load_le<std::uint64_t>(bytes.data() + 24) != content.size() ||
      load_le<std::uint64_t>(bytes.data() + 32) != checksum_of(bytes, content)) {
    return fail(ErrorCode::corrupt, "manifest checksum does not match");
  }
  DOCKET_TRY(check_format(load_le<std::uint32_t>(bytes.data() + 8),
                          load_le<std::uint32_t>(bytes.data() + 16)));
  return decode_content(content);
}

Result<LoadedManifest> load_manifest(Disk& disk, const std::string& directory, std::string_view log,
                                     std::vector<std::string>& damaged) {
  std::optional<Manifest> newest;
  std::vector<std::byte> of_newest;
  bool is_in_both = false;
  for (const std::string_view copy : copies) {
    const std::string path = directory + "/" + std::string(copy);
    DOCKET_ASSIGN(const bool exists, disk.exists(path));
    if (!exists) {
      continue;
    }
    auto bytes = read_file(disk, path, manifest_bytes_max);
    if (!bytes) {
      if (bytes.error().code != ErrorCode::corrupt) {
        return fail(bytes.error());
      }
      damaged.push_back(path);
      continue;
    }
    auto manifest = decode_manifest(*bytes);
    if (!manifest) {
      if (manifest.error().code == ErrorCode::newer_format) {
        return fail(manifest.error());
      }
      damaged.push_back(path);
    } else if (manifest->log != log) {
      damaged.push_back(path);  // a write that went astray
    } else if (!newest || manifest->generation > newest->generation) {
      newest = std::move(*manifest);
      of_newest = *std::move(bytes);
    } else {
      is_in_both = *bytes == of_newest;
    }
  }
  if (newest) {
    return LoadedManifest{std::move(*newest), is_in_both};
  }
  return damaged.empty() ? fail(ErrorCode::not_found, directory + ": no manifest")
                         : fail(ErrorCode::corrupt, directory + ": no readable manifest");
}

Result<void> save_manifest(Disk& disk, const std::string& directory, Manifest& manifest) {
  ++manifest.generation;
  const std::vector<std::byte> bytes = encode_manifest(manifest);
  for (const std::string_view copy : copies) {
    DOCKET_TRY(replace_file(disk, directory + "/" + std::string(copy), bytes));
  }
  return {};
}

}  // namespace docket
