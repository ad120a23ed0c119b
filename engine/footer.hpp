// The footer of a sealed segment: everything a reader needs to know before it reads a block.
// engine/FORMAT.md, "Sealed segment".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/block.hpp"
#include "engine/disk.hpp"
#include "engine/producers.hpp"
#include "engine/section.hpp"
#include "engine/segment_reader.hpp"
#include "engine/segment_source.hpp"

namespace docket {

// The string lists of a sealed segment: the plain dictionaries by DictionaryField, then the
// strings of the tables.
inline constexpr std::size_t string_list_count = dictionary_field_count + 4;
enum class TableStrings : std::uint8_t { actor_id, actor_name, target_id, target_name };
[[nodiscard]] constexpr std::size_t string_list_number(DictionaryField field) {
  return static_cast<std::size_t>(field);
}
[[nodiscard]] constexpr std::size_t string_list_number(TableStrings strings) {
  return dictionary_field_count + static_cast<std::size_t>(strings);
}

// Strings cut into pages of dictionary_page_entries, the last one shorter.
struct StringPages {
  std::uint32_t size = 0;  // strings in all
  std::vector<PlacedSection> pages;
  std::optional<PlacedTokens> tokens;  // where pages are streams of them
};

struct SealedBlock {
  BlockHeader header;
  BodyDirectory directory;
};

struct SegmentSummary {
  Seq first_seq;
  Seq last_seq;
  std::uint32_t rows = 0;
  Nanos ts_min = 0;
  Nanos ts_max = 0;
  Nanos received_min = 0;
  Nanos received_max = 0;
};

struct Footer {
  SegmentSummary summary;
  std::vector<SealedBlock> blocks;
  std::array<StringPages, string_list_count> strings;
  std::uint32_t actor_count = 1;
  std::uint32_t target_count = 1;
  std::optional<PlacedSection> actor_kinds, actor_roles, target_types;  // absent: all zero
  // ValueOrder::ids() of the columns that are coded by rank.
  std::optional<PlacedSection> actor_order, target_order, ip_order;
  std::optional<PlacedTokens> payload_tokens;
  ProducerTable producers;  // as of the segment's last event
};

//   0 magic "DKTFOOT1" · 8 footer offset u64 · 16 footer bytes u64 · 24 digest u64 (checksum of the
//  footer, which holds the checksums of all else) · 32 version u32 · 36 compatible flags u32 ·
//  40 incompatible flags u32 · 44 zeros · 56 checksum u64 (of 0..56)
inline constexpr std::size_t trailer_bytes = 64;

// Footer and trailer for a file in which the footer starts at `at`.
[[nodiscard]] std::vector<std::byte> encode_footer(const Footer& footer, FileOffset at);

// The digest that encode_footer() has put into the trailer.
[[nodiscard]] std::uint64_t trailer_digest(std::span<const std::byte> footer_and_trailer);

struct LoadedFooter {
  Footer footer;
  std::uint64_t digest = 0;
};
// Errors: io, newer_format, corrupt (with offset).
[[nodiscard]] Result<LoadedFooter> load_footer(const File& file, SegmentId id);

}  // namespace docket
