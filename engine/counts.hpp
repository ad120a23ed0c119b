// Every count has its own type: mixing a sequence number with a file offset does not compile.
#pragma once

#include <compare>
#include <cstdint>

namespace docket {

// A 64-bit count of one kind. Explicit to make, explicit to read (`.value`), cheap to copy.
template <typename Tag>
struct Count {
  std::uint64_t value = 0;

  constexpr Count() = default;
  constexpr explicit Count(std::uint64_t v) : value(v) {}

  friend constexpr auto operator<=>(Count, Count) = default;
  friend constexpr Count operator+(Count a, std::uint64_t n) { return Count(a.value + n); }
  friend constexpr Count operator-(Count a, std::uint64_t n) { return Count(a.value - n); }
  // The distance between two of a kind is a plain number.
  friend constexpr std::uint64_t operator-(Count a, Count b) { return a.value - b.value; }
  constexpr Count& operator+=(std::uint64_t n) {
    value += n;
    return *this;
  }
};

using Seq = Count<struct SeqTag>;                  // an event's place in its log, from 1, dense
using SegmentId = Count<struct SegmentIdTag>;      // a segment's number in its log, from 1, rising
using FileOffset = Count<struct FileOffsetTag>;    // bytes from the start of a file
using WriterEpoch = Count<struct WriterEpochTag>;  // rises with every recovery of a segment

using Nanos = std::int64_t;  // nanoseconds since the Unix epoch, UTC

}  // namespace docket
