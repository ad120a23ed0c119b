#include "query/row_search.hpp"

#include <algorithm>
#include <array>
#include <queue>

#include "query/column_scan.hpp"

namespace docket::query {
namespace {

constexpr std::uint32_t whole_segment = UINT32_MAX;
constexpr std::uint32_t part_words = 16;       // of a block's rows, looked at together
constexpr std::uint32_t worth_comparing = 64;  // rows of a part

// A segment, or a block of one, that may hold rows from `bound` on.
struct Source {
  Nanos bound = 0;  // newest first: its latest time; oldest first: its earliest
  std::uint32_t scan = 0;
  std::uint32_t block = whole_segment;
};

class Search {
 public:
  Search(Scans& scans, Order order, const std::optional<Position>& after, std::size_t limit)
      : scans_(scans), order_(order), after_(after), top_(order, limit) {}

  [[nodiscard]] Result<std::vector<FoundRow>> run(const QueryContext& context) {
    for (std::uint32_t scan = 0; scan < scans_.size(); ++scan) {
      const SegmentInfo& info = scans_[scan]->info();
      if (!scans_[scan]->outside()) {
        push(info.ts_min, info.ts_max, scan, whole_segment);
      }
    }
    while (!sources_.empty()) {
      const Source next = sources_.top();
      if (!top_.may_take(next.bound)) {
        break;
      }
      sources_.pop();
      if (context.cancelled()) {
        return fail(ErrorCode::cancelled, "the query was cancelled");
      }
      if (next.block == whole_segment) {
        push_blocks(next.scan);
      } else {
        collect(next.scan, next.block);
        top_.prune();
      }
    }
    return top_.take();
  }

 private:
  struct Later {
    Order order;
    bool operator()(const Source& a, const Source& b) const {
      return order == Order::newest_first ? a.bound < b.bound : a.bound > b.bound;
    }
  };

  void push(Nanos ts_min, Nanos ts_max, std::uint32_t scan, std::uint32_t block) {
    const bool newest = order_ == Order::newest_first;
    // Everything in it was listed already.
    if (after_ && (newest ? ts_min > after_->ts : ts_max < after_->ts)) {
      return;
    }
    const Nanos bound = newest ? ts_max : ts_min;
    if (top_.may_take(bound)) {
      sources_.push(Source{bound, scan, block});
    }
  }

  void push_blocks(std::uint32_t scan) {
    scans_[scan]->prepare();
    const std::span<const BlockInfo> blocks = scans_[scan]->blocks();
    for (std::uint32_t block = 0; block < blocks.size(); ++block) {
      if (scans_[scan]->possible(block)) {
        push(blocks[block].ts_min, blocks[block].ts_max, scan, block);
      }
    }
  }

  void collect(std::uint32_t scan_number, std::uint32_t block) {
    SegmentScan& scan = *scans_[scan_number];
    const Unit unit = scan.block_unit(block);
    if (!scan.evaluate(unit, bits_)) {
      return;
    }
    const auto times = scan.segment().column(block, RowColumn::ts);
    if (!times) {
      scan.exclude(block, times.error());
      return;
    }
    const BlockInfo& info = scan.blocks()[block];
    const std::uint32_t at = unit.slices.front().at;
    const auto take = [&](std::uint32_t bit) {
      const std::uint32_t row = bit - at;
      const Position position{static_cast<Nanos>((*times)[row]), scan.seq_of(block, row).value,
                              scan.log()};
      if (!after_ || comes_before(*after_, position, order_)) {
        top_.add(FoundRow{position, scan_number, info.first_row + row});
      }
    };
    // Rows mostly stand in the order of their time: the part that is wanted first goes first, so
    // that of the others few are left when all their times have been compared with one bound.
    const index::WordRange words = unit.words;
    for (std::uint32_t done = words.begin; done < words.end; done += part_words) {
      index::WordRange part{done, std::min(done + part_words, words.end)};
      if (order_ == Order::newest_first) {
        part = {words.begin + (words.end - part.end), words.begin + (words.end - part.begin)};
      }
      leave_out_late(*times, at, part);
      if (order_ == Order::oldest_first) {
        bits_.for_each(part, take);
      } else {
        bits_.for_each_descending(part, take);
      }
    }
  }

  // Takes rows out of bits_ that come too late to be among the first.
  void leave_out_late(const PackedInts& times, std::uint32_t at, index::WordRange part) {
    const auto bound = top_.bound();
    if (!bound || bits_.count(part) < worth_comparing) {
      return;
    }
    const std::uint32_t begin = part.begin * 64 - at;
    const std::uint32_t rows = std::min(times.size() - begin, (part.end - part.begin) * 64);
    std::array<std::uint64_t, std::size_t{part_words} * 64> of_part;
    times.unpack(begin, begin + rows, of_part.data());
    std::array<std::uint64_t, part_words> in_time{};
    const bool newest = order_ == Order::newest_first;
    const Nanos until = *bound == INT64_MAX ? INT64_MAX : *bound + 1;
    match_times(std::span(of_part).first(rows), newest ? *bound : INT64_MIN,
                newest ? INT64_MAX : until, in_time.data());
    for (std::uint32_t i = part.begin; i < part.end; ++i) {
      bits_.words[i] &= in_time[i - part.begin];
    }
  }

  Scans& scans_;
  const Order order_;
  const std::optional<Position> after_;
  TopRows top_;
  std::priority_queue<Source, std::vector<Source>, Later> sources_{Later{order_}};
  index::RowBits bits_;
};

}  // namespace

Result<std::vector<FoundRow>> find_rows(QueryContext& context, Scans& scans, Order order,
                                        const std::optional<Position>& after, std::size_t limit) {
  const auto search = std::make_unique<Search>(scans, order, after, limit);
  return search->run(context);
}

}  // namespace docket::query
