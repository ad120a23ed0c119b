// Deciding how a bound query is answered in a sealed segment: which conditions use postings, in
// which order conditions are looked at, and which blocks can be left out altogether.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/segment_reader.hpp"
#include "index/segment_index.hpp"
#include "query/bound_node.hpp"

namespace docket::query {

// The postings of one condition: rows of its frequent values as bitmaps, strips of its rare ones.
struct LeafPostings {
  std::vector<std::shared_ptr<const index::RowBitmap>> bitmaps;
  std::vector<bool> rare_strips;  // by strip of rows; empty when no value is rare
  std::uint64_t rows = 0;         // sum over the values; a row with several counts several times

  // Whether a rare value occurs in a strip that has rows from `begin` up to `end`.
  [[nodiscard]] bool rare_in(std::uint32_t begin, std::uint32_t end) const;
};

// What reading the postings came to.
struct PlanCounters {
  std::uint64_t postings_read = 0;
};

// Whether some condition could use postings.
[[nodiscard]] bool needs_postings(const BoundNode& node);

// Attaches postings where that is cheaper than scanning (`index` may be null: never), estimates,
// and sorts the children of con- and disjunctions. An unreadable section only means that its
// condition is scanned.
void plan(BoundNode& node, const index::SegmentIndex* index, std::uint32_t rows,
          PlanCounters& counters);

// For each block whether a row of it could match, by postings, time and seq.
[[nodiscard]] std::vector<bool> possible_blocks(const BoundNode& node,
                                                std::span<const BlockInfo> blocks);

}  // namespace docket::query
