#include "query/row_search.hpp"

#include <algorithm>
#include <array>
#include <queue>

#include "engine/time_strips.hpp"
#include "query/column_scan.hpp"

namespace docket::query {
namespace {

constexpr std::uint32_t part_words = 16;       // of a block's rows, looked at together
constexpr std::uint32_t first_part_words = 2;  // the same while nothing is known of them
constexpr std::uint32_t worth_comparing = 64;  // rows of a part

// A segment, or a block of one, or all blocks of one from there on in the order of answers, that
// may hold rows from `bound` on.
struct Source {
  enum class Kind : std::uint8_t { segment, rest, block };
  Nanos bound = 0;  // newest first: its latest time; oldest first: its earliest
  std::uint32_t scan = 0;
  std::uint32_t block = 0;
  Kind kind = Kind::segment;
};

// The words of `words` that have some of the rows, whose bits begin at `at`.
index::WordRange meet(index::WordRange words, IdRange rows, std::uint32_t at) {
  const std::uint32_t begin = std::max(words.begin, (at + rows.begin) / 64);
  return {begin, std::max(begin, std::min(words.end, (at + rows.end + 63) / 64))};
}

class Search {
 public:
  Search(Scans& scans, Order order, const std::optional<Position>& after, std::size_t limit)
      : scans_(scans), order_(order), after_(after), top_(order, limit) {}

  [[nodiscard]] Result<std::vector<FoundRow>> run(const QueryContext& context) {
    for (std::uint32_t scan = 0; scan < scans_.size(); ++scan) {
      const SegmentInfo& info = scans_[scan]->info();
      if (!scans_[scan]->outside()) {
        push(info.ts_min, info.ts_max, {.scan = scan, .kind = Source::Kind::segment});
      }
    }
    rest_bounds_.resize(scans_.size());
    while (!sources_.empty()) {
      const Source next = sources_.top();
      if (!top_.may_take(next.bound)) {
        break;
      }
      sources_.pop();
      if (context.cancelled()) {
        return fail(ErrorCode::cancelled, "the query was cancelled");
      }
      switch (next.kind) {
        case Source::Kind::segment:
          open(next.scan);
          break;
        case Source::Kind::rest:
          push_next(next.scan, next.block);
          break;
        case Source::Kind::block:
          collect(next.scan, next.block);
          top_.prune();
          break;
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

  // Whether that is worth a look.
  bool push(Nanos ts_min, Nanos ts_max, Source source) {
    const bool newest = order_ == Order::newest_first;
    // Everything in it was listed already.
    if (after_ && (newest ? ts_min > after_->ts : ts_max < after_->ts)) {
      return false;
    }
    source.bound = newest ? ts_max : ts_min;
    if (!top_.may_take(source.bound)) {
      return false;
    }
    sources_.push(source);
    return true;
  }

  // Blocks mostly follow one another in time, and few of many are wanted: each is looked at only
  // once the bound of all from it on is the next one.
  void open(std::uint32_t scan) {
    scans_[scan]->prepare();
    const std::span<const BlockInfo> blocks = scans_[scan]->blocks();
    std::vector<Nanos>& bounds = rest_bounds_[scan];
    bounds.resize(blocks.size());
    if (order_ == Order::newest_first) {
      Nanos latest = INT64_MIN;
      for (std::size_t block = 0; block < blocks.size(); ++block) {
        bounds[block] = latest = std::max(latest, blocks[block].ts_max);
      }
    } else {
      Nanos earliest = INT64_MAX;
      for (std::size_t block = blocks.size(); block-- > 0;) {
        bounds[block] = earliest = std::min(earliest, blocks[block].ts_min);
      }
    }
    if (!blocks.empty()) {
      const auto last = static_cast<std::uint32_t>(blocks.size() - 1);
      push_rest(scan, order_ == Order::newest_first ? last : 0);
    }
  }

  void push_rest(std::uint32_t scan, std::uint32_t block) {
    const Nanos bound = rest_bounds_[scan][block];
    if (top_.may_take(bound)) {
      sources_.push({bound, scan, block, Source::Kind::rest});
    }
  }

  // The first block from there on that is worth a look, and what comes behind it.
  void push_next(std::uint32_t scan, std::uint32_t first) {
    const std::span<const BlockInfo> blocks = scans_[scan]->blocks();
    const std::uint32_t step = order_ == Order::newest_first ? UINT32_MAX : 1;  // modulo 2^32
    for (std::uint32_t block = first; block < blocks.size(); block += step) {
      if (scans_[scan]->possible(block) &&
          push(blocks[block].ts_min, blocks[block].ts_max,
               {.scan = scan, .block = block, .kind = Source::Kind::block})) {
        if (block + step < blocks.size()) {
          push_rest(scan, block + step);
        }
        return;
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
    // that the others are soon known to come too late, by the block's strips or when their times
    // are compared with one bound. Until there is a bound, each row costs more: parts are small.
    const bool newest = order_ == Order::newest_first;
    index::WordRange left = unit.words;
    std::shared_ptr<const TimeStrips> strips;
    while (left.begin < left.end) {
      const std::optional<TimeRange> wanted = wanted_times();
      if (wanted && bits_.count(left) >= worth_comparing) {
        if (!strips && left.end - left.begin > part_words) {
          strips = scan.segment().time_strips(block).value_or(nullptr);
        }
        if (strips) {
          left = meet(left, strips->within(wanted->since, wanted->until), at);
        }
      }
      const std::uint32_t words =
          std::min(top_.bound() ? part_words : first_part_words, left.end - left.begin);
      index::WordRange part{left.begin, left.begin + words};
      if (newest) {
        part = {left.end - words, left.end};
      }
      (newest ? left.end : left.begin) = newest ? part.begin : part.end;
      if (wanted) {
        leave_out_unwanted(*times, at, part, *wanted);
      }
      if (newest) {
        bits_.for_each_descending(part, take);
      } else {
        bits_.for_each(part, take);
      }
    }
  }

  // The times that rows can have which are behind `after_` and among the first; empty where that
  // says nothing.
  [[nodiscard]] std::optional<TimeRange> wanted_times() const {
    const std::optional<Nanos> bound = top_.bound();
    if (!bound && !after_) {
      return std::nullopt;
    }
    TimeRange wanted{INT64_MIN, INT64_MAX};
    const auto end_at = [&wanted](Nanos last) {
      wanted.until = last == INT64_MAX ? INT64_MAX : last + 1;
    };
    if (order_ == Order::newest_first) {
      wanted.since = bound.value_or(INT64_MIN);
      end_at(after_ ? after_->ts : INT64_MAX);
    } else {
      wanted.since = after_ ? after_->ts : INT64_MIN;
      end_at(bound.value_or(INT64_MAX));
    }
    return wanted;
  }

  // Takes rows out of bits_ whose times are not wanted.
  void leave_out_unwanted(const PackedInts& times, std::uint32_t at, index::WordRange part,
                          const TimeRange& wanted) {
    if (bits_.count(part) < worth_comparing) {
      return;
    }
    const std::uint32_t begin = part.begin * 64 - at;
    const std::uint32_t rows = std::min(times.size() - begin, (part.end - part.begin) * 64);
    std::array<std::uint64_t, std::size_t{part_words} * 64> of_part;
    times.unpack(begin, begin + rows, of_part.data());
    std::array<std::uint64_t, part_words> in_time{};
    match_times(std::span(of_part).first(rows), wanted.since, wanted.until, in_time.data());
    for (std::uint32_t i = part.begin; i < part.end; ++i) {
      bits_.words[i] &= in_time[i - part.begin];
    }
  }

  Scans& scans_;
  const Order order_;
  const std::optional<Position> after_;
  TopRows top_;
  std::priority_queue<Source, std::vector<Source>, Later> sources_{Later{order_}};
  std::vector<std::vector<Nanos>> rest_bounds_;  // by scan and block: of it and what comes behind
  index::RowBits bits_;
};

}  // namespace

Result<std::vector<FoundRow>> find_rows(QueryContext& context, Scans& scans, Order order,
                                        const std::optional<Position>& after, std::size_t limit) {
  const auto search = std::make_unique<Search>(scans, order, after, limit);
  return search->run(context);
}

}  // namespace docket::query
