// One segment under one query: bound, planned, and evaluated unit by unit, with what cannot be read
// left out and told as gaps.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/snapshot.hpp"
#include "index/catalog.hpp"
#include "index/row_bits.hpp"
#include "query/bound_node.hpp"
#include "query/compiled_query.hpp"
#include "query/evaluator.hpp"
#include "query/gap_collector.hpp"
#include "query/searcher.hpp"

namespace docket::query {

// What the scans of one query share. Not thread-safe.
struct QueryContext {
  const Query* query = nullptr;
  CompiledNode compiled;
  index::Catalog* catalog = nullptr;
  ExecutionCounters* counters = nullptr;
  GapCollector gaps;
  const std::atomic<bool>* cancel = nullptr;
  PayloadSearchers payload_searchers;

  [[nodiscard]] bool cancelled() const {
    return cancel != nullptr && cancel->load(std::memory_order_relaxed);
  }
};

// Not thread-safe. The context and the segment must outlive it.
class SegmentScan {
 public:
  // Events after `watermark` are left out. `log` is the log's place among the snapshot's.
  SegmentScan(QueryContext& context, std::shared_ptr<const SegmentReader> segment,
              std::uint32_t log, Seq watermark);

  [[nodiscard]] const SegmentReader& segment() const { return *segment_; }
  [[nodiscard]] const SegmentInfo& info() const { return segment_->info(); }
  [[nodiscard]] std::uint32_t log() const { return log_; }
  // Whether the segment can be left out by what is known without reading it.
  [[nodiscard]] bool outside() const;

  // Reads the directory and binds the query, once; afterwards blocks(), possible() and the rest
  // may be asked. When that fails the segment becomes a gap and has no blocks.
  void prepare();

  [[nodiscard]] std::span<const BlockInfo> blocks() const { return blocks_; }
  [[nodiscard]] bool possible(std::uint32_t block) const {
    return possible_[block] && !excluded_[block];
  }
  // Sealed and planned as a whole; an active segment is bound block by block.
  [[nodiscard]] bool sealed() const { return info().sealed; }
  // The bound query of a sealed segment.
  [[nodiscard]] const BoundNode& bound() const { return bound_; }
  // The index of a sealed segment where the planner had a use for it, or as asked; null when there
  // is none.
  [[nodiscard]] std::shared_ptr<const index::SegmentIndex> index();
  // Whether the block's rows are known to stand in the order of their time.
  [[nodiscard]] bool is_time_sorted(std::uint32_t block);

  // The units to evaluate, blocks that are impossible left out: chunks of a sealed segment, blocks
  // of an active one.
  [[nodiscard]] std::vector<Unit> units() const;
  [[nodiscard]] Unit block_unit(std::uint32_t block) const;

  // Sets `bits` to the unit's matching rows. Blocks that cannot be read become gaps and are left
  // out. Returns whether there is any row.
  bool evaluate(const Unit& unit, index::RowBits& bits);
  // The block's rows are unreadable for what comes after evaluation: it becomes a gap and is left
  // out from now on.
  void exclude(std::uint32_t block, const Error& error);
  // The same for the whole segment.
  void exclude_all(const Error& error);
  [[nodiscard]] bool excluded(std::uint32_t block) const { return excluded_[block]; }

  [[nodiscard]] Seq seq_of(std::uint32_t block, std::uint32_t row_in_block) const {
    return blocks_[block].first_seq + row_in_block;
  }
  // Rows of the block that are not after the watermark.
  [[nodiscard]] std::uint32_t visible_rows(std::uint32_t block) const;

 private:
  [[nodiscard]] Result<void> prepare_sealed();
  [[nodiscard]] Result<BoundNode> bind_block(std::uint32_t block) const;
  void set_visible_rows(const Unit& unit, index::RowBits& bits) const;

  QueryContext& context_;
  std::shared_ptr<const SegmentReader> segment_;
  std::uint32_t log_;
  Seq watermark_;
  bool prepared_ = false;
  bool aligned_ = false;
  bool looked_for_index_ = false;
  bool looked_for_order_ = false;
  std::span<const BlockInfo> blocks_;
  std::vector<bool> possible_;
  std::vector<bool> excluded_;
  BoundNode bound_;
  std::shared_ptr<const index::SegmentIndex> index_;
  std::shared_ptr<const std::vector<bool>> time_sorted_;  // by block
  std::optional<Evaluator> evaluator_;
};

}  // namespace docket::query
