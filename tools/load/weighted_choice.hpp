// Drawing from fixed distributions in constant time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tools/load/random.hpp"

namespace docket::load {

// Draws index i with probability weights[i] / sum (Walker's alias method). Immutable.
class WeightedChoice {
 public:
  // Precondition: not empty; no weight negative; their sum positive.
  explicit WeightedChoice(std::span<const double> weights);
  [[nodiscard]] std::uint32_t pick(Random& random) const {
    __extension__ using Wide = unsigned __int128;
    const Wide x = static_cast<Wide>(random.next()) * cells_.size();
    const Cell& cell = cells_[static_cast<std::size_t>(x >> 64)];
    return static_cast<std::uint64_t>(x) < cell.keep ? cell.self : cell.other;
  }

 private:
  struct Cell {
    std::uint64_t keep = 0;  // out of 2^64
    std::uint32_t self = 0;
    std::uint32_t other = 0;
  };
  std::vector<Cell> cells_;
};

// Draws ranks 0 .. size-1 with probability falling as (rank + 1)^-exponent, for spaces too wide for
// a cell per rank: the inverse of the distribution, interpolated between 4,096 knots, few enough
// to stay in a cache. Immutable.
class ZipfRank {
 public:
  // Precondition: size > 0, exponent != 1.
  ZipfRank(std::uint64_t size, double exponent);
  [[nodiscard]] std::uint64_t pick(Random& random) const {
    const std::uint64_t x = random.next();
    const double* knot = &knots_[x >> (64 - knot_bits)];
    const double within = static_cast<double>(x << knot_bits) * 0x1.0p-64;
    return static_cast<std::uint64_t>(knot[0] + within * (knot[1] - knot[0]));
  }

 private:
  static constexpr unsigned knot_bits = 12;
  std::vector<double> knots_;
};

}  // namespace docket::load
