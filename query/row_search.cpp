#include "query/row_search.hpp"

#include <algorithm>
#include <queue>

namespace docket::query {
namespace {

constexpr std::uint32_t whole_segment = UINT32_MAX;
constexpr std::uint32_t worth_the_order = 256;  // rows

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
    // In a block that is in the order of time, nothing behind a row that comes too late can be
    // wanted. Asked for only where it saves something.
    const bool sorted = bits_.count(unit.words) > worth_the_order && scan.is_time_sorted(block);
    const auto take = [&](std::uint32_t bit) {
      const std::uint32_t row = bit - at;
      const Position position{static_cast<Nanos>((*times)[row]), scan.seq_of(block, row).value,
                              scan.log()};
      if (!after_ || comes_before(*after_, position, order_)) {
        top_.add(FoundRow{position, scan_number, info.first_row + row});
      }
      return !sorted || top_.may_take(position.ts);
    };
    // Rows mostly stand in the order of their time: the end that is wanted first goes first, so
    // that the others are turned away by one comparison.
    if (order_ == Order::oldest_first) {
      bits_.for_each(unit.words, take);
    } else {
      bits_.for_each_descending(unit.words, take);
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
