// Finding the rows of a unit (a chunk of a sealed segment, or a block) that a bound query matches.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/limits.hpp"
#include "engine/segment_reader.hpp"
#include "index/row_bitmap.hpp"
#include "index/row_bits.hpp"
#include "query/bound_node.hpp"
#include "query/diff.hpp"
#include "query/payload_match.hpp"
#include "query/searcher.hpp"
#include "query/worker_pool.hpp"

namespace docket::query {

// Blocks whose rows are looked at together. Row r of block `slices[i].block` is bit at + r.
struct Unit {
  struct Slice {
    std::uint32_t block = 0;
    std::uint32_t at = 0;  // a multiple of 64
    std::uint32_t rows = 0;

    [[nodiscard]] index::WordRange words() const {
      return index::WordRange{at / 64, (at + rows + 63) / 64};
    }
  };
  std::vector<Slice> slices;
  index::WordRange words;  // that the slices cover
  // Bit b is row first_row + b of the segment.
  std::uint32_t first_row = 0;

  // Whether the bits are those of a chunk of the segment, as postings have them, and of which.
  [[nodiscard]] bool is_chunk() const { return first_row % limits::chunk_rows == 0; }
  [[nodiscard]] std::uint32_t chunk() const { return first_row / limits::chunk_rows; }
};

// A block that could not be read.
struct BlockFailure {
  std::uint32_t block = 0;
  Error error;
};
using Evaluated = tl::expected<void, BlockFailure>;

// What the scans of one query, one after the other, search payloads with: a run of payloads in
// memory for each worker.
struct PayloadSearchers {
  struct Searcher {
    PayloadBuffer buffer;
    TokenScan scan;
    DiffReader diffs;
    std::vector<std::uint32_t> rows;
  };
  WorkerPool* workers = nullptr;  // null: none help
  std::vector<Searcher> of_worker;
};

// Not thread-safe. `segment`, `counters` and `searchers` must outlive it.
class Evaluator {
 public:
  Evaluator(const SegmentReader& segment, std::span<const BlockInfo> blocks,
            ExecutionCounters& counters, PayloadSearchers& searchers);

  // Clears the bits of rows that do not match. After a failure the bits are undefined.
  [[nodiscard]] Evaluated restrict(const BoundNode& node, const Unit& unit, index::RowBits& bits);

 private:
  [[nodiscard]] Evaluated restrict_ids(const BoundNode& node, const Unit& unit,
                                       index::RowBits& bits);
  // Adds the rows of a posting to `found`, which are the unit's bits.
  void add_posting(const index::RowBitmap& bitmap, const Unit& unit, index::RowBits& found);
  // Sets the bits of `found` for candidates of the slice that match.
  [[nodiscard]] Evaluated scan(const BoundNode& node, const Unit::Slice& slice,
                               const std::uint64_t* candidates, std::uint64_t* found);
  [[nodiscard]] Evaluated scan_related(const BoundNode& node, const Unit::Slice& slice,
                                       const std::uint64_t* candidates, std::uint64_t* found);
  [[nodiscard]] Evaluated restrict_time(const BoundNode& node, const Unit& unit,
                                        index::RowBits& bits);
  void restrict_seq(const BoundNode& node, const Unit& unit, index::RowBits& bits) const;
  [[nodiscard]] Evaluated restrict_payload(const BoundNode& node, const Unit& unit,
                                           index::RowBits& bits);
  [[nodiscard]] Evaluated restrict_disjunction(const BoundNode& node, const Unit& unit,
                                               index::RowBits& bits);
  [[nodiscard]] Evaluated restrict_negation(const BoundNode& node, const Unit& unit,
                                            index::RowBits& bits);

  // Runs of payloads of a slice, or the few payloads of a slice that are asked for.
  struct PayloadTask {
    const Unit::Slice* slice = nullptr;
    std::shared_ptr<const PayloadRuns> runs;  // null: few
    std::array<std::size_t, runs_at_once> numbers{};
    std::size_t count = 0;
  };
  // Collects the runs that have a row of `bits`. Returns how many such rows there are.
  [[nodiscard]] tl::expected<std::uint64_t, BlockFailure> collect_payload_tasks(
      const BoundNode& node, const Unit& unit, const index::RowBits& bits,
      std::vector<PayloadTask>& tasks) const;
  // Sets the bits of `found` for candidates that match.
  [[nodiscard]] Evaluated search_payloads(const BoundNode& node, const Unit& unit,
                                          const index::RowBits& candidates, index::RowBits& found);
  // The same for one task. Called by several threads at a time.
  [[nodiscard]] Result<void> search_task(const PayloadMatcher& matcher, const PayloadTask& task,
                                         PayloadSearchers::Searcher& search,
                                         const index::RowBits& candidates,
                                         index::RowBits& found) const;
  // Calls `take` with the rows of a task's i-th run that match, which was looked through without
  // being decoded.
  template <typename Take>
  static void take_scanned(const PayloadMatcher& matcher, const PayloadTask& task, std::size_t i,
                           PayloadSearchers::Searcher& search, const index::RowBits& candidates,
                           const Take& take);
  // Lists the rows of the slice in [begin, end) that are candidates, counted from `begin`.
  static void list_candidates(const Unit::Slice& slice, std::uint32_t begin, std::uint32_t end,
                              const index::RowBits& candidates, std::vector<std::uint32_t>& into);
  // Clears the bits of rows outside the strips of rare values.
  void keep_rare(const LeafPostings& postings, const Unit& unit, index::RowBits& bits) const;

  // Scratch bits for one level of recursion; given back when the handle goes.
  class Scratch;

  const SegmentReader& segment_;
  std::span<const BlockInfo> blocks_;
  ExecutionCounters& counters_;
  PayloadSearchers& searchers_;
  std::vector<std::unique_ptr<index::RowBits>> free_bits_;
};

}  // namespace docket::query
