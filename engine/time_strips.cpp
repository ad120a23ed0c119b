#include "engine/time_strips.hpp"

#include <algorithm>
#include <array>
#include <memory>

namespace docket {

TimeStrips TimeStrips::of(const PackedInts& times) {
  TimeStrips strips;
  strips.rows = times.size();
  const std::uint32_t count = (times.size() + time_strip_rows - 1) / time_strip_rows;
  strips.latest.resize(count);
  strips.earliest.resize(count);
  std::array<std::uint64_t, time_strip_rows> of_strip;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t begin = i * time_strip_rows;
    const std::uint32_t rows = std::min(time_strip_rows, times.size() - begin);
    times.unpack(begin, begin + rows, of_strip.data());
    Nanos latest = INT64_MIN;
    Nanos earliest = INT64_MAX;
    for (std::uint32_t row = 0; row < rows; ++row) {
      latest = std::max(latest, static_cast<Nanos>(of_strip[row]));
      earliest = std::min(earliest, static_cast<Nanos>(of_strip[row]));
    }
    strips.latest[i] = i == 0 ? latest : std::max(latest, strips.latest[i - 1]);
    strips.earliest[i] = earliest;
  }
  for (std::uint32_t i = count; i-- > 1;) {
    strips.earliest[i - 1] = std::min(strips.earliest[i - 1], strips.earliest[i]);
  }
  return strips;
}

IdRange TimeStrips::around(Nanos instant) const {
  // Both rise.
  const auto first_not_before = [instant](const std::vector<Nanos>& bounds) {
    return static_cast<std::uint32_t>(std::lower_bound(bounds.begin(), bounds.end(), instant) -
                                      bounds.begin());
  };
  return IdRange{std::min(rows, first_not_before(latest) * time_strip_rows),
                 std::min(rows, first_not_before(earliest) * time_strip_rows)};
}

IdRange TimeStrips::within(Nanos since, Nanos until) const {
  return IdRange{around(since).begin, until == INT64_MAX ? rows : around(until).end};
}

Result<std::shared_ptr<const TimeStrips>> SegmentReader::time_strips(std::uint32_t block) const {
  DOCKET_ASSIGN(const PackedInts times, column(block, RowColumn::ts));
  return std::make_shared<const TimeStrips>(TimeStrips::of(times));
}

}  // namespace docket
