#include "index/index_file.hpp"

#include <algorithm>
#include <string>
#include <tuple>

#include "engine/assert.hpp"
#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/limits.hpp"

namespace docket::index {
namespace {

// Header:
//   0 magic 8 · 8 version u16 · 10 reserved u16 · 12 compatible u32 · 16 incompatible u32 ·
//   20 facts u32 · 24 segment u64 · 32 digest u64 · 40 rows u32 · 44 blocks u32 ·
//   48 bitmap_rows_min u32 · 52 sections u32 · 56 file_bytes u64 · 64 table checksum u64 ·
//   72 values u32 x 16, by dimension · 136 checksum u64 of bytes 0..135
constexpr std::string_view magic = "DKTINDEX";
constexpr std::uint16_t version = 2;
constexpr std::size_t dimension_slots = 16;
constexpr std::size_t values_at = 72;
constexpr std::size_t checksum_at = values_at + dimension_slots * 4;
static_assert(header_bytes == checksum_at + 8);
static_assert(dimension_count <= dimension_slots);

// Entry of the table:
//   0 kind u8 · 1 dimension u8 · 2 reserved u16 · 4 first u32 · 8 bytes u32 · 12 reserved u32 ·
//   16 checksum u64
static_assert(section_entry_bytes == 16 + 8);

constexpr std::uint32_t fact_actor_colon = 1;
constexpr std::uint32_t fact_target_colon = 2;
constexpr std::uint32_t fact_overlap = 4;

[[nodiscard]] tl::unexpected<Error> corrupt(const char* what) {
  return fail(ErrorCode::corrupt, std::string("index: ") + what);
}

[[nodiscard]] bool is_table(std::uint8_t dimension) {
  return dimension == static_cast<std::uint8_t>(Dimension::actor) ||
         dimension == static_cast<std::uint8_t>(Dimension::target);
}

// Whether a section of that kind may stand for that dimension and value.
[[nodiscard]] bool is_placed_well(const SectionEntry& entry, const Header& header) {
  switch (entry.kind) {
    case SectionKind::value_page:
      return entry.dimension < dimension_count && entry.first % page_values == 0 &&
             entry.first < header.values[entry.dimension];
    case SectionKind::row_bitmap:
      return entry.dimension < dimension_count && entry.first < header.values[entry.dimension];
    case SectionKind::name_filter:
      return is_table(entry.dimension) && entry.first == 0;
    case SectionKind::time_sorted:
      return entry.dimension == 0 && entry.first == 0;
    case SectionKind::block_counts:
      return entry.dimension < dimension_count && entry.first == 0 &&
             has_block_counts(header.values[entry.dimension], header.blocks);
    case SectionKind::changed_names:
      return entry.dimension == static_cast<std::uint8_t>(Dimension::changed) && entry.first == 0 &&
             header.values[entry.dimension] != 0;
    case SectionKind::text_filter:
      return entry.dimension == 0 && entry.first == 0;
  }
  return false;
}

}  // namespace

Result<Header> parse_header(std::span<const std::byte> bytes, std::uint64_t file_bytes) {
  if (bytes.size() < header_bytes || as_text(bytes.first(magic.size())) != magic) {
    return corrupt("it does not begin with an index's header");
  }
  const std::byte* const p = bytes.data();
  if (load_le<std::uint64_t>(p + checksum_at) != checksum64(bytes.first(checksum_at))) {
    return corrupt("the header's checksum does not match");
  }
  if (load_le<std::uint16_t>(p + 8) != version || load_le<std::uint32_t>(p + 16) != 0) {
    return fail(ErrorCode::newer_format, "index: written by another version");
  }
  Header header;
  const auto facts = load_le<std::uint32_t>(p + 20);
  header.facts.actor_ids_have_colon = (facts & fact_actor_colon) != 0;
  header.facts.target_ids_have_colon = (facts & fact_target_colon) != 0;
  header.facts.targets_overlap = (facts & fact_overlap) != 0;
  header.segment = SegmentId(load_le<std::uint64_t>(p + 24));
  header.digest = load_le<std::uint64_t>(p + 32);
  header.shape.rows = load_le<std::uint32_t>(p + 40);
  header.blocks = load_le<std::uint32_t>(p + 44);
  header.shape.bitmap_rows_min = load_le<std::uint32_t>(p + 48);
  header.sections = load_le<std::uint32_t>(p + 52);
  header.file_bytes = load_le<std::uint64_t>(p + 56);
  header.table_checksum = load_le<std::uint64_t>(p + 64);
  for (std::size_t i = 0; i < dimension_count; ++i) {
    header.values[i] = load_le<std::uint32_t>(p + values_at + i * 4);
  }
  if (header.shape.rows > limits::segment_rows_limit || header.blocks > header.shape.rows ||
      header.shape.bitmap_rows_min == 0) {
    return corrupt("its number of rows or blocks is out of range");
  }
  if (header.file_bytes != file_bytes) {
    return corrupt("its size is not what the header says");
  }
  if (header.sections > (file_bytes - header_bytes) / section_entry_bytes) {
    return corrupt("it has more sections than bytes");
  }
  return header;
}

Result<std::vector<SectionEntry>> parse_table(std::span<const std::byte> bytes,
                                              const Header& header) {
  if (bytes.size() != header.sections * section_entry_bytes ||
      checksum64(bytes) != header.table_checksum) {
    return corrupt("the checksum of the table of sections does not match");
  }
  std::vector<SectionEntry> table;
  table.reserve(header.sections);
  std::uint64_t offset = header_bytes + bytes.size();
  for (std::uint32_t i = 0; i < header.sections; ++i) {
    const std::byte* const p = bytes.data() + i * section_entry_bytes;
    SectionEntry entry;
    entry.kind = static_cast<SectionKind>(p[0]);
    entry.dimension = std::to_integer<std::uint8_t>(p[1]);
    entry.first = load_le<std::uint32_t>(p + 4);
    entry.bytes = load_le<std::uint32_t>(p + 8);
    entry.checksum = load_le<std::uint64_t>(p + 16);
    entry.offset = offset;
    if (!is_placed_well(entry, header)) {
      return corrupt("a section is of no known kind or place");
    }
    if (!table.empty() &&
        std::tie(entry.kind, entry.dimension, entry.first) <=
            std::tie(table.back().kind, table.back().dimension, table.back().first)) {
      return corrupt("the sections are not in order");
    }
    if (entry.bytes > header.file_bytes - offset) {
      return corrupt("a section ends after the file");
    }
    offset += entry.bytes;
    table.push_back(entry);
  }
  if (offset != header.file_bytes) {
    return corrupt("bytes after the last section");
  }
  return table;
}

void IndexFileWriter::add(SectionKind kind, std::uint8_t dimension, std::uint32_t first,
                          std::span<const std::byte> bytes) {
  table_.push_back(static_cast<std::byte>(kind));
  table_.push_back(static_cast<std::byte>(dimension));
  append_le(table_, std::uint16_t{0});
  append_le(table_, first);
  append_le(table_, static_cast<std::uint32_t>(bytes.size()));
  append_le(table_, std::uint32_t{0});
  append_le(table_, checksum64(bytes));
  append_bytes(sections_, bytes);
}

std::vector<std::byte> IndexFileWriter::finish(Header header) const {
  header.sections = static_cast<std::uint32_t>(table_.size() / section_entry_bytes);
  header.file_bytes = header_bytes + table_.size() + sections_.size();
  header.table_checksum = checksum64(table_);
  std::vector<std::byte> out(header_bytes);
  std::byte* const p = out.data();
  std::memcpy(p, magic.data(), magic.size());
  store_le(p + 8, version);
  store_le(p + 20,
           static_cast<std::uint32_t>((header.facts.actor_ids_have_colon ? fact_actor_colon : 0) |
                                      (header.facts.target_ids_have_colon ? fact_target_colon : 0) |
                                      (header.facts.targets_overlap ? fact_overlap : 0)));
  store_le(p + 24, header.segment.value);
  store_le(p + 32, header.digest);
  store_le(p + 40, header.shape.rows);
  store_le(p + 44, header.blocks);
  store_le(p + 48, header.shape.bitmap_rows_min);
  store_le(p + 52, header.sections);
  store_le(p + 56, header.file_bytes);
  store_le(p + 64, header.table_checksum);
  for (std::size_t i = 0; i < dimension_count; ++i) {
    store_le(p + values_at + i * 4, header.values[i]);
  }
  store_le(p + checksum_at, checksum64(std::span(out).first(checksum_at)));
  append_bytes(out, table_);
  append_bytes(out, sections_);
  return out;
}

}  // namespace docket::index
