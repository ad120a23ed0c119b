#include "index/segment_index.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "engine/assert.hpp"
#include "engine/bytes.hpp"
#include "engine/codec.hpp"

namespace docket::index {

Result<std::shared_ptr<const SegmentIndex>> SegmentIndex::open(
    std::unique_ptr<SectionSource> source, std::shared_ptr<SectionCache> cache) {
  if (source->size() < header_bytes) {
    return fail(ErrorCode::corrupt, "index: it ends within its header");
  }
  std::shared_ptr<SegmentIndex> index(new SegmentIndex());
  {
    DOCKET_ASSIGN(const std::vector<std::byte> bytes, source->read(0, header_bytes));
    DOCKET_ASSIGN(index->header_, parse_header(bytes, source->size()));
  }
  {
    DOCKET_ASSIGN(const std::vector<std::byte> bytes,
                  source->read(header_bytes, index->header_.sections * section_entry_bytes));
    DOCKET_ASSIGN(index->table_, parse_table(bytes, index->header_));
  }
  index->source_ = std::move(source);
  index->cache_ = std::move(cache);
  index->cache_number_ = index->cache_->new_index();
  return index;
}

const SectionEntry* SegmentIndex::find(SectionKind kind, std::uint8_t dimension,
                                       std::uint32_t first) const {
  const auto key = std::make_tuple(kind, dimension, first);
  const auto found =
      std::lower_bound(table_.begin(), table_.end(), key, [](const SectionEntry& e, const auto& k) {
        return std::make_tuple(e.kind, e.dimension, e.first) < k;
      });
  const bool here =
      found != table_.end() && std::make_tuple(found->kind, found->dimension, found->first) == key;
  return here ? &*found : nullptr;
}

Result<std::vector<std::byte>> SegmentIndex::read(const SectionEntry& entry) const {
  DOCKET_ASSIGN(std::vector<std::byte> bytes, source_->read(entry.offset, entry.bytes));
  if (checksum64(bytes) != entry.checksum) {
    return fail_corrupt("index: a section's checksum does not match", header_.segment.value,
                        entry.offset);
  }
  return bytes;
}

Result<void> SegmentIndex::check_section(std::size_t i) const {
  DOCKET_TRY(read(table_[i]));
  return {};
}

bool SegmentIndex::same_facts(const SegmentIndex& other) const {
  return header_.segment == other.header_.segment && header_.digest == other.header_.digest &&
         header_.blocks == other.header_.blocks && header_.shape == other.header_.shape &&
         header_.facts == other.header_.facts && header_.values == other.header_.values;
}

template <typename T, typename Parse>
Result<std::shared_ptr<const T>> SegmentIndex::section(SectionKind kind, std::uint8_t dimension,
                                                       std::uint32_t first,
                                                       const Parse& parse) const {
  const SectionEntry* entry = find(kind, dimension, first);
  if (entry == nullptr) {
    damaged_.store(true, std::memory_order_relaxed);
    return fail_corrupt("index: a section is missing", header_.segment.value, 0);
  }
  const SectionCache::Key key{cache_number_, static_cast<std::uint32_t>(entry - table_.data())};
  auto loaded = cache_->get(key, [&]() -> Result<SectionCache::Loaded> {
    DOCKET_ASSIGN(std::vector<std::byte> bytes, read(*entry));
    auto parsed = parse(std::move(bytes));
    if (!parsed) {
      return fail_corrupt(parsed.error().message, header_.segment.value, entry->offset);
    }
    const std::uint64_t memory = parsed->memory_bytes();
    return SectionCache::Loaded{std::make_shared<const T>(std::move(*parsed)), memory};
  });
  if (!loaded) {
    damaged_.store(true, std::memory_order_relaxed);
    return fail(std::move(loaded).error());
  }
  return std::static_pointer_cast<const T>(*loaded);
}

Result<std::shared_ptr<const ValuePage>> SegmentIndex::page(Dimension dimension,
                                                            std::uint32_t value) const {
  const std::uint32_t all = values(dimension);
  DOCKET_ASSERT(value < all);
  const std::uint32_t first = value / page_values * page_values;
  return section<ValuePage>(SectionKind::value_page, static_cast<std::uint8_t>(dimension), first,
                            [&](std::vector<std::byte> bytes) {
                              return ValuePage::parse(std::move(bytes),
                                                      std::min(page_values, all - first),
                                                      header_.shape);
                            });
}

Result<std::vector<std::uint32_t>> SegmentIndex::totals(Dimension dimension) const {
  const std::uint32_t all = values(dimension);
  std::vector<std::uint32_t> rows;
  rows.reserve(all);
  if (all <= page_values) {
    if (all != 0) {
      DOCKET_ASSIGN(const auto only, page(dimension, 0));
      for (std::uint32_t i = 0; i < all; ++i) {
        rows.push_back(only->rows(i));
      }
    }
    return rows;
  }
  const auto append = [&](std::uint32_t first) -> Result<void> {
    const SectionEntry* entry =
        find(SectionKind::value_page, static_cast<std::uint8_t>(dimension), first);
    if (entry == nullptr) {
      return fail_corrupt("index: a section is missing", header_.segment.value, 0);
    }
    DOCKET_ASSIGN(std::vector<std::byte> bytes, read(*entry));
    auto done = ValuePage::read_rows(std::move(bytes), std::min(page_values, all - first),
                                     header_.shape, rows);
    return done ? std::move(done)
                : fail_corrupt(done.error().message, header_.segment.value, entry->offset);
  };
  for (std::uint32_t first = 0; first < all; first += page_values) {
    if (auto done = append(first); !done) {
      damaged_.store(true, std::memory_order_relaxed);
      return fail(std::move(done).error());
    }
  }
  return rows;
}

Result<std::shared_ptr<const RowBitmap>> SegmentIndex::bitmap(Dimension dimension,
                                                              std::uint32_t value) const {
  return section<RowBitmap>(SectionKind::row_bitmap, static_cast<std::uint8_t>(dimension), value,
                            [&](std::vector<std::byte> bytes) {
                              return RowBitmap::parse(std::move(bytes), header_.shape.rows);
                            });
}

Result<std::shared_ptr<const ChangedNames>> SegmentIndex::changed_names() const {
  DOCKET_ASSERT(has_changed_fields());
  return section<ChangedNames>(
      SectionKind::changed_names, static_cast<std::uint8_t>(Dimension::changed), 0,
      [&](std::vector<std::byte> bytes) {
        return ChangedNames::parse(std::move(bytes), values(Dimension::changed) - 1);
      });
}

Result<std::shared_ptr<const TextFilter>> SegmentIndex::text_filter() const {
  if (find(SectionKind::text_filter, 0, 0) == nullptr) {
    return nullptr;
  }
  return section<TextFilter>(SectionKind::text_filter, 0, 0, [&](std::vector<std::byte> bytes) {
    return TextFilter::parse(std::move(bytes), blocks());
  });
}

bool SegmentIndex::may_have_name(Dimension table, std::string_view name) const {
  const auto filter = section<NameFilter>(
      SectionKind::name_filter, static_cast<std::uint8_t>(table), 0,
      [](std::vector<std::byte> bytes) { return NameFilter::parse(std::move(bytes)); });
  return !filter || (*filter)->may_contain(name);
}

bool SegmentIndex::ids_have_colon(Dimension table) const {
  DOCKET_ASSERT(table == Dimension::actor || table == Dimension::target);
  return table == Dimension::actor ? header_.facts.actor_ids_have_colon
                                   : header_.facts.target_ids_have_colon;
}

namespace {

// One bit a block, decoded.
struct BlockFlags {
  std::vector<bool> flags;
  [[nodiscard]] std::size_t memory_bytes() const { return flags.size() / 8 + sizeof(*this); }
};

}  // namespace

Result<std::shared_ptr<const BlockCounts>> SegmentIndex::block_counts(Dimension dimension) const {
  return section<BlockCounts>(
      SectionKind::block_counts, static_cast<std::uint8_t>(dimension), 0,
      [&](const std::vector<std::byte>& bytes) -> Result<BlockCounts> {
        BlockCounts counts;
        counts.values = values(dimension);
        const std::size_t cells = std::size_t{counts.values} * blocks();
        if (bytes.size() != cells * sizeof(std::uint16_t)) {
          return fail(ErrorCode::corrupt, "block counts: wrong size");
        }
        counts.rows.resize(cells);
        for (std::size_t i = 0; i < cells; ++i) {
          counts.rows[i] = load_le<std::uint16_t>(bytes.data() + i * sizeof(std::uint16_t));
        }
        return counts;
      });
}

Result<std::shared_ptr<const std::vector<bool>>> SegmentIndex::time_sorted() const {
  DOCKET_ASSIGN(const std::shared_ptr<const BlockFlags> decoded,
                section<BlockFlags>(
                    SectionKind::time_sorted, 0, 0,
                    [&](const std::vector<std::byte>& bytes) -> Result<BlockFlags> {
                      if (bytes.size() != (std::size_t{blocks()} + 7) / 8) {
                        return fail(ErrorCode::corrupt, "time-sorted flags: wrong size");
                      }
                      BlockFlags result;
                      for (std::uint32_t block = 0; block < blocks(); ++block) {
                        result.flags.push_back(
                            (std::to_integer<unsigned>(bytes[block / 8]) >> (block % 8) & 1U) != 0);
                      }
                      return result;
                    }));
  return std::shared_ptr<const std::vector<bool>>(decoded, &decoded->flags);
}

}  // namespace docket::index
