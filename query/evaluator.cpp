#include "query/evaluator.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <new>
#include <utility>

#include "engine/assert.hpp"
#include "query/column_scan.hpp"
#include "query/planner.hpp"

namespace docket::query {
namespace {

using index::RowBits;
using index::WordRange;
using Kind = BoundNode::Kind;

// Words of one block at most.
using BlockWords = std::array<std::uint64_t, limits::block_rows_max / 64>;

[[nodiscard]] tl::unexpected<BlockFailure> failure(std::uint32_t block, Error error) {
  return tl::unexpected<BlockFailure>(BlockFailure{block, std::move(error)});
}

[[nodiscard]] Error short_column() {
  return Error{ErrorCode::corrupt, "a column has fewer values than its block has rows", 0, 0, 0};
}

}  // namespace

class Evaluator::Scratch {
 public:
  explicit Scratch(Evaluator& owner) : owner_(owner) {
    if (owner.free_bits_.empty()) {
      bits_ = std::make_unique<RowBits>();
    } else {
      bits_ = std::move(owner.free_bits_.back());
      owner.free_bits_.pop_back();
    }
  }
  ~Scratch() {
    try {
      owner_.free_bits_.push_back(std::move(bits_));
    } catch (const std::bad_alloc&) {
      // No memory to remember it by: it is freed, and made anew when it is wanted.
    }
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  RowBits& operator*() { return *bits_; }
  RowBits* operator->() { return bits_.get(); }

 private:
  Evaluator& owner_;
  std::unique_ptr<RowBits> bits_;
};

Evaluator::Evaluator(const SegmentReader& segment, std::span<const BlockInfo> blocks,
                     ExecutionCounters& counters)
    : segment_(segment), blocks_(blocks), counters_(counters) {}

Evaluated Evaluator::restrict(const BoundNode& node, const Unit& unit, RowBits& bits) {
  switch (node.kind) {
    case Kind::none:
      bits.clear(unit.words);
      return {};
    case Kind::all:
      return {};
    case Kind::ids:
      return restrict_ids(node, unit, bits);
    case Kind::time:
      return restrict_time(node, unit, bits);
    case Kind::seq:
      restrict_seq(node, unit, bits);
      return {};
    case Kind::payload:
      return restrict_payload(node, unit, bits);
    case Kind::conjunction:
      for (const BoundNode& child : node.children) {
        if (auto done = restrict(child, unit, bits); !done || !bits.any(unit.words)) {
          return done;
        }
      }
      return {};
    case Kind::disjunction:
      return restrict_disjunction(node, unit, bits);
    case Kind::negation:
      return restrict_negation(node, unit, bits);
  }
  return {};
}

Evaluated Evaluator::restrict_ids(const BoundNode& node, const Unit& unit, RowBits& bits) {
  const bool use_postings = node.postings != nullptr;
  Scratch found(*this);
  found->clear(unit.words);
  if (use_postings) {
    for (const auto& bitmap : node.postings->bitmaps) {
      add_posting(*bitmap, unit, *found);
    }
  }
  for (const Unit::Slice& slice : unit.slices) {
    if (use_postings && node.postings->rare_strips.empty()) {
      break;
    }
    const WordRange words = slice.words();
    const std::uint32_t first_row = blocks_[slice.block].first_row;
    BlockWords candidates;
    std::uint64_t any = 0;
    for (std::uint32_t i = words.begin; i < words.end; ++i) {
      const std::uint32_t row = first_row + (i - words.begin) * 64;
      const bool looked_at = !use_postings || node.postings->rare_in(row, row + 64);
      candidates[i - words.begin] = looked_at ? bits.words[i] & ~found->words[i] : 0;
      any |= candidates[i - words.begin];
    }
    if (any == 0) {
      continue;
    }
    if (auto done = scan(node, slice, candidates.data(), found->words.data() + words.begin);
        !done) {
      return done;
    }
  }
  bits.and_with(*found, unit.words);
  return {};
}

void Evaluator::add_posting(const index::RowBitmap& bitmap, const Unit& unit, RowBits& found) {
  if (unit.is_chunk()) {
    bitmap.add_to(unit.chunk(), found, unit.words);
    return;
  }
  // A block that begins anywhere: its bits are moved here from the one or two chunks it lies in.
  Scratch chunk_bits(*this);
  const std::uint32_t end = unit.first_row + unit.words.end * 64;
  for (std::uint32_t chunk = unit.first_row / limits::chunk_rows;
       chunk < bitmap.chunks() && chunk * limits::chunk_rows < end; ++chunk) {
    chunk_bits->clear({});
    bitmap.add_to(chunk, *chunk_bits, {});
    for (std::uint32_t i = unit.words.begin; i < unit.words.end; ++i) {
      found.words[i] |= chunk_bits->word_at(std::int64_t{unit.first_row} + i * 64 -
                                            std::int64_t{chunk} * limits::chunk_rows);
    }
  }
}

Evaluated Evaluator::scan(const BoundNode& node, const Unit::Slice& slice,
                          const std::uint64_t* candidates, std::uint64_t* found) {
  auto column = segment_.column(slice.block, node.column);
  if (!column) {
    return failure(slice.block, std::move(column).error());
  }
  if (column->size() < slice.rows) {
    return failure(slice.block, short_column());
  }
  ++counters_.columns_scanned;
  BlockWords matched;
  match_column(*column, node.ids, slice.rows, candidates, matched.data());
  for (std::uint32_t i = 0; i < (slice.rows + 63) / 64; ++i) {
    found[i] |= matched[i];
  }
  if (node.related && blocks_[slice.block].has_related) {
    return scan_related(node, slice, candidates, found);
  }
  return {};
}

Evaluated Evaluator::scan_related(const BoundNode& node, const Unit::Slice& slice,
                                  const std::uint64_t* candidates, std::uint64_t* found) {
  const auto related = segment_.related(slice.block);
  if (!related) {
    return failure(slice.block, related.error());
  }
  const RelatedColumn& column = **related;
  if (column.starts.empty()) {
    return {};
  }
  if (column.starts.size() <= slice.rows) {
    return failure(slice.block, short_column());
  }
  // Most of a block's related targets match nothing: pass over them all, and find out whose one is
  // only where it does.
  for (std::uint32_t i = 0; i < column.targets.size(); ++i) {
    if (!node.ids.contains(column.targets[i])) {
      continue;
    }
    const auto after = std::upper_bound(column.starts.begin(), column.starts.end(), i);
    const auto row = static_cast<std::uint32_t>(after - column.starts.begin()) - 1;
    if (row < slice.rows) {
      found[row / 64] |= candidates[row / 64] & (std::uint64_t{1} << (row % 64));
    }
  }
  return {};
}

Evaluated Evaluator::restrict_time(const BoundNode& node, const Unit& unit, RowBits& bits) {
  std::vector<std::uint64_t> times;
  for (const Unit::Slice& slice : unit.slices) {
    const BlockInfo& block = blocks_[slice.block];
    const WordRange words = slice.words();
    const auto covers = [&](const TimeRange& range) {
      return range.contains(block.ts_min, block.ts_max);
    };
    if (std::any_of(node.times.begin(), node.times.end(), covers)) {
      continue;
    }
    const auto overlaps = [&](const TimeRange& range) {
      return range.overlaps(block.ts_min, block.ts_max);
    };
    if (std::none_of(node.times.begin(), node.times.end(), overlaps)) {
      bits.clear(words);
      continue;
    }
    if (!bits.any(words)) {
      continue;
    }
    auto column = segment_.column(slice.block, RowColumn::ts);
    if (!column) {
      return failure(slice.block, std::move(column).error());
    }
    if (column->size() < slice.rows) {
      return failure(slice.block, short_column());
    }
    ++counters_.columns_scanned;
    times.resize(slice.rows);
    column->unpack(0, slice.rows, times.data());
    for (std::uint32_t i = words.begin; i < words.end; ++i) {
      for (std::uint64_t word = bits.words[i]; word != 0; word &= word - 1) {
        const std::uint32_t row =
            i * 64 + static_cast<std::uint32_t>(std::countr_zero(word)) - slice.at;
        const auto ts = static_cast<Nanos>(times[row]);
        if (std::none_of(node.times.begin(), node.times.end(),
                         [&](const TimeRange& range) { return range.contains(ts); })) {
          bits.words[i] &= ~(word & (~word + 1));
        }
      }
    }
  }
  return {};
}

void Evaluator::restrict_seq(const BoundNode& node, const Unit& unit, RowBits& bits) const {
  for (const Unit::Slice& slice : unit.slices) {
    const std::uint64_t first = blocks_[slice.block].first_seq.value;
    const WordRange words = slice.words();
    for (std::uint32_t i = words.begin; i < words.end; ++i) {
      std::uint64_t kept = 0;
      for (std::uint64_t word = bits.words[i]; word != 0; word &= word - 1) {
        const std::uint64_t seq =
            first + i * 64 + static_cast<std::uint64_t>(std::countr_zero(word)) - slice.at;
        if (std::any_of(node.seqs.begin(), node.seqs.end(), [&](const SeqRange& range) {
              return range.first <= seq && seq <= range.last;
            })) {
          kept |= word & (~word + 1);
        }
      }
      bits.words[i] = kept;
    }
  }
}

Evaluated Evaluator::restrict_payload(const BoundNode& node, const Unit& unit, RowBits& bits) {
  for (const Unit::Slice& slice : unit.slices) {
    const WordRange words = slice.words();
    if (!blocks_[slice.block].has_payload) {
      bits.clear(words);
      continue;
    }
    rows_.clear();
    bits.for_each(words, [&](std::uint32_t bit) { rows_.push_back(bit - slice.at); });
    bits.clear(words);
    if (rows_.empty()) {
      continue;
    }
    counters_.payload_rows_scanned += rows_.size();
    const auto done =
        segment_.payloads(slice.block, rows_, [&](std::uint32_t row, std::string_view payload) {
          if (row < slice.rows && !payload.empty() && node.payload->matches(payload, diffs_)) {
            const std::uint32_t bit = slice.at + row;
            bits.words[bit / 64] |= std::uint64_t{1} << (bit % 64);
          }
          return true;
        });
    if (!done) {
      return failure(slice.block, done.error());
    }
  }
  return {};
}

Evaluated Evaluator::restrict_disjunction(const BoundNode& node, const Unit& unit, RowBits& bits) {
  // Each child looks only at rows that no earlier one has found.
  Scratch rest(*this);
  Scratch part(*this);
  rest->copy_from(bits, unit.words);
  for (const BoundNode& child : node.children) {
    part->copy_from(*rest, unit.words);
    if (auto done = restrict(child, unit, *part); !done) {
      return done;
    }
    rest->and_not(*part, unit.words);
    if (!rest->any(unit.words)) {
      return {};
    }
  }
  bits.and_not(*rest, unit.words);
  return {};
}

Evaluated Evaluator::restrict_negation(const BoundNode& node, const Unit& unit, RowBits& bits) {
  Scratch part(*this);
  part->copy_from(bits, unit.words);
  if (auto done = restrict(node.children.front(), unit, *part); !done) {
    return done;
  }
  bits.and_not(*part, unit.words);
  return {};
}

}  // namespace docket::query
