#include "tools/load/weighted_choice.hpp"

#include <cmath>
#include <cstddef>

#include "engine/assert.hpp"

namespace docket::load {

WeightedChoice::WeightedChoice(std::span<const double> weights) {
  DOCKET_ASSERT(!weights.empty());
  double sum = 0;
  for (const double weight : weights) {
    DOCKET_ASSERT(weight >= 0);
    sum += weight;
  }
  DOCKET_ASSERT(sum > 0);
  // Each cell holds 1/n of the probability; a cell with less than that is filled up from one with
  // more.
  std::vector<double> left(weights.size());
  std::vector<std::uint32_t> small;
  std::vector<std::uint32_t> large;
  cells_.resize(weights.size());
  for (std::uint32_t i = 0; i < weights.size(); ++i) {
    left[i] = weights[i] * static_cast<double>(weights.size()) / sum;
    cells_[i] = {UINT64_MAX, i, i};
    (left[i] < 1 ? small : large).push_back(i);
  }
  while (!small.empty() && !large.empty()) {
    const std::uint32_t poor = small.back();
    const std::uint32_t rich = large.back();
    small.pop_back();
    cells_[poor].keep = static_cast<std::uint64_t>(left[poor] * 0x1.0p64);
    cells_[poor].other = rich;
    left[rich] -= 1 - left[poor];
    if (left[rich] < 1) {
      large.pop_back();
      small.push_back(rich);
    }
  }
}

ZipfRank::ZipfRank(std::uint64_t size, double exponent) {
  DOCKET_ASSERT(size > 0 && exponent != 1);
  constexpr std::size_t knots = std::size_t{1} << knot_bits;
  const double flat = 1 - exponent;
  const double span = std::pow(static_cast<double>(size) + 1, flat) - 1;
  knots_.reserve(knots + 1);
  for (std::size_t i = 0; i <= knots; ++i) {
    const double u = static_cast<double>(i) / knots;
    knots_.push_back(std::pow(1 + u * span, 1 / flat) - 1);
  }
  // Rounding must not let the last rank reach `size`.
  knots_.back() = std::nextafter(static_cast<double>(size), 0.0);
}

}  // namespace docket::load
