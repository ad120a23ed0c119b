// The bytes of an index file: header, table of sections, sections (index/FORMAT.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/counts.hpp"
#include "engine/limits.hpp"
#include "engine/result.hpp"
#include "index/dimension.hpp"
#include "index/value_page.hpp"

namespace docket::index {

enum class SectionKind : std::uint8_t {
  value_page = 1,    // `first` is its first value
  row_bitmap = 2,    // `first` is the value
  name_filter = 3,   // of the actor or the target table
  time_sorted = 4,   // one bit a block
  block_counts = 5,  // of a dimension of few values
  changed_names = 6,
  text_filter = 7,  // of payloads, where it is worth its size
};

struct SectionEntry {
  SectionKind kind = SectionKind::value_page;
  std::uint8_t dimension = 0;  // 0 where a section belongs to none
  std::uint32_t first = 0;
  std::uint32_t bytes = 0;
  std::uint64_t checksum = 0;
  std::uint64_t offset = 0;  // from the start of the file; not stored, it follows
};

// What is known of the segment as a whole.
struct Facts {
  bool actor_ids_have_colon = false;
  bool target_ids_have_colon = false;
  bool targets_overlap = false;  // SegmentIndex::has_overlapping_targets()
  friend bool operator==(const Facts&, const Facts&) = default;
};

// A dimension of several but at most so many values has, for each block of several, how many of its
// rows have each value: facets by verb or type over a part of the time then look at rows of the
// blocks at its ends only.
inline constexpr std::uint32_t block_counts_values_max = 256;
[[nodiscard]] constexpr bool has_block_counts(std::uint32_t values, std::uint32_t blocks) {
  return values > 1 && values <= block_counts_values_max && blocks > 1;
}

struct Header {
  SegmentId segment;
  std::uint64_t digest = 0;  // of the segment
  std::uint32_t blocks = 0;  // of the segment
  PageShape shape;
  Facts facts;
  std::array<std::uint32_t, dimension_count> values{};  // of each dimension
  std::uint32_t sections = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t table_checksum = 0;
};

inline constexpr std::size_t header_bytes = 144;
inline constexpr std::size_t section_entry_bytes = 24;

// Checks everything that the header alone can tell. `file_bytes` is the real size of the file.
// Errors: corrupt; newer_format for an incompatible feature.
[[nodiscard]] Result<Header> parse_header(std::span<const std::byte> bytes,
                                          std::uint64_t file_bytes);
// Checks the table against the header: order, kinds, that the sections fill the file exactly.
// `bytes` are header.sections entries. Error: corrupt.
[[nodiscard]] Result<std::vector<SectionEntry>> parse_table(std::span<const std::byte> bytes,
                                                            const Header& header);

// Collects sections in the order of the table and makes the file.
class IndexFileWriter {
 public:
  void add(SectionKind kind, std::uint8_t dimension, std::uint32_t first,
           std::span<const std::byte> bytes);
  // Fills in what the header says about the sections.
  [[nodiscard]] std::vector<std::byte> finish(Header header) const;

 private:
  std::vector<std::byte> table_;
  std::vector<std::byte> sections_;
};

}  // namespace docket::index
