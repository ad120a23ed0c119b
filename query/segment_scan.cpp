#include "query/segment_scan.hpp"

#include <algorithm>
#include <utility>

#include "engine/assert.hpp"
#include "query/binder.hpp"
#include "query/planner.hpp"

namespace docket::query {
namespace {

// Whether every chunk of rows is made of whole blocks that begin at multiples of 64, so that they
// can be looked at together, with the bits of postings as they are. Blocks of large payloads have
// fewer rows, and so has one before a gap.
[[nodiscard]] bool is_aligned(std::span<const BlockInfo> blocks) {
  return std::all_of(blocks.begin(), blocks.end(), [](const BlockInfo& block) {
    return block.rows != 0 && block.first_row % 64 == 0 &&
           block.first_row / limits::chunk_rows ==
               (block.first_row + block.rows - 1) / limits::chunk_rows;
  });
}

}  // namespace

SegmentScan::SegmentScan(QueryContext& context, std::shared_ptr<const SegmentReader> segment,
                         std::uint32_t log, Seq watermark)
    : context_(context), segment_(std::move(segment)), log_(log), watermark_(watermark) {}

bool SegmentScan::outside() const {
  const SegmentInfo& segment = info();
  const Query& query = *context_.query;
  return segment.rows == 0 || segment.first_seq > watermark_ || segment.ts_max < query.since ||
         (segment.ts_min >= query.until && query.until != INT64_MAX);
}

void SegmentScan::prepare() {
  if (prepared_) {
    return;
  }
  prepared_ = true;
  ++context_.counters->segments;
  auto blocks = segment_->blocks();
  if (!blocks) {
    exclude_all(blocks.error());
    return;
  }
  blocks_ = *blocks;
  possible_.assign(blocks_.size(), true);
  excluded_.assign(blocks_.size(), false);
  evaluator_.emplace(*segment_, blocks_, *context_.counters, context_.payload_searchers);
  if (sealed()) {
    aligned_ = is_aligned(blocks_);
    if (auto done = prepare_sealed(); !done) {
      exclude_all(done.error());
      return;
    }
  }
  // Seqs rise: those that are not visible yet are the last.
  for (std::size_t block = blocks_.size(); block-- > 0 && blocks_[block].first_seq > watermark_;) {
    possible_[block] = false;
  }
  if (bound_.is(BoundNode::Kind::none)) {
    ++context_.counters->segments_pruned;
    return;
  }
  context_.counters->blocks += blocks_.size();
  context_.counters->blocks_pruned +=
      static_cast<std::uint64_t>(std::count(possible_.begin(), possible_.end(), false));
}

Result<void> SegmentScan::prepare_sealed() {
  BindScope scope(*segment_, 0, [this] { return index(); });
  scope.log = info().log;
  scope.first_seq = info().first_seq.value;
  scope.last_seq = info().last_seq.value;
  scope.ts_min = info().ts_min;
  scope.ts_max = info().ts_max;
  DOCKET_ASSIGN(bound_, bind(context_.compiled, scope));
  PlanCounters counters;
  plan(bound_, needs_postings(bound_) ? index().get() : nullptr, info().rows, counters);
  context_.counters->postings_read += counters.postings_read;
  possible_ = possible_blocks(bound_, blocks_);
  return {};
}

std::shared_ptr<const index::SegmentIndex> SegmentScan::index() {
  if (!looked_for_index_ && sealed()) {
    looked_for_index_ = true;
    // Without an index everything is scanned; if the segment itself is at fault, that will tell.
    if (auto found = context_.catalog->of(segment_)) {
      index_ = std::move(*found);
    }
  }
  return index_;
}

bool SegmentScan::is_time_sorted(std::uint32_t block) {
  if (!looked_for_order_) {
    looked_for_order_ = true;
    // Worth a look into an index that is there, but not to make one.
    const auto index = index_ != nullptr ? index_ : context_.catalog->existing(segment_);
    if (index != nullptr && index->blocks() == blocks_.size()) {
      time_sorted_ = index->time_sorted().value_or(nullptr);
    }
  }
  return time_sorted_ != nullptr && (*time_sorted_)[block];
}

std::uint32_t SegmentScan::visible_rows(std::uint32_t block) const {
  const BlockInfo& info = blocks_[block];
  if (info.first_seq > watermark_) {
    return 0;
  }
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(info.rows, watermark_ - info.first_seq + 1));
}

Unit SegmentScan::block_unit(std::uint32_t block) const {
  const BlockInfo& info = blocks_[block];
  Unit unit;
  const std::uint32_t at = aligned_ ? info.first_row % limits::chunk_rows : 0;
  unit.first_row = info.first_row - at;
  unit.slices.push_back(Unit::Slice{block, at, info.rows});
  unit.words = index::WordRange{at / 64, (at + info.rows + 63) / 64};
  return unit;
}

std::vector<Unit> SegmentScan::units() const {
  std::vector<Unit> units;
  for (std::uint32_t block = 0; block < blocks_.size(); ++block) {
    if (!possible(block)) {
      continue;
    }
    Unit unit = block_unit(block);
    if (aligned_ && !units.empty() && units.back().first_row == unit.first_row) {
      units.back().slices.push_back(unit.slices.front());
      units.back().words.end = unit.words.end;
    } else {
      units.push_back(std::move(unit));
    }
  }
  return units;
}

Result<BoundNode> SegmentScan::bind_block(std::uint32_t block) const {
  const BlockInfo& info = blocks_[block];
  BindScope scope(*segment_, block, {});
  scope.log = segment_->info().log;
  scope.first_seq = info.first_seq.value;
  scope.last_seq = info.first_seq.value + info.rows - 1;
  scope.ts_min = info.ts_min;
  scope.ts_max = info.ts_max;
  DOCKET_ASSIGN(BoundNode bound, bind(context_.compiled, scope));
  PlanCounters counters;
  plan(bound, nullptr, info.rows, counters);
  return bound;
}

void SegmentScan::set_visible_rows(const Unit& unit, index::RowBits& bits) const {
  bits.clear(unit.words);
  for (const Unit::Slice& slice : unit.slices) {
    if (!excluded_[slice.block]) {
      bits.set_rows(slice.at, slice.at + visible_rows(slice.block));
    }
  }
}

bool SegmentScan::evaluate(const Unit& unit, index::RowBits& bits) {
  BoundNode block_bound;
  const BoundNode* node = &bound_;
  if (!sealed()) {
    const std::uint32_t block = unit.slices.front().block;
    auto bound = bind_block(block);
    if (!bound) {
      exclude(block, bound.error());
      return false;
    }
    block_bound = std::move(*bound);
    node = &block_bound;
  }
  for (;;) {
    set_visible_rows(unit, bits);
    const Evaluated done = evaluator_->restrict(*node, unit, bits);
    if (done) {
      return bits.any(unit.words);
    }
    // Each turn excludes one more block, so that this ends.
    exclude(done.error().block, done.error().error);
  }
}

void SegmentScan::exclude(std::uint32_t block, const Error& error) {
  DOCKET_ASSERT(!excluded_[block]);
  excluded_[block] = true;
  const BlockInfo& info = blocks_[block];
  context_.gaps.add(segment_->info().log, info.first_seq, info.first_seq + (info.rows - 1), error);
}

void SegmentScan::exclude_all(const Error& error) {
  blocks_ = {};
  possible_.clear();
  excluded_.clear();
  context_.counters->files_gone += error.code == ErrorCode::not_found ? 1 : 0;
  context_.gaps.add(info().log, info().first_seq, info().last_seq, error);
}

}  // namespace docket::query
