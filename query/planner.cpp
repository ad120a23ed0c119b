#include "query/planner.hpp"

#include <algorithm>
#include <utility>

namespace docket::query {
namespace {

using Kind = BoundNode::Kind;

// Above so many values a scan of the column beats collecting their postings.
constexpr std::uint32_t posting_values_max = 1024;
// Each bitmap costs about as much in a chunk as scanning a block of a column.
constexpr std::size_t posting_bitmaps_max = 32;
// Payloads cost far more than columns.
constexpr std::size_t posting_bitmaps_for_payloads_max = posting_values_max;

[[nodiscard]] std::shared_ptr<const LeafPostings> load_postings(const BoundNode& leaf,
                                                                const index::SegmentIndex& index,
                                                                PlanCounters& counters) {
  const IdSet& values = leaf.index_values();
  if (values.size() > posting_values_max ||
      values.ranges().back().end > index.values(leaf.dimension)) {
    return nullptr;
  }
  const std::size_t bitmaps_max =
      leaf.is(Kind::payload) ? posting_bitmaps_for_payloads_max : posting_bitmaps_max;
  auto postings = std::make_shared<LeafPostings>();
  std::vector<std::uint32_t> strips;
  std::shared_ptr<const index::ValuePage> page;
  std::uint32_t page_first = UINT32_MAX;
  for (const IdRange& range : values.ranges()) {
    for (std::uint32_t value = range.begin; value < range.end; ++value) {
      const std::uint32_t place = value % index::page_values;
      if (value - place != page_first) {
        auto loaded = index.page(leaf.dimension, value);
        if (!loaded) {
          return nullptr;
        }
        page = std::move(*loaded);
        page_first = value - place;
      }
      postings->rows += page->rows(place);
      ++counters.postings_read;
      if (!page->frequent(place)) {
        page->strips(place, strips);
        continue;
      }
      if (postings->bitmaps.size() == bitmaps_max) {
        return nullptr;
      }
      auto bitmap = index.bitmap(leaf.dimension, value);
      if (!bitmap || (*bitmap)->total() != page->rows(place)) {
        return nullptr;
      }
      postings->bitmaps.push_back(std::move(*bitmap));
    }
  }
  if (!strips.empty()) {
    postings->rare_strips.resize(index.shape().strips());
    for (const std::uint32_t strip : strips) {
      postings->rare_strips[strip] = true;
    }
  }
  return postings;
}

// Reading payloads costs more than anything else, however few rows the other conditions leave.
[[nodiscard]] bool reads_payloads(const BoundNode& node) {
  const bool here =
      node.is(Kind::payload) && (node.postings == nullptr || !node.postings->rare_strips.empty());
  return here || std::any_of(node.children.begin(), node.children.end(),
                             [](const BoundNode& c) { return reads_payloads(c); });
}

void estimate(BoundNode& node, std::uint32_t rows) {
  switch (node.kind) {
    case Kind::none:
      node.rows_estimate = 0;
      return;
    case Kind::ids:
    case Kind::payload:
      node.rows_estimate =
          node.postings != nullptr ? std::min<std::uint64_t>(node.postings->rows, rows) : rows;
      return;
    case Kind::conjunction:
      node.rows_estimate = rows;
      for (const BoundNode& child : node.children) {
        node.rows_estimate = std::min(node.rows_estimate, child.rows_estimate);
      }
      return;
    case Kind::disjunction: {
      std::uint64_t sum = 0;
      for (const BoundNode& child : node.children) {
        sum += child.rows_estimate;
      }
      node.rows_estimate = std::min<std::uint64_t>(sum, rows);
      return;
    }
    case Kind::all:
    case Kind::time:
    case Kind::seq:
    case Kind::negation:
      node.rows_estimate = rows;
      return;
  }
}

// Time and seq first: for most blocks they are decided without looking at a row.
[[nodiscard]] int rank(const BoundNode& node) {
  if (node.is(Kind::time) || node.is(Kind::seq)) {
    return 0;
  }
  return reads_payloads(node) ? 2 : 1;
}

void sort_children(BoundNode& node) {
  std::stable_sort(
      node.children.begin(), node.children.end(), [](const BoundNode& a, const BoundNode& b) {
        return std::pair(rank(a), a.rows_estimate) < std::pair(rank(b), b.rows_estimate);
      });
}

[[nodiscard]] std::vector<bool> leaf_blocks(const LeafPostings& postings,
                                            std::span<const BlockInfo> blocks) {
  std::vector<bool> possible(blocks.size(), false);
  for (std::size_t block = 0; block < blocks.size(); ++block) {
    bool found =
        postings.rare_in(blocks[block].first_row, blocks[block].first_row + blocks[block].rows);
    const std::uint32_t first = blocks[block].first_row / limits::chunk_rows;
    const std::uint32_t last =
        (blocks[block].first_row + blocks[block].rows - 1) / limits::chunk_rows;
    for (const auto& bitmap : postings.bitmaps) {
      found = found || bitmap->count(first) != 0 || bitmap->count(last) != 0;
    }
    possible[block] = found;
  }
  return possible;
}

template <typename Possible>
[[nodiscard]] std::vector<bool> blocks_where(std::span<const BlockInfo> blocks,
                                             const Possible& possible) {
  std::vector<bool> result(blocks.size());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    result[i] = possible(blocks[i]);
  }
  return result;
}

}  // namespace

bool LeafPostings::rare_in(std::uint32_t begin, std::uint32_t end) const {
  const auto strips = static_cast<std::uint32_t>(rare_strips.size());
  const std::uint32_t last = std::min(strips, (end + index::strip_rows - 1) / index::strip_rows);
  for (std::uint32_t strip = begin / index::strip_rows; strip < last; ++strip) {
    if (rare_strips[strip]) {
      return true;
    }
  }
  return false;
}

bool needs_postings(const BoundNode& node) {
  return node.has_values() || std::any_of(node.children.begin(), node.children.end(),
                                          [](const BoundNode& c) { return needs_postings(c); });
}

void plan(BoundNode& node, const index::SegmentIndex* index, std::uint32_t rows,
          PlanCounters& counters) {
  for (BoundNode& child : node.children) {
    plan(child, index, rows, counters);
  }
  if (node.has_values() && index != nullptr) {
    node.postings = load_postings(node, *index, counters);
  }
  estimate(node, rows);
  sort_children(node);
}

std::vector<bool> possible_blocks(const BoundNode& node, std::span<const BlockInfo> blocks) {
  switch (node.kind) {
    case Kind::none:
      return std::vector<bool>(blocks.size(), false);
    case Kind::ids:
      if (node.postings != nullptr) {
        return leaf_blocks(*node.postings, blocks);
      }
      break;
    case Kind::time:
      return blocks_where(blocks, [&](const BlockInfo& block) {
        return std::any_of(node.times.begin(), node.times.end(), [&](const TimeRange& range) {
          return range.overlaps(block.ts_min, block.ts_max);
        });
      });
    case Kind::seq:
      return blocks_where(blocks, [&](const BlockInfo& block) {
        return std::any_of(node.seqs.begin(), node.seqs.end(), [&](const SeqRange& range) {
          return range.first < block.first_seq.value + block.rows &&
                 block.first_seq.value <= range.last;
        });
      });
    case Kind::payload:
      if (node.postings != nullptr) {
        return leaf_blocks(*node.postings, blocks);
      }
      return blocks_where(blocks, [&](const BlockInfo& block) {
        const auto number = static_cast<std::size_t>(&block - blocks.data());
        return block.has_payload &&
               (node.possible_blocks == nullptr || (*node.possible_blocks)[number]);
      });
    case Kind::conjunction:
    case Kind::disjunction: {
      const bool conjunction = node.is(Kind::conjunction);
      std::vector<bool> result(blocks.size(), conjunction);
      for (const BoundNode& child : node.children) {
        const std::vector<bool> part = possible_blocks(child, blocks);
        for (std::size_t i = 0; i < blocks.size(); ++i) {
          result[i] = conjunction ? result[i] && part[i] : result[i] || part[i];
        }
      }
      return result;
    }
    case Kind::all:
    case Kind::negation:
      break;
  }
  return std::vector<bool>(blocks.size(), true);
}

}  // namespace docket::query
