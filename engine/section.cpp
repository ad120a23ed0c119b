#include "engine/section.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "engine/assert.hpp"
#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/decimal_scale.hpp"
#include "engine/limits.hpp"
#include "engine/token_table.hpp"

namespace docket {

namespace {

bool is_row_column(Section s) {
  return s >= Section::row_ts && s <= Section::related_counts;
}

// The codec family a section must have.
bool codec_fits(Section s, Codec codec) {
  const bool strings = s <= Section::ip || s == Section::node || s == Section::actor_id ||
                       s == Section::actor_name || s == Section::target_id ||
                       s == Section::target_name;
  if (strings) {
    return is_strings(codec);
  }
  return s == Section::payload_data ? is_chunks(codec) : is_ints(codec);
}

bool is_known(std::uint8_t section) {
  return (section >= 1 && section <= 8) || (section >= 10 && section <= 16) ||
         (section >= 20 && section <= 35) || section == 40;
}

tl::unexpected<Error> bad(const SectionEntry& entry, std::string_view what) {
  return fail(ErrorCode::corrupt, "section " + std::to_string(static_cast<int>(entry.section)) +
                                      ": " + std::string(what));
}

Result<void> check_entry(const SectionEntry& entry, std::uint32_t rows) {
  if (!codec_fits(entry.section, entry.codec)) {
    return bad(entry, "codec does not fit");
  }
  const bool ints = is_ints(entry.codec);
  if (entry.width > (ints ? 64 : 32) || entry.scale_exponent >= powers_of_ten.size()) {
    return bad(entry, "width or scale out of range");
  }
  if (!ints && (entry.base != 0 || entry.scale_exponent != 0)) {
    return bad(entry, "base and scale belong to integers");
  }
  if (entry.bytes > limits::block_bytes_max) {
    return bad(entry, "larger than a block may be");
  }
  const bool per_row = is_row_column(entry.section) || entry.section == Section::payload_lengths;
  if (per_row && entry.items != rows) {
    return bad(entry, "has not one value a row");
  }
  // A row brings at most one new entry to a dictionary, but for its related targets; the server
  // names the sender even of no rows.
  const bool holds_related =
      entry.section == Section::type ||
      (entry.section >= Section::target_type && entry.section <= Section::target_name) ||
      entry.section == Section::related_targets;
  if (entry.items > std::uint64_t{rows} + (entry.section == Section::node ? 2 : 1) +
                        (holds_related ? limits::block_related_max : 0)) {
    return bad(entry, "more items than rows can have");
  }
  if (entry.codec == Codec::ints && entry.bytes != packed_bytes(entry.items, entry.width)) {
    return bad(entry, "size does not follow from width and items");
  }
  if (entry.codec == Codec::ints_coded && entry.bytes >= packed_bytes(entry.items, entry.width)) {
    return bad(entry, "coded integers are larger than packed ones");
  }
  if (is_strings(entry.codec) && entry.bytes < packed_bytes(entry.items, entry.width)) {
    return bad(entry, "lengths do not fit");
  }
  if (is_chunks(entry.codec) && entry.bytes < std::uint64_t{entry.items} * chunk_entry_bytes) {
    return bad(entry, "chunk table does not fit");
  }
  return {};
}

constexpr std::array actor_table{Section::actor_kind, Section::actor_id, Section::actor_name,
                                 Section::actor_role};
constexpr std::array target_table{Section::target_type, Section::target_id, Section::target_name};

// As many as any section of the table that is there has.
std::uint32_t entries_of(const BodyDirectory& d, std::span<const Section> table) {
  for (const Section section : table) {
    if (const SectionEntry* entry = d.find(section)) {
      return entry->items;
    }
  }
  return 1;
}

bool agree(const BodyDirectory& d, std::span<const Section> table) {
  const std::uint32_t entries = entries_of(d, table);
  return entries != 0 && std::all_of(table.begin(), table.end(), [&](Section section) {
           const SectionEntry* entry = d.find(section);
           return entry == nullptr || entry->items == entries;
         });
}

// The parts of one table must have the same number of entries.
Result<void> check_tables(const BodyDirectory& d) {
  if (!agree(d, actor_table) || !agree(d, target_table)) {
    return fail(ErrorCode::corrupt, "the sections of a table disagree about its size");
  }
  if (d.find(Section::related_targets) != nullptr && d.find(Section::related_counts) == nullptr) {
    return fail(ErrorCode::corrupt, "related targets without their counts");
  }
  const bool has_lengths = d.find(Section::payload_lengths) != nullptr;
  if (has_lengths != (d.find(Section::payload_data) != nullptr)) {
    return fail(ErrorCode::corrupt, "payload lengths and payload data belong together");
  }
  return {};
}

}  // namespace

const SectionEntry* BodyDirectory::find(Section section) const {
  for (const SectionEntry& entry : entries) {
    if (entry.section == section) {
      return &entry;
    }
  }
  return nullptr;
}

std::uint32_t BodyDirectory::actor_entries() const {
  return entries_of(*this, actor_table);
}

std::uint32_t BodyDirectory::target_entries() const {
  return entries_of(*this, target_table);
}

std::size_t directory_size(std::span<const std::byte> body_header) {
  if (body_header.size() < body_header_bytes) {
    return 0;
  }
  const auto sections = load_le<std::uint16_t>(body_header.data() + 4);
  return sections > limits::block_sections_max ? 0
                                               : body_header_bytes + sections * section_entry_bytes;
}

Result<BodyDirectory> parse_directory(std::span<const std::byte> body, BodyForm form) {
  const std::size_t directory_bytes = directory_size(body);
  if (directory_bytes == 0 || body.size() < directory_bytes) {
    return fail(ErrorCode::corrupt, "section directory is cut short or absurd");
  }
  BodyDirectory directory;
  directory.rows = load_le<std::uint32_t>(body.data());
  if (directory.rows > limits::block_rows_max) {
    return fail(ErrorCode::corrupt, "more rows than a block may have");
  }
  if (load_le<std::uint16_t>(body.data() + 6) != 0) {
    return fail(ErrorCode::corrupt, "reserved bytes of the body header are not zero");
  }
  const std::size_t count = (directory_bytes - body_header_bytes) / section_entry_bytes;
  directory.entries.reserve(count);
  const Codec last_codec = form == BodyForm::sealed ? Codec::ints_coded : Codec::chunks;
  std::uint64_t offset = directory_bytes;
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte* at = body.data() + body_header_bytes + i * section_entry_bytes;
    const auto section = load_le<std::uint8_t>(at);
    const auto codec = load_le<std::uint8_t>(at + 1);
    if (!is_known(section) || codec > static_cast<std::uint8_t>(last_codec)) {
      return fail(ErrorCode::corrupt, "unknown section " + std::to_string(section) + " or codec " +
                                          std::to_string(codec));
    }
    SectionEntry entry{.section = static_cast<Section>(section),
                       .codec = static_cast<Codec>(codec),
                       .width = load_le<std::uint8_t>(at + 2),
                       .scale_exponent = load_le<std::uint8_t>(at + 3),
                       .items = load_le<std::uint32_t>(at + 4),
                       .bytes = load_le<std::uint32_t>(at + 8),
                       .checksum = load_le<std::uint32_t>(at + 12),
                       .base = load_le<std::uint64_t>(at + 16),
                       .offset = static_cast<std::uint32_t>(offset)};
    if (!directory.entries.empty() && directory.entries.back().section >= entry.section) {
      return bad(entry, "sections are not in ascending order");
    }
    DOCKET_TRY(check_entry(entry, directory.rows));
    offset += entry.bytes;
    if (offset > limits::block_bytes_max) {
      return fail(ErrorCode::corrupt, "body is larger than a block may be");
    }
    directory.entries.push_back(entry);
  }
  directory.body_bytes = offset;
  DOCKET_TRY(check_tables(directory));
  return directory;
}

Result<void> check_section(const SectionEntry& entry, std::span<const std::byte> bytes) {
  const auto checked =
      is_chunks(entry.codec)
          ? bytes.first(std::min<std::size_t>(bytes.size(), entry.items * chunk_entry_bytes))
          : bytes;
  if (bytes.size() != entry.bytes || checksum32(checked) != entry.checksum) {
    return bad(entry, "checksum does not match");
  }
  if (is_chunks(entry.codec)) {
    DOCKET_ASSIGN(const auto chunks, read_chunk_table(entry, checked, limits::block_rows_max));
    for (const PayloadChunk& chunk : chunks) {
      if (checksum32(bytes.subspan(chunk.offset, chunk.stored_bytes)) != chunk.checksum) {
        return bad(entry, "checksum of a chunk does not match");
      }
    }
  }
  return {};
}

Result<PackedInts> read_ints(const SectionEntry& entry, SectionBytes bytes) {
  DOCKET_ASSERT(is_ints(entry.codec));
  return PackedInts(std::move(bytes), entry.items, entry.width, entry.base,
                    powers_of_ten[entry.scale_exponent]);
}

std::uint64_t packed_section_bytes(const SectionEntry& entry) {
  return packed_bytes(entry.items, entry.width);
}

Result<SectionBytes> unpack_coded(const SectionEntry& entry, std::span<const std::byte> stored,
                                  std::span<const std::uint32_t> order) {
  DOCKET_ASSERT(entry.codec == Codec::ints_coded);
  auto packed = std::make_shared<std::vector<std::byte>>();
  packed->reserve(packed_section_bytes(entry) + section_padding);
  // Each piece but the last ends with a byte.
  DOCKET_TRY(decode_coded_ints(
      stored, entry.width, order, entry.items,
      [&](std::span<const std::uint64_t> values) { pack_bits(values, entry.width, *packed); }));
  packed->resize(packed->size() + section_padding);
  return SectionBytes(packed, packed->data());
}

namespace {

// Where the strings' lengths are, in a copy of their bytes: they need their padding. Those of a few
// strings, as a batch of one event has, need no memory.
struct PackedLengths {
  explicit PackedLengths(const SectionEntry& entry, std::span<const std::byte> bytes) {
    const std::size_t size = packed_bytes(entry.items, entry.width);
    std::byte* copy = few.data();
    if (size + section_padding > few.size()) {
      many.resize(size + section_padding);
      copy = many.data();
    }
    std::copy_n(bytes.begin(), size, copy);
    ints = PackedInts(SectionBytes(SectionBytes(), copy), entry.items, entry.width, 0, 1);
  }
  PackedLengths(const PackedLengths&) = delete;
  PackedLengths& operator=(const PackedLengths&) = delete;

  std::array<std::byte, 64> few{};
  std::vector<std::byte> many;
  PackedInts ints;
};

}  // namespace

StringBounds string_bounds(const SectionEntry& entry, std::span<const std::byte> bytes) {
  DOCKET_ASSERT(is_strings(entry.codec));
  StringBounds bounds;
  bounds.are_kept = true;
  const PackedLengths lengths(entry, bytes);
  for (std::uint32_t i = 0; i < entry.items; ++i) {
    const std::uint64_t length = lengths.ints.bits(i);
    bounds.raw_bytes += length;
    bounds.are_kept = bounds.are_kept && length <= limits::string_bytes_max;
  }
  return bounds;
}

Result<StringList> read_strings(const SectionEntry& entry, std::span<const std::byte> bytes) {
  DOCKET_ASSERT(is_strings(entry.codec));
  const std::uint64_t lengths_bytes = packed_bytes(entry.items, entry.width);
  const PackedLengths lengths(entry, bytes);
  StringList list;
  list.starts.resize(std::size_t{entry.items} + 1);
  std::uint64_t total = 0;
  for (std::uint32_t i = 0; i < entry.items; ++i) {
    list.starts[i] = static_cast<std::uint32_t>(total);
    total += lengths.ints.bits(i);
    if (total > limits::block_bytes_max) {
      return bad(entry, "strings are larger than a block may be");
    }
  }
  list.starts[entry.items] = static_cast<std::uint32_t>(total);
  const auto data = bytes.subspan(lengths_bytes);
  if (entry.codec == Codec::strings_raw) {
    if (data.size() != total) {
      return bad(entry, "lengths do not add up to the strings");
    }
    list.bytes = std::make_shared<const std::vector<std::byte>>(data.begin(), data.end());
    return list;
  }
  if (data.size() < 4 || load_le<std::uint32_t>(data.data()) != total) {
    return bad(entry, "lengths do not add up to the strings");
  }
  auto raw = std::make_shared<std::vector<std::byte>>(total);
  DOCKET_TRY(decompress(data.subspan(4), *raw));
  list.bytes = std::move(raw);
  return list;
}

Result<std::vector<PayloadChunk>> read_chunk_table(const SectionEntry& entry,
                                                   std::span<const std::byte> table,
                                                   std::uint32_t rows) {
  DOCKET_ASSERT(is_chunks(entry.codec));
  if (table.size() != entry.items * chunk_entry_bytes || checksum32(table) != entry.checksum) {
    return bad(entry, "checksum of the chunk table does not match");
  }
  std::vector<PayloadChunk> chunks(entry.items);
  std::uint64_t offset = table.size();
  std::uint64_t raw_total = 0;
  for (std::uint32_t i = 0; i < entry.items; ++i) {
    const std::byte* at = table.data() + i * chunk_entry_bytes;
    chunks[i] = {.first_row = load_le<std::uint32_t>(at),
                 .raw_bytes = load_le<std::uint32_t>(at + 4),
                 .stored_bytes = load_le<std::uint32_t>(at + 8),
                 .checksum = load_le<std::uint32_t>(at + 12),
                 .offset = static_cast<std::uint32_t>(offset)};
    const bool ordered =
        chunks[i].first_row < rows && (i == 0 || chunks[i].first_row > chunks[i - 1].first_row);
    offset += chunks[i].stored_bytes;
    raw_total += chunks[i].raw_bytes;
    if (!ordered || chunks[i].stored_bytes > chunks[i].raw_bytes || offset > entry.bytes ||
        raw_total > limits::block_bytes_max) {
      return bad(entry, "chunk table is not in order");
    }
  }
  if (offset != entry.bytes) {
    return bad(entry, "chunks do not fill the section");
  }
  return chunks;
}

Result<void> read_chunk(const PayloadChunk& chunk, std::span<const std::byte> stored,
                        std::span<std::byte> raw, const TokenTable* tokens) {
  DOCKET_ASSERT(stored.size() == chunk.stored_bytes && raw.size() == chunk.raw_bytes);
  if (checksum32(stored) != chunk.checksum) {
    return fail(ErrorCode::corrupt, "checksum of a payload chunk does not match");
  }
  if (stored.size() == raw.size()) {
    std::copy(stored.begin(), stored.end(), raw.begin());
    return {};
  }
  return tokens == nullptr ? decompress(stored, raw) : tokens->decode(stored, raw);
}

Result<void> read_chunks(std::span<const StoredChunk> chunks, const TokenTable* tokens) {
  std::vector<TokenStream> streams;
  for (const StoredChunk& each : chunks) {
    if (tokens == nullptr || each.stored.size() == each.raw.size()) {
      DOCKET_TRY(read_chunk(*each.chunk, each.stored, each.raw, tokens));
      continue;
    }
    DOCKET_ASSERT(each.stored.size() == each.chunk->stored_bytes &&
                  each.raw.size() == each.chunk->raw_bytes);
    if (checksum32(each.stored) != each.chunk->checksum) {
      return fail(ErrorCode::corrupt, "checksum of a payload chunk does not match");
    }
    streams.push_back(TokenStream{each.stored, each.raw});
  }
  return streams.empty() ? Result<void>() : tokens->decode(streams);
}

PackedInts absent_column(Section section, std::uint32_t rows) {
  return {nullptr, rows, 0, section == Section::row_affected ? 1U : 0U, 1};
}

}  // namespace docket
