#include "query/unlisted.hpp"

#include <algorithm>
#include <ranges>

namespace docket::query {
namespace {

class Rest {
 public:
  Rest(std::uint32_t place, const Query& query, Order order, const Position& after)
      : place_(place), query_(query), order_(order), after_(after) {}

  // The first seq of `segment` that is still to come, or its last.
  [[nodiscard]] std::optional<Seq> first_of(const SegmentReader& segment) const {
    return edge_of(segment, true);
  }
  [[nodiscard]] std::optional<Seq> last_of(const SegmentReader& segment) const {
    return edge_of(segment, false);
  }

 private:
  enum class Listed : std::uint8_t { all, some, none };

  // How far events of these times are listed; what is outside the query's range counts as listed.
  [[nodiscard]] Listed listed(Nanos ts_min, Nanos ts_max) const {
    const bool newest = order_ == Order::newest_first;
    if (ts_max < query_.since || ts_min >= query_.until ||
        (newest ? ts_min > after_.ts : ts_max < after_.ts)) {
      return Listed::all;
    }
    return (newest ? ts_max < after_.ts : ts_min > after_.ts) ? Listed::none : Listed::some;
  }

  [[nodiscard]] std::optional<Seq> edge_of(const SegmentReader& segment, bool front) const {
    const SegmentInfo& info = segment.info();
    const Seq edge = front ? info.first_seq : info.last_seq;
    const Listed done = info.rows == 0 ? Listed::all : listed(info.ts_min, info.ts_max);
    if (done != Listed::some) {
      return done == Listed::all ? std::nullopt : std::optional(edge);
    }
    const auto blocks = segment.blocks();
    if (!blocks) {
      return edge;
    }
    for (std::size_t i = 0; i < blocks->size(); ++i) {
      const std::size_t number = front ? i : blocks->size() - 1 - i;
      if (const auto found = edge_of_block(segment, (*blocks)[number], number, front)) {
        return found;
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Seq> edge_of_block(const SegmentReader& segment,
                                                 const BlockInfo& block, std::size_t number,
                                                 bool front) const {
    const Listed done = listed(block.ts_min, block.ts_max);
    if (done == Listed::all) {
      return std::nullopt;
    }
    const auto times = segment.column(static_cast<std::uint32_t>(number), RowColumn::ts);
    for (std::uint32_t i = 0; i < block.rows; ++i) {
      const std::uint32_t row = front ? i : block.rows - 1 - i;
      const Seq seq(block.first_seq.value + row);
      if (done == Listed::none || !times ||
          comes_before(after_, Position{static_cast<Nanos>((*times)[row]), seq.value, place_},
                       order_)) {
        return seq;
      }
    }
    return std::nullopt;
  }

  std::uint32_t place_;
  const Query& query_;
  Order order_;
  Position after_;
};

}  // namespace

Unlisted unlisted(const LogSnapshot& log, std::uint32_t place, Seq watermark, const Query& query,
                  Order order, const Position& after) {
  const Rest rest(place, query, order, after);
  Unlisted result;
  for (const auto& segment : log.segments) {
    if (const auto first = rest.first_of(*segment)) {
      result.first = *first;
      result.last = watermark;
      break;
    }
  }
  for (const auto& segment : log.segments | std::views::reverse) {
    if (result.last < result.first) {
      break;
    }
    if (const auto last = rest.last_of(*segment)) {
      result.last = std::min(watermark, *last);
      break;
    }
  }
  return result;
}

std::optional<Gap> retired_of(const LogSnapshot& log, const Unlisted& rest) {
  Seq first(log.last_seq.value + 1);
  if (!log.segments.empty()) {
    first = std::min(first, log.segments.front()->info().first_seq);
  }
  if (!log.gaps.empty()) {
    first = std::min(first, log.gaps.front().first_seq);
  }
  if (rest.last < rest.first || first <= rest.first) {
    return std::nullopt;
  }
  return Gap{log.log, rest.first, std::min(rest.last, Seq(first.value - 1)),
             "retired before it was looked at"};
}

}  // namespace docket::query
