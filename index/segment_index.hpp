// The index of one sealed segment: for every value of every dimension how many rows have it and
// where they are (index/FORMAT.md).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/counts.hpp"
#include "engine/result.hpp"
#include "index/changed_fields.hpp"
#include "index/dimension.hpp"
#include "index/index_file.hpp"
#include "index/name_filter.hpp"
#include "index/row_bitmap.hpp"
#include "index/section_cache.hpp"
#include "index/section_source.hpp"
#include "index/text_filter.hpp"
#include "index/value_page.hpp"

namespace docket::index {

// How many rows of each block have each value of a dimension.
struct BlockCounts {
  std::uint32_t values = 0;
  std::vector<std::uint16_t> rows;  // by block, then by value

  // Of one block, by value.
  [[nodiscard]] std::span<const std::uint16_t> of(std::uint32_t block) const {
    return std::span(rows).subspan(std::size_t{block} * values, values);
  }
  [[nodiscard]] std::size_t memory_bytes() const { return rows.size() * sizeof(std::uint16_t); }
};

// Holds the header and the table only; sections are read, verified and decoded on first use and
// kept by the cache. Thread-safe. Errors of the readers are `corrupt` or `io`: the caller then does
// without the index for that condition, and the catalog builds it anew for the next query.
class SegmentIndex {
 public:
  // Error: corrupt, newer_format, io.
  [[nodiscard]] static Result<std::shared_ptr<const SegmentIndex>> open(
      std::unique_ptr<SectionSource> source, std::shared_ptr<SectionCache> cache);

  [[nodiscard]] SegmentId segment() const { return header_.segment; }
  [[nodiscard]] std::uint64_t digest() const { return header_.digest; }
  [[nodiscard]] std::uint32_t rows() const { return header_.shape.rows; }
  [[nodiscard]] std::uint32_t blocks() const { return header_.blocks; }
  [[nodiscard]] const PageShape& shape() const { return header_.shape; }
  [[nodiscard]] std::uint32_t values(Dimension dimension) const {
    return header_.values[static_cast<std::size_t>(dimension)];
  }

  // The page that holds `value`; its place in it is value % page_values.
  // Precondition: value < values(dimension).
  [[nodiscard]] Result<std::shared_ptr<const ValuePage>> page(Dimension dimension,
                                                              std::uint32_t value) const;
  // How many rows each value of the dimension has. The pages of a large one are read past the
  // cache: passing over all of them would push out what other questions use.
  [[nodiscard]] Result<std::vector<std::uint32_t>> totals(Dimension dimension) const;
  // Of a value that its page calls frequent.
  [[nodiscard]] Result<std::shared_ptr<const RowBitmap>> bitmap(Dimension dimension,
                                                                std::uint32_t value) const;

  // Precondition: has_block_counts(values(dimension), blocks()).
  [[nodiscard]] Result<std::shared_ptr<const BlockCounts>> block_counts(Dimension dimension) const;

  // Whether Dimension::changed is there: a segment with too many changed fields goes without.
  [[nodiscard]] bool has_changed_fields() const { return values(Dimension::changed) != 0; }
  // Precondition: has_changed_fields().
  [[nodiscard]] Result<std::shared_ptr<const ChangedNames>> changed_names() const;

  // Null where the segment goes without one.
  [[nodiscard]] Result<std::shared_ptr<const TextFilter>> text_filter() const;

  // Whether some actor or target may have this name; false is certain. `table` is Dimension::actor
  // or Dimension::target.
  [[nodiscard]] bool may_have_name(Dimension table, std::string_view name) const;
  // Whether some id of that table holds a colon.
  [[nodiscard]] bool ids_have_colon(Dimension table) const;
  // Whether some event may have two targets that are one identity, or one type, under different
  // names or spellings: then the totals of table entries do not add up to those of the identity.
  [[nodiscard]] bool has_overlapping_targets() const { return header_.facts.targets_overlap; }
  // Whether the rows of each block stand in the order of their time; by block.
  [[nodiscard]] Result<std::shared_ptr<const std::vector<bool>>> time_sorted() const;

  // True once a section turned out unreadable.
  [[nodiscard]] bool damaged() const { return damaged_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t file_bytes() const { return header_.file_bytes; }
  [[nodiscard]] std::uint64_t resident_bytes() const {
    return source_->resident_bytes() + table_.size() * sizeof(SectionEntry);
  }
  [[nodiscard]] const std::vector<SectionEntry>& table() const { return table_; }
  // Reads section `i` of the table and compares its checksum. Errors: io, corrupt.
  [[nodiscard]] Result<void> check_section(std::size_t i) const;
  // Whether the headers say the same about the segment.
  [[nodiscard]] bool same_facts(const SegmentIndex& other) const;

 private:
  SegmentIndex() = default;
  [[nodiscard]] const SectionEntry* find(SectionKind kind, std::uint8_t dimension,
                                         std::uint32_t first) const;
  // The bytes of a section, verified.
  [[nodiscard]] Result<std::vector<std::byte>> read(const SectionEntry& entry) const;
  // Section (kind, dimension, first), decoded by `parse(bytes) -> Result<T>`.
  template <typename T, typename Parse>
  [[nodiscard]] Result<std::shared_ptr<const T>> section(SectionKind kind, std::uint8_t dimension,
                                                         std::uint32_t first,
                                                         const Parse& parse) const;

  std::unique_ptr<SectionSource> source_;
  std::shared_ptr<SectionCache> cache_;
  std::uint64_t cache_number_ = 0;
  Header header_;
  std::vector<SectionEntry> table_;
  mutable std::atomic<bool> damaged_{false};
};

}  // namespace docket::index
