// The first rows in an order, out of many, in bounded memory.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/counts.hpp"
#include "query/searcher.hpp"

namespace docket::query {

// An event's place in the order of answers. Logs are compared by their place among the sorted
// names.
struct Position {
  Nanos ts = 0;
  std::uint64_t seq = 0;
  std::uint32_t log = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

struct FoundRow {
  Position at;
  std::uint32_t scan = 0;  // which SegmentScan
  std::uint32_t row = 0;   // in the segment
};

// Whether `a` is listed before `b`.
[[nodiscard]] inline bool comes_before(const Position& a, const Position& b, Order order) {
  return order == Order::newest_first ? b < a : a < b;
}

// Keeps the first `limit` of the rows added. Memory: at most twice as many. Not thread-safe.
class TopRows {
 public:
  TopRows(Order order, std::size_t limit) : order_(order), limit_(limit) {}

  void add(const FoundRow& row) {
    if (last_ && !comes_before(row.at, *last_, order_)) {
      return;
    }
    rows_.push_back(row);
    if (rows_.size() >= 2 * limit_) {
      prune();
    }
  }
  // Whether rows at `ts` can still get in, whatever their seq. Never false for one that can.
  [[nodiscard]] bool may_take(Nanos ts) const {
    return !last_ || (order_ == Order::newest_first ? ts >= last_->ts : ts <= last_->ts);
  }
  // A time that rows have to reach to be wanted, once that is known.
  [[nodiscard]] std::optional<Nanos> bound() const {
    return last_ ? std::optional(last_->ts) : std::nullopt;
  }
  // Drops what is beyond the limit, where that is worth it, and learns the bound.
  void prune();
  // The rows in order.
  [[nodiscard]] std::vector<FoundRow> take();

 private:
  // Precondition: at least `limit` rows.
  void choose();

  Order order_;
  std::size_t limit_;
  std::vector<FoundRow> rows_;
  std::optional<Position> last_;  // the last of `limit_` rows: what comes after it is not wanted
};

}  // namespace docket::query
