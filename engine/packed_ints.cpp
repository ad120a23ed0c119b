#include "engine/packed_ints.hpp"

#include <algorithm>
#include <type_traits>

#include "engine/processor.hpp"

#if defined(DOCKET_WIDE_VECTORS)
#include <immintrin.h>
#endif

namespace docket {

namespace {

#if defined(DOCKET_WIDE_VECTORS)

// Values of so few bits, wherever they begin in a byte, lie within a lane of a vector.
constexpr std::uint32_t width_max_32 = 25;
constexpr std::uint32_t width_max_64 = 57;

// Unpacks whole vectors of values that begin at a byte: 64 / sizeof(T) of them take a number of
// whole bytes. A permutation brings each value's bytes into its lane, a shift takes its first bit
// to the lane's. Returns how many values were unpacked; reads nothing behind the last of them.
template <typename T>
DOCKET_WIDE_VECTORS std::uint32_t unpack_wide(const std::byte* from, std::uint32_t count,
                                              std::uint32_t width, std::uint64_t base,
                                              std::uint64_t scale, T* into) {
  constexpr std::uint32_t lanes = 64 / sizeof(T);
  const std::uint32_t step = lanes * width / 8;
  alignas(64) std::uint8_t order[64];
  alignas(64) T shift[lanes];
  for (std::uint32_t lane = 0; lane < lanes; ++lane) {
    shift[lane] = lane * width % 8;
    for (std::uint32_t i = 0; i < sizeof(T); ++i) {
      order[lane * sizeof(T) + i] = static_cast<std::uint8_t>(lane * width / 8 + i);
    }
  }
  const __m512i bytes = _mm512_load_si512(order);
  const __m512i shifts = _mm512_load_si512(shift);
  // The unmasked forms start from an undefined vector, of which g++ 12 warns.
  constexpr __mmask64 all = ~__mmask64{0};
  constexpr auto all_lanes =
      static_cast<std::conditional_t<sizeof(T) == 4, __mmask16, __mmask8>>((1U << lanes) - 1);
  const __mmask64 loaded = _bzhi_u64(~std::uint64_t{0}, step);
  const bool is_plain = base == 0 && scale == 1;
  std::uint32_t done = 0;
  for (; done + lanes <= count; done += lanes, from += step) {
    __m512i values =
        _mm512_maskz_permutexvar_epi8(all, bytes, _mm512_maskz_loadu_epi8(loaded, from));
    if constexpr (sizeof(T) == 4) {
      values = _mm512_and_si512(_mm512_maskz_srlv_epi32(all_lanes, values, shifts),
                                _mm512_set1_epi32(static_cast<int>((1U << width) - 1)));
      if (!is_plain) {
        values =
            _mm512_add_epi32(_mm512_mullo_epi32(values, _mm512_set1_epi32(static_cast<int>(scale))),
                             _mm512_set1_epi32(static_cast<int>(base)));
      }
    } else {
      const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
      values = _mm512_and_si512(_mm512_maskz_srlv_epi64(all_lanes, values, shifts),
                                _mm512_set1_epi64(static_cast<long long>(mask)));
      if (!is_plain) {
        values = _mm512_add_epi64(
            _mm512_mullo_epi64(values, _mm512_set1_epi64(static_cast<long long>(scale))),
            _mm512_set1_epi64(static_cast<long long>(base)));
      }
    }
    _mm512_storeu_si512(into + done, values);
  }
  return done;
}

#endif

template <typename T>
void unpack_into(const PackedInts& ints, std::uint32_t begin, std::uint32_t end, T* into) {
  DOCKET_ASSERT(begin <= end && end <= ints.size());
  const std::uint64_t base = ints.base();
  const std::uint64_t scale = ints.scale();
  const std::uint32_t width = ints.width();
  if (width == 0) {
    std::fill_n(into, end - begin, static_cast<T>(base));
    return;
  }
  std::uint32_t i = begin;
  const auto one_by_one = [&](std::uint32_t until) {
    for (; i < until; ++i) {
      *into++ = static_cast<T>(base + scale * ints.bits(i));
    }
  };
#if defined(DOCKET_WIDE_VECTORS)
  if (width <= (sizeof(T) == 4 ? width_max_32 : width_max_64) && has_wide_vectors()) {
    one_by_one(std::min(end, (begin + 7) / 8 * 8));  // up to a value that begins with a byte
    if (i < end) {
      const std::uint32_t done =
          unpack_wide(ints.bytes() + i / 8 * width, end - i, width, base, scale, into);
      i += done;
      into += done;
    }
  }
#endif
  one_by_one(end);
}

template <typename T>
void pack_into(std::span<const T> values, std::uint32_t width, std::vector<std::byte>& out) {
  DOCKET_ASSERT(width <= 64);
  if (width == 0 || values.empty()) {
    return;
  }
  const std::size_t start = out.size();
  out.resize(start + packed_bytes(values.size(), width));
  std::byte* to = out.data() + start;
  const std::byte* end = out.data() + out.size();
  // Bits gather in `pending`; whole 64-bit words leave it.
  std::uint64_t pending = 0;
  std::uint32_t filled = 0;
  for (const T v : values) {
    const std::uint64_t value = v;
    DOCKET_ASSERT(width == 64 || value >> width == 0);
    pending |= value << filled;
    if (filled + width >= 64) {
      std::memcpy(to, &pending, 8);
      to += 8;
      const std::uint32_t used = 64 - filled;
      pending = used == 64 ? 0 : value >> used;
      filled = width - used;
    } else {
      filled += width;
    }
  }
  for (; to < end; ++to) {
    *to = static_cast<std::byte>(pending & 0xff);
    pending >>= 8;
  }
}

}  // namespace

void PackedInts::unpack(std::uint32_t begin, std::uint32_t end, std::uint64_t* into) const {
  unpack_into(*this, begin, end, into);
}

void PackedInts::unpack(std::uint32_t begin, std::uint32_t end, std::uint32_t* into) const {
  unpack_into(*this, begin, end, into);
}

void pack_bits(std::span<const std::uint64_t> values, std::uint32_t width,
               std::vector<std::byte>& out) {
  pack_into(values, width, out);
}

void pack_bits(std::span<const std::uint32_t> values, std::uint32_t width,
               std::vector<std::byte>& out) {
  pack_into(values, width, out);
}

}  // namespace docket
