// Where a block's rows lie in time, without a look at each: rows stand nearly in the order of their
// time, so that an instant parts most of them by their place alone.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/counts.hpp"
#include "engine/packed_ints.hpp"
#include "engine/segment_reader.hpp"

namespace docket {

inline constexpr std::uint32_t time_strip_rows = 128;

struct TimeStrips {
  std::uint32_t rows = 0;
  std::vector<Nanos> latest;    // of the rows up to the end of each strip
  std::vector<Nanos> earliest;  // of the rows from the beginning of each strip on

  [[nodiscard]] static TimeStrips of(const PackedInts& times);
  // The rows that have to be looked at to tell which are before `instant`: all before them are,
  // none behind them is.
  [[nodiscard]] IdRange around(Nanos instant) const;
  // The rows that can have since <= ts < until; an `until` of INT64_MAX is no end. Precondition:
  // since <= until.
  [[nodiscard]] IdRange within(Nanos since, Nanos until) const;
  [[nodiscard]] std::size_t memory_bytes() const {
    return sizeof(*this) + (latest.size() + earliest.size()) * sizeof(Nanos);
  }
};

}  // namespace docket
