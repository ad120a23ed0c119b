#include "tools/load/knee.hpp"

#include <algorithm>
#include <cmath>

namespace docket::load {

bool is_sustained(const KneePoint& point) {
  return point.delivered >= sustained_share * point.rate;
}

std::optional<std::size_t> find_knee(const std::vector<KneePoint>& points) {
  const auto broken = std::ranges::find_if_not(points, is_sustained);
  const auto sustained = static_cast<std::size_t>(broken - points.begin());
  if (sustained == 0) {
    return std::nullopt;
  }
  const auto height = [&points](std::size_t i) {
    return std::log(std::max(points[i].p99_ms, 1e-6));
  };
  const std::size_t last = std::min(sustained, points.size() - 1);
  std::size_t knee = sustained - 1;
  double farthest = 0;
  for (std::size_t i = 1; i < sustained && last > 1; ++i) {
    const double along = (points[i].rate - points[0].rate) / (points[last].rate - points[0].rate);
    const double below = height(0) + along * (height(last) - height(0)) - height(i);
    if (below > farthest) {
      farthest = below;
      knee = i;
    }
  }
  return knee;
}

}  // namespace docket::load
