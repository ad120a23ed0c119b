// How long something took, counted in buckets.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/counts.hpp"

namespace docket {

// Not thread-safe. Adding needs no memory.
struct DurationCounts {
  // Upper bounds, inclusive; a hundred microseconds is a fast device's sync, ten seconds a lost
  // one.
  static constexpr std::array<std::int64_t, 14> bounds_us{
      100,    250,    500,     1'000,   2'500,     5'000,     10'000,
      25'000, 50'000, 100'000, 250'000, 1'000'000, 2'500'000, 10'000'000};

  // Of each bucket by itself; the last one is for all that took longer.
  std::array<std::uint64_t, bounds_us.size() + 1> counts{};
  Nanos sum = 0;

  [[nodiscard]] static constexpr std::size_t bucket_of(Nanos duration) {
    std::size_t bucket = 0;
    while (bucket < bounds_us.size() && duration > bounds_us[bucket] * 1000) {
      ++bucket;
    }
    return bucket;
  }
  void add(Nanos duration) {
    ++counts[bucket_of(duration)];
    sum += duration;
  }
};

}  // namespace docket
