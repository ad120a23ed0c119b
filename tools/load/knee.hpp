// Where a latency curve bends: the load beyond which waiting grows faster than what is done.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace docket::load {

struct KneePoint {
  double rate = 0;       // offered, events a second
  double delivered = 0;  // events a second that became durable
  double p99_ms = 0;
};

// Whether as much became durable as was offered, up to what is within the ends of a run.
inline constexpr double sustained_share = 0.97;
[[nodiscard]] bool is_sustained(const KneePoint& point);

// The index of the knee among points of ascending rates: of the sustained points before the first
// that is not, the one that lies farthest below the line from the first of all points to the first
// that is not sustained (or the last), with the p99 on a logarithmic scale (Kneedle, Satopää et al.
// 2011). Where the curve never bends below that line it is the last sustained point. None when the
// first point is not sustained, or there is no point.
[[nodiscard]] std::optional<std::size_t> find_knee(const std::vector<KneePoint>& points);

}  // namespace docket::load
