#include "query/evaluator.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <functional>
#include <mutex>
#include <new>
#include <optional>
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

// As in a column scan, few rows are looked up one by one.
constexpr std::uint32_t look_up_instead = 16;

// So few payloads of a block are read one by one, by a reader that keeps what it decompresses at
// hand: whoever asks about a few rows asks again.
constexpr std::uint32_t few_payloads = 256;

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
                     ExecutionCounters& counters, PayloadSearchers& searchers)
    : segment_(segment), blocks_(blocks), counters_(counters), searchers_(searchers) {}

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
    if (bits.count(words) * look_up_instead < slice.rows) {
      bits.for_each(words, [&](std::uint32_t bit) {
        const auto ts = static_cast<Nanos>((*column)[bit - slice.at]);
        if (std::none_of(node.times.begin(), node.times.end(),
                         [&](const TimeRange& range) { return range.contains(ts); })) {
          bits.words[bit / 64] &= ~(std::uint64_t{1} << (bit % 64));
        }
      });
      continue;
    }
    times.resize(slice.rows);
    column->unpack(0, slice.rows, times.data());
    BlockWords within{};
    for (const TimeRange& range : node.times) {
      BlockWords of_range;
      match_times(times, range.since, range.until, of_range.data());
      std::transform(within.begin(), within.begin() + (words.end - words.begin), of_range.begin(),
                     within.begin(), std::bit_or());
    }
    std::transform(within.begin(), within.begin() + (words.end - words.begin),
                   bits.words.begin() + words.begin, bits.words.begin() + words.begin,
                   std::bit_and());
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

tl::expected<std::uint64_t, BlockFailure> Evaluator::collect_payload_tasks(
    const BoundNode& node, const Unit& unit, const RowBits& bits,
    std::vector<PayloadTask>& tasks) const {
  std::uint64_t rows = 0;
  for (const Unit::Slice& slice : unit.slices) {
    const bool possible = blocks_[slice.block].has_payload &&
                          (node.possible_blocks == nullptr || (*node.possible_blocks)[slice.block]);
    if (!possible || !bits.any(slice.words())) {
      continue;
    }
    if (const std::uint32_t few = bits.count(slice.words()); few <= few_payloads) {
      rows += few;
      tasks.emplace_back().slice = &slice;
      continue;
    }
    auto runs = segment_.payload_runs(slice.block);
    if (!runs) {
      return failure(slice.block, std::move(runs).error());
    }
    const std::span<const std::uint32_t> first_rows =
        *runs == nullptr ? std::span<const std::uint32_t>() : (*runs)->first_rows();
    if (!first_rows.empty() && first_rows.back() != slice.rows) {
      return failure(slice.block, short_column());
    }
    for (std::size_t run = 0; run + 1 < first_rows.size(); ++run) {
      const std::uint32_t wanted =
          bits.count_rows(slice.at + first_rows[run], slice.at + first_rows[run + 1]);
      if (wanted == 0) {
        continue;
      }
      rows += wanted;
      const bool goes_on = !tasks.empty() && tasks.back().slice == &slice &&
                           tasks.back().count < tasks.back().numbers.size();
      if (!goes_on) {
        tasks.emplace_back().slice = &slice;
        tasks.back().runs = *runs;
      }
      PayloadTask& task = tasks.back();
      task.numbers[task.count++] = run;
    }
  }
  return rows;
}

void Evaluator::list_candidates(const Unit::Slice& slice, std::uint32_t begin, std::uint32_t end,
                                const RowBits& candidates, std::vector<std::uint32_t>& into) {
  into.clear();
  for (std::uint32_t row = begin; row < end; ++row) {
    const std::uint32_t bit = slice.at + row;
    if ((candidates.words[bit / 64] >> (bit % 64) & 1) != 0) {
      into.push_back(row - begin);
    }
  }
}

template <typename Take>
void Evaluator::take_scanned(const PayloadMatcher& matcher, const PayloadTask& task, std::size_t i,
                             PayloadSearchers::Searcher& search, const RowBits& candidates,
                             const Take& take) {
  const std::uint32_t first = task.runs->first_rows()[task.numbers[i]];
  const std::uint32_t end = task.runs->first_rows()[task.numbers[i] + 1];
  const auto starts = task.runs->starts().subspan(first, end - first + 1);
  const auto is_candidate = [&](std::uint32_t payload) {
    const std::uint32_t bit = task.slice->at + first + payload;
    return (candidates.words[bit / 64] >> (bit % 64) & 1) != 0;
  };
  const ScannedText& text = search.scan.text(i);
  PayloadPlaces of_found(starts);
  for (const FoundText& found : text.found) {
    const auto payload = of_found.of(found);
    if (payload && is_candidate(*payload)) {
      take(first + *payload);
    }
  }
  PayloadPlaces of_marks(starts);
  std::optional<std::uint32_t> last;
  for (const std::uint32_t mark : text.marks) {
    const auto payload = of_marks.of({mark, mark + 1});
    if (payload == last || !is_candidate(*payload)) {
      continue;
    }
    last = payload;
    const std::string_view whole = search.scan.read(i, starts[*payload] - starts.front(),
                                                    starts[*payload + 1] - starts.front());
    if (matcher.matches(whole, search.diffs)) {
      take(first + *payload);
    }
  }
}

Result<void> Evaluator::search_task(const PayloadMatcher& matcher, const PayloadTask& task,
                                    PayloadSearchers::Searcher& search, const RowBits& candidates,
                                    RowBits& found) const {
  const auto take = [&](std::uint32_t row) {
    const std::uint32_t bit = task.slice->at + row;
    // Runs of a block share words at their ends.
    std::atomic_ref(found.words[bit / 64])
        .fetch_or(std::uint64_t{1} << (bit % 64), std::memory_order_relaxed);
  };
  if (task.runs == nullptr) {
    list_candidates(*task.slice, 0, task.slice->rows, candidates, search.rows);
    return segment_.payloads(task.slice->block, search.rows,
                             [&](std::uint32_t row, std::string_view payload) {
                               if (!payload.empty() && matcher.matches(payload, search.diffs)) {
                                 take(row);
                               }
                               return true;
                             });
  }
  std::array<std::size_t, runs_at_once> unread = task.numbers;
  std::size_t unread_count = task.count;
  if (matcher.automaton() != nullptr) {
    DOCKET_TRY(task.runs->scan(std::span(task.numbers).first(task.count), matcher.automaton(),
                               search.buffer, search.scan));
    unread_count = 0;
    for (std::size_t i = 0; i < task.count; ++i) {
      if (search.scan.text(i).is_complete) {
        take_scanned(matcher, task, i, search, candidates, take);
      } else {
        unread[unread_count++] = task.numbers[i];
      }
    }
    if (unread_count == 0) {
      return {};
    }
  }
  const std::span<const std::size_t> numbers = std::span(unread).first(unread_count);
  DOCKET_ASSIGN(const RunTexts texts, task.runs->read(numbers, search.buffer));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::uint32_t first = task.runs->first_rows()[numbers[i]];
    const std::uint32_t end = task.runs->first_rows()[numbers[i] + 1];
    list_candidates(*task.slice, first, end, candidates, search.rows);
    matcher.keep_matches(PayloadRun{task.runs->starts().subspan(first, end - first + 1), texts[i]},
                         search.diffs, search.rows);
    for (const std::uint32_t row : search.rows) {
      take(first + row);
    }
  }
  return {};
}

void Evaluator::keep_rare(const LeafPostings& postings, const Unit& unit, RowBits& bits) const {
  for (const Unit::Slice& slice : unit.slices) {
    const WordRange words = slice.words();
    for (std::uint32_t i = words.begin; i < words.end; ++i) {
      const std::uint32_t row = blocks_[slice.block].first_row + (i - words.begin) * 64;
      if (!postings.rare_in(row, row + 64)) {
        bits.words[i] = 0;
      }
    }
  }
}

Evaluated Evaluator::restrict_payload(const BoundNode& node, const Unit& unit, RowBits& bits) {
  Scratch found(*this);
  found->clear(unit.words);
  if (node.postings == nullptr) {
    if (auto done = search_payloads(node, unit, bits, *found); !done) {
      return done;
    }
  } else {
    for (const auto& bitmap : node.postings->bitmaps) {
      add_posting(*bitmap, unit, *found);
    }
    if (!node.postings->rare_strips.empty()) {
      Scratch rare(*this);
      rare->copy_from(bits, unit.words);
      rare->and_not(*found, unit.words);
      keep_rare(*node.postings, unit, *rare);
      if (auto done = search_payloads(node, unit, *rare, *found); !done) {
        return done;
      }
    }
  }
  bits.and_with(*found, unit.words);
  return {};
}

Evaluated Evaluator::search_payloads(const BoundNode& node, const Unit& unit,
                                     const RowBits& candidates, RowBits& found) {
  std::vector<PayloadTask> tasks;
  const auto rows = collect_payload_tasks(node, unit, candidates, tasks);
  if (!rows) {
    return tl::unexpected<BlockFailure>(rows.error());
  }
  counters_.payload_rows_scanned += *rows;
  WorkerPool* const workers = searchers_.workers;
  std::vector<PayloadSearchers::Searcher>& searchers = searchers_.of_worker;
  searchers.resize(workers == nullptr ? 1 : workers->workers());
  std::mutex mutex;
  std::size_t failed = tasks.size();  // the first of all, whoever comes to it
  std::optional<Error> error;
  const auto search = [&](std::size_t task, std::size_t worker) {
    auto done = search_task(*node.payload, tasks[task], searchers[worker], candidates, found);
    const std::lock_guard lock(mutex);
    if (!done && task < failed) {
      failed = task;
      error = std::move(done).error();
    }
  };
  if (workers != nullptr) {
    workers->run(tasks.size(), search);
  } else {
    for (std::size_t task = 0; task < tasks.size() && !error; ++task) {
      search(task, 0);
    }
  }
  if (error) {
    return failure(tasks[failed].slice->block, std::move(*error));
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
