#include "engine/manifest.hpp"

#include "engine/byte_reader.hpp"
#include "engine/bytes.hpp"
#include "engine/event.hpp"
#include "engine/paired_file.hpp"

namespace docket {

namespace {

constexpr PairedFile manifest_file{"DKTMANI1", "manifest", std::uint64_t{256} << 20};
constexpr std::size_t reason_bytes_max = 255;

CopyPaths copies_in(const std::string& directory) {
  return {directory + "/manifest.a", directory + "/manifest.b"};
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
  manifest.reserved = Seq(reader.get<std::uint64_t>());
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
  const auto unsealed = reader.get<std::uint32_t>();
  SegmentId last = manifest.segments.empty() ? SegmentId(0) : manifest.segments.back().id;
  for (std::uint32_t i = 0; i < unsealed && reader.ok(); ++i) {
    const SegmentId id(reader.get<std::uint64_t>());
    if (reader.ok() && id <= last) {
      return fail(ErrorCode::corrupt, "manifest names segments out of order");
    }
    manifest.unsealed.push_back(id);
    last = id;
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
      manifest.reserved.value > UINT64_MAX / 2 ||
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
  append_le(content, manifest.reserved.value);
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
  append_le(content, static_cast<std::uint32_t>(manifest.unsealed.size()));
  for (const SegmentId id : manifest.unsealed) {
    append_le(content, id.value);
  }
  append_le(content, static_cast<std::uint32_t>(manifest.gaps.size()));
  for (const Gap& gap : manifest.gaps) {
    append_le(content, gap.first_seq.value);
    append_le(content, gap.last_seq.value);
    append_text(content, gap.reason);
  }
  manifest.producers.encode(content);
  return encode_paired(manifest_file, content);
}

Result<Manifest> decode_manifest(std::span<const std::byte> bytes) {
  DOCKET_ASSIGN(const auto content, decode_paired(manifest_file, bytes));
  return decode_content(content);
}

Result<LoadedManifest> load_manifest(Disk& disk, const std::string& directory, std::string_view log,
                                     std::vector<std::string>& damaged) {
  const auto decode = [log](std::span<const std::byte> bytes) -> Result<Manifest> {
    DOCKET_ASSIGN(Manifest manifest, decode_manifest(bytes));
    if (manifest.log != log) {
      return fail(ErrorCode::corrupt, "a write that went astray");
    }
    return manifest;
  };
  DOCKET_ASSIGN(auto newest,
                load_newest<Manifest>(disk, manifest_file, copies_in(directory), decode, damaged));
  return LoadedManifest{std::move(newest.value), newest.is_in_both_copies};
}

Result<void> save_manifest(Disk& disk, const std::string& directory, Manifest& manifest) {
  ++manifest.generation;
  return replace_copies(disk, copies_in(directory), encode_manifest(manifest));
}

}  // namespace docket
