#include "query/histogram.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "engine/time_strips.hpp"
#include "query/buckets.hpp"
#include "query/field_values.hpp"
#include "query/parser.hpp"

namespace docket::query {
namespace {

// Counts by bucket and value are kept for so many pairs; a histogram of more is not to be read.
constexpr std::size_t pairs_max = 1'000'000;

struct BucketRows {
  Bucket bucket;
  std::uint64_t rows = 0;
};

// What was counted of a segment, or of a block of an active one, before it is certain that all of
// it could be read.
struct Part {
  std::unordered_map<std::int64_t, BucketRows> rows;  // by bucket
  // By value's number, then by bucket.
  std::unordered_map<std::uint32_t, std::unordered_map<std::int64_t, std::uint64_t>> by;
};

class HistogramRun {
 public:
  HistogramRun(Execution& execution, const Buckets& buckets, std::optional<Field> by)
      : execution_(execution), buckets_(buckets), by_(by) {}

  [[nodiscard]] Result<HistogramAnswer> run() {
    DOCKET_TRY(execution_.for_each_scan([&](SegmentScan& scan) { return count_scan(scan); }));
    HistogramAnswer answer;
    DOCKET_ASSIGN(answer.buckets, fill_buckets());
    answer.gaps = execution_.gaps();
    return answer;
  }

 private:
  [[nodiscard]] Result<void> count_scan(SegmentScan& scan) {
    Part part;
    values_.reset();
    broken_ = false;
    DOCKET_TRY(execution_.for_each_unit(scan, [&](const Unit& unit) {
      if (broken_ || !scan.evaluate(unit, bits_)) {
        return;
      }
      count_unit(scan, unit, part);
      if (!scan.sealed()) {
        commit(scan, unit.slices.front().block, part);
      }
    }));
    if (scan.sealed() && !broken_) {
      commit(scan, 0, part);
    }
    return check_size();
  }

  void count_unit(SegmentScan& scan, const Unit& unit, Part& part) {
    if (by_ && !load_values(scan, unit)) {
      return;
    }
    for (const Unit::Slice& slice : unit.slices) {
      count_slice(scan, slice, part);
    }
  }

  // Makes values_ ready for the unit. False when the dictionaries cannot be read.
  [[nodiscard]] bool load_values(SegmentScan& scan, const Unit& unit) {
    if (values_ == nullptr || !scan.sealed()) {
      const std::uint32_t block = unit.slices.front().block;
      auto values = FieldValues::open(*by_, scan, block);
      if (!values) {
        leave_out(scan, block, values.error());
        return false;
      }
      values_ = std::make_unique<FieldValues>(std::move(*values));
    }
    for (;;) {
      const Evaluated done = values_->load(unit, bits_);
      if (done) {
        return true;
      }
      scan.exclude(done.error().block, done.error().error);
      for (const Unit::Slice& slice : unit.slices) {
        if (slice.block == done.error().block) {
          bits_.clear(slice.words());
        }
      }
    }
  }

  void count_slice(SegmentScan& scan, const Unit::Slice& slice, Part& part) {
    const index::WordRange words = slice.words();
    const BlockInfo& block = scan.blocks()[slice.block];
    if (!bits_.any(words)) {
      return;
    }
    if (const Bucket only = buckets_.of(block.ts_min); only.contains(block.ts_max)) {
      add_rows(part, only, bits_.count(words));
      count_values(slice, part, [&](std::uint32_t) { return only.number; });
      return;
    }
    const auto column = scan.segment().column(slice.block, RowColumn::ts);
    if (!column) {
      scan.exclude(slice.block, column.error());
      return;
    }
    if (!by_ && scan.is_time_sorted(slice.block)) {
      count_sorted(slice, *column, part);
      return;
    }
    if (!by_ && count_nearly_sorted(scan, slice, *column, part)) {
      return;
    }
    times_.resize(slice.rows);
    column->unpack(0, slice.rows, times_.data());
    // Rows mostly stand in the order of their time: most are in the bucket of the one before.
    Bucket current = buckets_.of(block.ts_min);
    std::uint64_t rows = 0;
    bits_.for_each(words, [&](std::uint32_t bit) {
      const auto ts = static_cast<Nanos>(times_[bit - slice.at]);
      if (!current.contains(ts)) {
        add_rows(part, current, rows);
        current = buckets_.of(ts);
        rows = 0;
      }
      ++rows;
    });
    add_rows(part, current, rows);
    count_values(slice, part, [&](std::uint32_t bit) {
      const auto ts = static_cast<Nanos>(times_[bit - slice.at]);
      if (!current.contains(ts)) {
        current = buckets_.of(ts);
      }
      return current.number;
    });
  }

  // Buckets of rows in the order of their time are runs of rows: their ends are found by search.
  void count_sorted(const Unit::Slice& slice, const PackedInts& times, Part& part) const {
    for (std::uint32_t begin = 0; begin < slice.rows;) {
      const Bucket bucket = buckets_.of(static_cast<Nanos>(times[begin]));
      std::uint32_t end = begin + 1;
      for (std::uint32_t beyond = slice.rows; end < beyond;) {
        const std::uint32_t middle = end + (beyond - end) / 2;
        if (static_cast<Nanos>(times[middle]) < bucket.end) {
          end = middle + 1;
        } else {
          beyond = middle;
        }
      }
      add_rows(part, bucket, bits_.count_rows(slice.at + begin, slice.at + end));
      begin = end;
    }
  }

  // The same where rows stand but nearly in that order: only those of a few strips around the end
  // of a bucket have to be looked at. False where that would be most of them.
  [[nodiscard]] bool count_nearly_sorted(SegmentScan& scan, const Unit::Slice& slice,
                                         const PackedInts& times, Part& part) {
    const auto strips = scan.segment().time_strips(slice.block);
    if (!strips) {
      return false;  // their column has just been read
    }
    const BlockInfo& block = scan.blocks()[slice.block];
    ends_.clear();
    std::uint32_t looked_at = 0;
    std::uint64_t before = 0;  // rows of buckets that are done
    std::uint64_t until = 0;   // rows of bits_ before `place`
    std::uint32_t place = 0;   // in the block
    for (Bucket bucket = buckets_.of(block.ts_min);; bucket = buckets_.of(bucket.end)) {
      if (bucket.contains(block.ts_max)) {
        ends_.emplace_back(bucket, bits_.count(slice.words()) - before);
        break;
      }
      const IdRange around = (*strips)->around(bucket.end);
      looked_at += around.size() + time_strip_rows;
      if (looked_at > slice.rows) {
        return false;
      }
      until += bits_.count_rows(slice.at + place, slice.at + around.begin);
      place = around.begin;
      std::uint64_t rows = until - before;
      for (std::uint32_t row = around.begin; row < around.end; ++row) {
        const std::uint32_t bit = slice.at + row;
        rows += (bits_.words[bit / 64] >> (bit % 64) & 1) != 0 &&
                        static_cast<Nanos>(times[row]) < bucket.end
                    ? 1
                    : 0;
      }
      ends_.emplace_back(bucket, rows);
      before += rows;
    }
    for (const auto& [bucket, rows] : ends_) {
      add_rows(part, bucket, rows);
    }
    return true;
  }

  static void add_rows(Part& part, const Bucket& bucket, std::uint64_t rows) {
    if (rows != 0) {
      BucketRows& counted = part.rows[bucket.number];
      counted.bucket = bucket;
      counted.rows += rows;
    }
  }

  template <typename BucketOfRow>
  void count_values(const Unit::Slice& slice, Part& part, const BucketOfRow& bucket_of_row) {
    if (!by_) {
      return;
    }
    values_->for_each(slice.words(), bits_, [&](std::uint32_t bit, std::uint32_t number) {
      if (!values_->is_absent(number)) {
        ++part.by[number][bucket_of_row(bit)];
      }
    });
  }

  // Adds a part to the answer once all its values could be told.
  void commit(SegmentScan& scan, std::uint32_t block, Part& part) {
    std::vector<std::pair<FieldValue, std::uint32_t>> told;
    for (const auto& [number, counts] : part.by) {
      auto value = values_->value(number);
      if (!value) {
        leave_out(scan, block, value.error());
        part = {};
        return;
      }
      told.emplace_back(std::move(*value), number);
    }
    for (const auto& [number, counted] : part.rows) {
      BucketRows& all = rows_[number];
      all.bucket = counted.bucket;
      all.rows += counted.rows;
    }
    for (const auto& [value, number] : told) {
      auto& counts = by_value_[value];
      for (const auto& [bucket, rows] : part.by[number]) {
        const auto [counted, is_new] = counts.emplace(bucket, 0);
        pairs_ += is_new ? 1 : 0;
        counted->second += rows;
      }
    }
    part = {};
  }

  // The dictionaries of a block cannot be read. A sealed segment has but one set of them.
  void leave_out(SegmentScan& scan, std::uint32_t block, const Error& error) {
    if (scan.sealed()) {
      scan.exclude_all(error);
      broken_ = true;
    } else {
      scan.exclude(block, error);
    }
  }

  [[nodiscard]] Result<void> check_size() const {
    if (pairs_ > pairs_max) {
      return fail(ErrorCode::invalid_argument,
                  "the histogram has more than " + std::to_string(pairs_max) +
                      " counts by value; narrow the query, or take wider buckets");
    }
    return {};
  }

  [[nodiscard]] Result<std::vector<HistogramBucket>> fill_buckets() const {
    std::vector<HistogramBucket> buckets;
    const Query& query = *execution_.context().query;
    // Where the query has bounds, the buckets go from bound to bound: that nothing happened is part
    // of the answer.
    std::optional<Bucket> first;
    std::optional<Bucket> last;
    if (query.since < query.until) {
      if (query.since != INT64_MIN) {
        first = buckets_.of(query.since);
      }
      if (query.until != INT64_MAX) {
        last = buckets_.of(query.until - 1);
      }
    }
    if (!rows_.empty()) {
      first = first ? first : rows_.begin()->second.bucket;
      last = last ? last : rows_.rbegin()->second.bucket;
    }
    if (!first || !last || last->number < first->number) {
      return buckets;
    }
    const auto number = static_cast<std::uint64_t>(last->number - first->number) + 1;
    if (number > histogram_buckets_max) {
      return fail(ErrorCode::invalid_argument,
                  "the histogram would have " + std::to_string(number) + " buckets, more than " +
                      std::to_string(histogram_buckets_max) + "; take wider ones");
    }
    buckets.reserve(number);
    for (Bucket at = *first;; at = buckets_.of(at.end)) {
      const auto rows = rows_.find(at.number);
      buckets.push_back(HistogramBucket{at.start, rows == rows_.end() ? 0 : rows->second.rows, {}});
      if (at.number >= last->number) {
        break;
      }
    }
    fill_values(first->number, buckets);
    return buckets;
  }

  void fill_values(std::int64_t first, std::vector<HistogramBucket>& buckets) const {
    for (const auto& [value, counts] : by_value_) {
      const std::string label = label_of(*by_, value);
      for (const auto& [bucket, rows] : counts) {
        buckets[static_cast<std::size_t>(bucket - first)].by.push_back(FacetValue{label, rows});
      }
    }
    for (HistogramBucket& bucket : buckets) {
      std::sort(bucket.by.begin(), bucket.by.end(),
                [](const FacetValue& a, const FacetValue& b) { return a.value < b.value; });
    }
  }

  Execution& execution_;
  const Buckets& buckets_;
  const std::optional<Field> by_;
  std::map<std::int64_t, BucketRows> rows_;                               // by bucket
  std::map<FieldValue, std::map<std::int64_t, std::uint64_t>> by_value_;  // then by bucket
  std::size_t pairs_ = 0;

  // Of the segment at hand.
  std::unique_ptr<FieldValues> values_;
  bool broken_ = false;
  index::RowBits bits_;
  std::vector<std::uint64_t> times_;
  std::vector<std::pair<Bucket, std::uint64_t>> ends_;  // of a block's buckets, with their rows
};

}  // namespace

Result<HistogramAnswer> take_histogram(Execution& execution, BucketWidth width,
                                       const TimeZone& zone, std::optional<Field> by) {
  if (by && !is_countable(*by)) {
    return fail(ErrorCode::invalid_argument,
                "histograms cannot be split by " + std::string(field_name(*by)));
  }
  const Query& query = *execution.context().query;
  Nanos reference = query.since;
  if (reference == INT64_MIN) {
    reference = INT64_MAX;
    for (const auto& scan : execution.scans()) {
      reference = scan->outside() ? reference : std::min(reference, scan->info().ts_min);
    }
    reference = reference == INT64_MAX ? 0 : reference;
  }
  const Buckets buckets(width, zone, reference);
  const auto run = std::make_unique<HistogramRun>(execution, buckets, by);
  return run->run();
}

}  // namespace docket::query
