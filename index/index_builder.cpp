#include "index/index_builder.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "engine/assert.hpp"
#include "engine/bytes.hpp"
#include "engine/limits.hpp"
#include "index/bit_stream.hpp"
#include "index/changed_fields.hpp"
#include "index/dimension_entries.hpp"
#include "index/index_file.hpp"
#include "index/name_filter.hpp"
#include "index/payload_terms.hpp"
#include "index/row_bitmap.hpp"
#include "index/value_page.hpp"

namespace docket::index {
namespace {

struct PendingSection {
  Dimension dimension = Dimension::verb;
  std::uint32_t first = 0;
  std::vector<std::byte> bytes;
};

// The rows of each value, by counting sort: those of value v are sorted[starts[v]..starts[v+1]).
struct RowsByValue {
  std::vector<std::uint32_t> starts;
  std::vector<std::uint32_t> sorted;

  explicit RowsByValue(const DimensionEntries& entries)
      : starts(entries.universe + 1, 0), sorted(entries.values.size()) {
    for (const std::uint32_t value : entries.values) {
      ++starts[value + 1];
    }
    for (std::uint32_t value = 0; value < entries.universe; ++value) {
      starts[value + 1] += starts[value];
    }
    std::vector<std::uint32_t> next(starts.begin(), starts.end() - 1);
    for (std::size_t i = 0; i < entries.values.size(); ++i) {
      sorted[next[entries.values[i]]++] =
          entries.rows.empty() ? static_cast<std::uint32_t>(i) : entries.rows[i];
    }
  }
  [[nodiscard]] std::span<const std::uint32_t> rows(std::uint32_t value) const {
    return std::span(sorted).subspan(starts[value], starts[value + 1] - starts[value]);
  }
};

class Builder {
 public:
  explicit Builder(const SegmentReader& segment) : segment_(segment) {}

  [[nodiscard]] Result<std::vector<std::byte>> build() {
    const SegmentInfo& info = segment_.info();
    DOCKET_ASSERT(info.sealed);
    DOCKET_ASSIGN(blocks_, segment_.blocks());
    header_.segment = info.id;
    header_.digest = info.digest;
    header_.blocks = static_cast<std::uint32_t>(blocks_.size());
    header_.shape = PageShape{info.rows, bitmap_rows_min(info.rows)};
    DOCKET_TRY(for_each_dimension(
        segment_, [&](Dimension dimension, const DimensionEntries& entries) -> Result<void> {
          add_dimension(dimension, entries);
          return dimension == Dimension::target ? find_overlaps(entries) : Result<void>{};
        }));
    DOCKET_TRY(add_payload_terms());
    DOCKET_TRY(add_names());
    DOCKET_TRY(add_time_sorted());
    return finish();
  }

 private:
  void add_dimension(Dimension dimension, const DimensionEntries& entries) {
    header_.values[static_cast<std::size_t>(dimension)] = entries.universe;
    const PageShape& shape = header_.shape;
    if (has_block_counts(entries.universe, header_.blocks)) {
      add_block_counts(dimension, entries);
    }
    const RowsByValue by_value(entries);
    std::vector<ValuePostings> page;
    std::vector<std::uint32_t> page_strips;
    std::vector<std::size_t> strip_starts;
    for (std::uint32_t first = 0; first < entries.universe; first += page_values) {
      const std::uint32_t end = std::min(entries.universe, first + page_values);
      page.clear();
      page_strips.clear();
      strip_starts.clear();
      for (std::uint32_t value = first; value < end; ++value) {
        const std::span<const std::uint32_t> rows = by_value.rows(value);
        strip_starts.push_back(page_strips.size());
        page.push_back(ValuePostings{static_cast<std::uint32_t>(rows.size()), {}});
        if (rows.size() >= shape.bitmap_rows_min) {
          PendingSection section{dimension, value, {}};
          RowBitmap::encode(rows, shape.rows, section.bytes);
          bitmaps_.push_back(std::move(section));
          continue;
        }
        for (const std::uint32_t row : rows) {
          const std::uint32_t strip = row / strip_rows;
          if (page_strips.size() == strip_starts.back() || page_strips.back() != strip) {
            page_strips.push_back(strip);
          }
        }
      }
      strip_starts.push_back(page_strips.size());
      for (std::size_t i = 0; i < page.size(); ++i) {
        page[i].strips =
            std::span(page_strips).subspan(strip_starts[i], strip_starts[i + 1] - strip_starts[i]);
      }
      PendingSection section{dimension, first, {}};
      ValuePage::encode(page, shape, section.bytes);
      pages_.push_back(std::move(section));
    }
  }

  [[nodiscard]] Result<void> add_payload_terms() {
    DOCKET_ASSIGN(PayloadTerms terms, payload_terms_of(segment_));
    text_filter_ = std::move(terms.text_filter);
    const ChangedFields& fields = terms.changed;
    if (fields.entries.universe != 0) {
      add_dimension(Dimension::changed, fields.entries);
      ChangedNames::encode(fields.names, changed_names_.emplace());
    }
    return {};
  }

  void add_block_counts(Dimension dimension, const DimensionEntries& entries) {
    static_assert(limits::block_rows_max <= UINT16_MAX);
    std::vector<std::uint16_t> counts(std::size_t{entries.universe} * blocks_.size());
    std::size_t block = 0;
    for (std::size_t i = 0; i < entries.values.size(); ++i) {
      const std::size_t row = entries.rows.empty() ? i : entries.rows[i];
      while (row >= blocks_[block].first_row + blocks_[block].rows) {
        ++block;
      }
      ++counts[block * entries.universe + entries.values[i]];
    }
    PendingSection section{dimension, 0, {}};
    for (const std::uint16_t count : counts) {
      append_le(section.bytes, count);
    }
    block_counts_.push_back(std::move(section));
  }

  // Sets Facts::targets_overlap. Where two types differ in case only, every event with related
  // targets is taken to overlap: rare enough not to be looked at closer.
  [[nodiscard]] Result<void> find_overlaps(const DimensionEntries& entries) {
    if (entries.rows.empty()) {
      return {};
    }
    DOCKET_ASSIGN(const std::shared_ptr<const Dictionaries> dictionaries, segment_.dictionaries(0));
    DOCKET_ASSIGN(const StringTable* types, dictionaries->strings(DictionaryField::type));
    std::vector<std::string> spellings;
    DOCKET_TRY(types->scan(0, types->size(), [&](std::uint32_t, std::string_view type) {
      std::string lower(type);
      std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
      });
      spellings.push_back(std::move(lower));
      return true;
    }));
    std::sort(spellings.begin(), spellings.end());
    if (std::adjacent_find(spellings.begin(), spellings.end()) != spellings.end()) {
      header_.facts.targets_overlap = true;
      return {};
    }
    DOCKET_ASSIGN(const std::vector<std::uint32_t> identity_of, identities(*dictionaries));
    // Entries of a row ascend by target, so that those of one identity are neighbours.
    for (std::size_t i = 1; i < entries.values.size() && !header_.facts.targets_overlap; ++i) {
      header_.facts.targets_overlap =
          entries.rows[i] == entries.rows[i - 1] &&
          identity_of[entries.values[i]] == identity_of[entries.values[i - 1]];
    }
    return {};
  }

  // Numbers the (type, id) pairs of the target table, which is sorted by them.
  [[nodiscard]] static Result<std::vector<std::uint32_t>> identities(
      const Dictionaries& dictionaries) {
    const std::uint32_t count = dictionaries.target_count();
    DOCKET_ASSIGN(const PackedInts type_of, dictionaries.target_types());
    DOCKET_ASSIGN(const StringTable* ids, dictionaries.target_ids());
    std::vector<std::uint32_t> identity_of(count, 0);
    std::string last_id;
    DOCKET_TRY(ids->scan(0, count, [&](std::uint32_t target, std::string_view id) {
      if (target > 0) {
        const bool same = type_of[target] == type_of[target - 1] && id == last_id;
        identity_of[target] = identity_of[target - 1] + (same ? 0 : 1);
      }
      last_id.assign(id);
      return true;
    }));
    return identity_of;
  }

  [[nodiscard]] Result<void> add_names() {
    DOCKET_ASSIGN(const std::shared_ptr<const Dictionaries> dictionaries, segment_.dictionaries(0));
    DOCKET_ASSIGN(const StringTable* actor_names, dictionaries->actor_names());
    DOCKET_ASSIGN(const StringTable* target_names, dictionaries->target_names());
    DOCKET_TRY(add_filter(Dimension::actor, *actor_names));
    DOCKET_TRY(add_filter(Dimension::target, *target_names));
    DOCKET_ASSIGN(const StringTable* actor_ids, dictionaries->actor_ids());
    DOCKET_ASSIGN(const StringTable* target_ids, dictionaries->target_ids());
    DOCKET_ASSIGN(header_.facts.actor_ids_have_colon, have_colon(*actor_ids));
    DOCKET_ASSIGN(header_.facts.target_ids_have_colon, have_colon(*target_ids));
    return {};
  }

  [[nodiscard]] Result<void> add_filter(Dimension table, const StringTable& names) {
    std::vector<std::uint64_t> hashes;
    hashes.reserve(names.size());
    DOCKET_TRY(names.scan(0, names.size(), [&](std::uint32_t, std::string_view name) {
      if (!name.empty()) {
        hashes.push_back(NameFilter::hash(name));
      }
      return true;
    }));
    PendingSection section{table, 0, {}};
    NameFilter::encode(hashes, section.bytes);
    filters_.push_back(std::move(section));
    return {};
  }

  [[nodiscard]] static Result<bool> have_colon(const StringTable& ids) {
    bool found = false;
    DOCKET_TRY(ids.scan(0, ids.size(), [&](std::uint32_t, std::string_view id) {
      found = id.find(':') != std::string_view::npos;
      return !found;
    }));
    return found;
  }

  [[nodiscard]] Result<void> add_time_sorted() {
    BitWriter writer(time_sorted_);
    std::vector<std::uint64_t> times;
    for (std::uint32_t block = 0; block < blocks_.size(); ++block) {
      DOCKET_ASSIGN(const PackedInts column, segment_.column(block, RowColumn::ts));
      times.resize(column.size());
      column.unpack(0, column.size(), times.data());
      const bool sorted =
          std::is_sorted(times.begin(), times.end(), [](std::uint64_t a, std::uint64_t b) {
            return static_cast<Nanos>(a) < static_cast<Nanos>(b);
          });
      writer.put(sorted ? 1 : 0, 1);
    }
    writer.finish();
    return {};
  }

  [[nodiscard]] std::vector<std::byte> finish() {
    const auto by_place = [](const PendingSection& a, const PendingSection& b) {
      return std::pair(a.dimension, a.first) < std::pair(b.dimension, b.first);
    };
    IndexFileWriter writer;
    const auto add_all = [&](SectionKind kind, std::vector<PendingSection>& sections) {
      std::sort(sections.begin(), sections.end(), by_place);
      for (const PendingSection& section : sections) {
        writer.add(kind, static_cast<std::uint8_t>(section.dimension), section.first,
                   section.bytes);
      }
    };
    add_all(SectionKind::value_page, pages_);
    add_all(SectionKind::row_bitmap, bitmaps_);
    add_all(SectionKind::name_filter, filters_);
    writer.add(SectionKind::time_sorted, 0, 0, time_sorted_);
    add_all(SectionKind::block_counts, block_counts_);
    if (changed_names_) {
      writer.add(SectionKind::changed_names, static_cast<std::uint8_t>(Dimension::changed), 0,
                 *changed_names_);
    }
    if (text_filter_) {
      writer.add(SectionKind::text_filter, 0, 0, *text_filter_);
    }
    return writer.finish(header_);
  }

  const SegmentReader& segment_;
  std::span<const BlockInfo> blocks_;
  Header header_;
  std::vector<PendingSection> pages_;
  std::vector<PendingSection> bitmaps_;
  std::vector<PendingSection> filters_;
  std::vector<PendingSection> block_counts_;
  std::vector<std::byte> time_sorted_;
  std::optional<std::vector<std::byte>> changed_names_;
  std::optional<std::vector<std::byte>> text_filter_;
};

}  // namespace

std::uint32_t bitmap_rows_min(std::uint32_t rows) {
  // One row in a thousand; in a small segment the entry of a bitmap in the table of sections would
  // outweigh it.
  constexpr std::uint32_t worth_an_entry = 64;
  return std::max(worth_an_entry, (rows + 999) / 1000);
}

Result<std::vector<std::byte>> build_index(const SegmentReader& segment) {
  return Builder(segment).build();
}

}  // namespace docket::index
