#include "query/counting.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include "query/planner.hpp"

namespace docket::query {
namespace {

using Kind = BoundNode::Kind;

[[nodiscard]] bool all_visible(const SegmentScan& scan) {
  const std::span<const BlockInfo> blocks = scan.blocks();
  for (std::uint32_t block = 0; block < blocks.size(); ++block) {
    if (scan.excluded(block) || scan.visible_rows(block) != blocks[block].rows) {
      return false;
    }
  }
  return true;
}

[[nodiscard]] std::uint64_t visible_rows(const SegmentScan& scan) {
  std::uint64_t rows = 0;
  for (std::uint32_t block = 0; block < scan.blocks().size(); ++block) {
    rows += scan.excluded(block) ? 0 : scan.visible_rows(block);
  }
  return rows;
}

// Rows of the condition's values add up to rows of the condition: no row has two of them.
[[nodiscard]] bool totals_add_up(const BoundNode& leaf) {
  const bool several = leaf.related || leaf.is(Kind::payload);
  return !several || leaf.index_values().size() == 1;
}

// The whole segment's count, where it is known without looking at a chunk.
[[nodiscard]] std::optional<std::uint64_t> count_by_totals(const SegmentScan& scan) {
  const BoundNode& bound = scan.bound();
  if (bound.is(Kind::none)) {
    return 0;
  }
  if (bound.is(Kind::all)) {
    return visible_rows(scan);
  }
  if (bound.postings != nullptr && totals_add_up(bound) && all_visible(scan)) {
    return bound.postings->rows;
  }
  return std::nullopt;
}

// Whether a time or seq condition holds for every row of the unit.
[[nodiscard]] bool holds_throughout(const BoundNode& node, const SegmentScan& scan,
                                    const Unit& unit) {
  return std::all_of(unit.slices.begin(), unit.slices.end(), [&](const Unit::Slice& slice) {
    const BlockInfo& block = scan.blocks()[slice.block];
    if (node.is(Kind::time)) {
      return std::any_of(node.times.begin(), node.times.end(), [&](const TimeRange& range) {
        return range.contains(block.ts_min, block.ts_max);
      });
    }
    return std::any_of(node.seqs.begin(), node.seqs.end(), [&](const SeqRange& range) {
      return range.first <= block.first_seq.value &&
             block.first_seq.value + block.rows - 1 <= range.last;
    });
  });
}

// The one condition that is left of the query in this unit, once conditions that hold throughout
// are taken away; null when there are more, `all` when there is none.
[[nodiscard]] const BoundNode* only_condition(const SegmentScan& scan, const Unit& unit) {
  static const BoundNode all;
  const BoundNode& bound = scan.bound();
  const auto holds = [&](const BoundNode& node) {
    return (node.is(Kind::time) || node.is(Kind::seq)) && holds_throughout(node, scan, unit);
  };
  if (!bound.is(Kind::conjunction)) {
    return holds(bound) ? &all : &bound;
  }
  const BoundNode* only = &all;
  for (const BoundNode& child : bound.children) {
    if (holds(child)) {
      continue;
    }
    if (only != &all) {
      return nullptr;
    }
    only = &child;
  }
  return only;
}

// Rows of the unit; nothing where some are not visible or cannot be read.
[[nodiscard]] std::optional<std::uint64_t> complete_rows(const SegmentScan& scan,
                                                         const Unit& unit) {
  std::uint64_t rows = 0;
  for (const Unit::Slice& slice : unit.slices) {
    if (scan.excluded(slice.block) || scan.visible_rows(slice.block) != slice.rows) {
      return std::nullopt;
    }
    rows += slice.rows;
  }
  return rows;
}

// Whether the unit's rows are those of its chunk; it may lack blocks where nothing matches.
[[nodiscard]] bool is_whole_chunk(const SegmentScan& scan, const Unit& unit, std::uint64_t rows) {
  return unit.is_chunk() &&
         rows == std::min<std::uint64_t>(limits::chunk_rows, scan.info().rows - unit.first_row);
}

// The unit's count, where cardinalities tell it.
[[nodiscard]] std::optional<std::uint64_t> count_by_cardinality(const SegmentScan& scan,
                                                                const Unit& unit) {
  const auto rows = complete_rows(scan, unit);
  const BoundNode* only = only_condition(scan, unit);
  if (!rows || only == nullptr) {
    return std::nullopt;
  }
  if (only->is(Kind::all)) {
    return rows;
  }
  const bool by_bitmaps =
      only->postings != nullptr && only->postings->rare_strips.empty() && totals_add_up(*only);
  if (!by_bitmaps || !is_whole_chunk(scan, unit, *rows)) {
    return std::nullopt;
  }
  std::uint64_t count = 0;
  for (const auto& bitmap : only->postings->bitmaps) {
    count += bitmap->count(unit.chunk());
  }
  return count;
}

}  // namespace

Unit without_whole_blocks(const SegmentScan& scan, const Unit& unit) {
  if (!scan.sealed()) {
    return unit;
  }
  Unit rest = unit;
  rest.slices.clear();
  for (const Unit::Slice& slice : unit.slices) {
    Unit alone = unit;
    alone.slices = {slice};
    const BoundNode* only = only_condition(scan, alone);
    if (!complete_rows(scan, alone) || only == nullptr || !only->is(Kind::all)) {
      rest.slices.push_back(slice);
    }
  }
  if (!rest.slices.empty()) {
    rest.words =
        index::WordRange{rest.slices.front().words().begin, rest.slices.back().words().end};
  }
  return rest;
}

bool matches_whole_segment(const SegmentScan& scan) {
  return scan.sealed() && scan.bound().is(Kind::all) && !scan.blocks().empty() && all_visible(scan);
}

Result<std::uint64_t> count_rows(Execution& execution, SegmentScan& scan) {
  if (scan.sealed()) {
    if (const auto count = count_by_totals(scan)) {
      return *count;
    }
  }
  std::uint64_t count = 0;
  const auto bits = std::make_unique<index::RowBits>();
  DOCKET_TRY(execution.for_each_unit(scan, [&](const Unit& unit) {
    if (scan.sealed()) {
      if (const auto known = count_by_cardinality(scan, unit)) {
        count += *known;
        return;
      }
    }
    if (scan.evaluate(unit, *bits)) {
      count += bits->count(unit.words);
    }
  }));
  return count;
}

}  // namespace docket::query
