#include "index/dimension_entries.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace docket::index {
namespace {

class ColumnLoader {
 public:
  static Result<ColumnLoader> make(const SegmentReader& segment) {
    ColumnLoader loader(segment);
    DOCKET_ASSIGN(loader.blocks_, segment.blocks());
    return loader;
  }

  // One id a row, each below `universe`.
  [[nodiscard]] Result<std::vector<std::uint32_t>> load(RowColumn column,
                                                        std::uint32_t universe) const {
    std::vector<std::uint32_t> ids(segment_->info().rows);
    for (std::uint32_t block = 0; block < blocks_.size(); ++block) {
      DOCKET_ASSIGN(const PackedInts packed, segment_->column(block, column));
      const BlockInfo& info = blocks_[block];
      if (packed.size() != info.rows || info.rows > ids.size() - info.first_row) {
        return fail_corrupt("a column has more or fewer values than its block has rows",
                            segment_->info().id.value, 0);
      }
      packed.unpack(0, info.rows, ids.data() + info.first_row);
    }
    DOCKET_TRY(check(ids, universe));
    return ids;
  }

  // All related targets: `entries` gets (row, target) pairs, ascending by row.
  [[nodiscard]] Result<DimensionEntries> load_related(std::uint32_t universe) const {
    DimensionEntries entries;
    for (std::uint32_t block = 0; block < blocks_.size(); ++block) {
      const BlockInfo& info = blocks_[block];
      if (!info.has_related) {
        continue;
      }
      DOCKET_ASSIGN(const std::shared_ptr<const RelatedColumn> related, segment_->related(block));
      if (related->starts.empty()) {
        continue;
      }
      for (std::uint32_t row = 0; row < info.rows; ++row) {
        for (std::uint32_t i = related->starts[row]; i < related->starts[row + 1]; ++i) {
          entries.values.push_back(related->targets[i]);
          entries.rows.push_back(info.first_row + row);
        }
      }
    }
    DOCKET_TRY(check(entries.values, universe));
    return entries;
  }

 private:
  explicit ColumnLoader(const SegmentReader& segment) : segment_(&segment) {}

  [[nodiscard]] Result<void> check(const std::vector<std::uint32_t>& ids,
                                   std::uint32_t universe) const {
    const auto largest = std::max_element(ids.begin(), ids.end());
    if (largest != ids.end() && *largest >= universe) {
      return fail_corrupt("a row refers to an entry that its dictionary does not have",
                          segment_->info().id.value, 0);
    }
    return {};
  }

  const SegmentReader* segment_;
  std::span<const BlockInfo> blocks_;
};

// The target and the related ones of each row, each value once a row.
[[nodiscard]] DimensionEntries merge_related(const std::vector<std::uint32_t>& targets,
                                             const DimensionEntries& related) {
  DimensionEntries merged;
  merged.values.reserve(targets.size() + related.values.size());
  merged.rows.reserve(targets.size() + related.values.size());
  std::vector<std::uint32_t> of_row;
  std::size_t next = 0;
  for (std::uint32_t row = 0; row < targets.size(); ++row) {
    if (next == related.rows.size() || related.rows[next] != row) {
      merged.values.push_back(targets[row]);
      merged.rows.push_back(row);
      continue;
    }
    of_row.assign(1, targets[row]);
    for (; next < related.rows.size() && related.rows[next] == row; ++next) {
      of_row.push_back(related.values[next]);
    }
    std::sort(of_row.begin(), of_row.end());
    of_row.erase(std::unique(of_row.begin(), of_row.end()), of_row.end());
    for (const std::uint32_t value : of_row) {
      merged.values.push_back(value);
      merged.rows.push_back(row);
    }
  }
  return merged;
}

// The kinds of the values, each once a row.
[[nodiscard]] Result<DimensionEntries> mapped(const DimensionEntries& entries,
                                              const PackedInts& kind_of, std::uint32_t kinds) {
  std::vector<std::uint32_t> table(kind_of.size());
  kind_of.unpack(0, kind_of.size(), table.data());
  if (entries.universe > table.size() ||
      std::any_of(table.begin(), table.end(), [&](std::uint32_t kind) { return kind >= kinds; })) {
    return fail(ErrorCode::corrupt, "a table refers to a kind that its dictionary does not have");
  }
  DimensionEntries result;
  result.universe = kinds;
  result.values.reserve(entries.values.size());
  if (entries.rows.empty()) {
    for (const std::uint32_t value : entries.values) {
      result.values.push_back(table[value]);
    }
    return result;
  }
  result.rows.reserve(entries.rows.size());
  std::size_t row_start = 0;
  for (std::size_t i = 0; i < entries.values.size(); ++i) {
    const std::uint32_t kind = table[entries.values[i]];
    if (i == 0 || entries.rows[i] != entries.rows[i - 1]) {
      row_start = result.values.size();
    }
    const auto begin = result.values.begin() + static_cast<std::ptrdiff_t>(row_start);
    if (std::find(begin, result.values.end(), kind) == result.values.end()) {
      result.values.push_back(kind);
      result.rows.push_back(entries.rows[i]);
    }
  }
  return result;
}

struct PlainDimension {
  Dimension dimension;
  DictionaryField dictionary;
  RowColumn column;
};
constexpr std::array<PlainDimension, 6> plain_dimensions = {{
    {Dimension::verb, DictionaryField::verb, RowColumn::verb},
    {Dimension::ip, DictionaryField::ip, RowColumn::ip},
    {Dimension::session, DictionaryField::session, RowColumn::session},
    {Dimension::request, DictionaryField::request, RowColumn::request},
    {Dimension::reason, DictionaryField::reason, RowColumn::reason},
    {Dimension::node, DictionaryField::node, RowColumn::node},
}};

using Visit = std::function<Result<void>(Dimension, const DimensionEntries&)>;

[[nodiscard]] Result<void> visit_actors(const ColumnLoader& columns,
                                        const Dictionaries& dictionaries, const Visit& visit) {
  DimensionEntries entries;
  entries.universe = dictionaries.actor_count();
  DOCKET_ASSIGN(entries.values, columns.load(RowColumn::actor, entries.universe));
  DOCKET_TRY(visit(Dimension::actor, entries));
  DOCKET_ASSIGN(const PackedInts kind_of, dictionaries.actor_kinds());
  DOCKET_ASSIGN(const StringTable* kinds, dictionaries.strings(DictionaryField::kind));
  DOCKET_ASSIGN(const DimensionEntries of_kind, mapped(entries, kind_of, kinds->size()));
  return visit(Dimension::kind, of_kind);
}

[[nodiscard]] Result<void> visit_targets(const ColumnLoader& columns,
                                         const Dictionaries& dictionaries, const Visit& visit) {
  DimensionEntries entries;
  entries.universe = dictionaries.target_count();
  DOCKET_ASSIGN(entries.values, columns.load(RowColumn::target, entries.universe));
  DOCKET_ASSIGN(const DimensionEntries related, columns.load_related(entries.universe));
  if (!related.values.empty()) {
    const std::uint32_t universe = entries.universe;
    entries = merge_related(entries.values, related);
    entries.universe = universe;
  }
  DOCKET_TRY(visit(Dimension::target, entries));
  DOCKET_ASSIGN(const PackedInts type_of, dictionaries.target_types());
  DOCKET_ASSIGN(const StringTable* types, dictionaries.strings(DictionaryField::type));
  DOCKET_ASSIGN(const DimensionEntries of_type, mapped(entries, type_of, types->size()));
  return visit(Dimension::type, of_type);
}

}  // namespace

Result<void> for_each_dimension(const SegmentReader& segment, const Visit& visit) {
  if (segment.info().rows == 0) {
    return fail(ErrorCode::corrupt, "a sealed segment without rows");
  }
  DOCKET_ASSIGN(const ColumnLoader columns, ColumnLoader::make(segment));
  DOCKET_ASSIGN(const std::shared_ptr<const Dictionaries> dictionaries, segment.dictionaries(0));
  for (const PlainDimension& plain : plain_dimensions) {
    DOCKET_ASSIGN(const StringTable* strings, dictionaries->strings(plain.dictionary));
    DimensionEntries entries;
    entries.universe = std::max<std::uint32_t>(1, strings->size());
    DOCKET_ASSIGN(entries.values, columns.load(plain.column, entries.universe));
    DOCKET_TRY(visit(plain.dimension, entries));
  }
  DimensionEntries outcomes;
  outcomes.universe = 3;
  DOCKET_ASSIGN(outcomes.values, columns.load(RowColumn::outcome, outcomes.universe));
  DOCKET_TRY(visit(Dimension::outcome, outcomes));
  DOCKET_TRY(visit_actors(columns, *dictionaries, visit));
  return visit_targets(columns, *dictionaries, visit);
}

}  // namespace docket::index
