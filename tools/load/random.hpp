// Random numbers for the generator: small, fast, the same on every machine.
#pragma once

#include <cstdint>

namespace docket::load {

// Finaliser of splitmix64: every input bit reaches every output bit.
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

// The high half of a 64x64-bit product: maps a random x to [0, n) without a division.
[[nodiscard]] constexpr std::uint64_t scale(std::uint64_t x, std::uint64_t n) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(x) * n) >> 64);
}

// A stream of random numbers. Cheap enough that every event starts its own, which is what makes
// event i a pure function of (seed, i).
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream)
      : state_(mix(seed + 0x9E3779B97F4A7C15U) ^ mix(stream * 0xD1342543DE82EF95U + 1)) {}

  [[nodiscard]] std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    return mix(state_);
  }
  // Uniform in [0, n).
  [[nodiscard]] std::uint64_t below(std::uint64_t n) { return scale(next(), n); }
  // True once in `n` times.
  [[nodiscard]] bool one_in(std::uint64_t n) { return below(n) == 0; }
  // Uniform in [0, 1).
  [[nodiscard]] double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  std::uint64_t state_;
};

}  // namespace docket::load
