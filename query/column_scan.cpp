#include "query/column_scan.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "engine/assert.hpp"
#include "engine/limits.hpp"
#include "engine/processor.hpp"
#include "index/row_bits.hpp"

#if defined(DOCKET_WIDE_VECTORS)
#include <immintrin.h>
#endif
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace docket::query {
namespace {

// One look-up costs about as much as unpacking and comparing so many neighbours.
constexpr std::uint32_t unpack_instead = 16;

#if defined(DOCKET_WIDE_VECTORS)

// Whole words of them; returns how many rows that are.
DOCKET_WIDE_VECTORS std::size_t match_range_wide(std::span<const std::uint32_t> ids,
                                                 std::uint32_t begin, std::uint32_t length,
                                                 std::uint64_t* words) {
  const __m512i origin = _mm512_set1_epi32(static_cast<int>(begin));
  const __m512i bound = _mm512_set1_epi32(static_cast<int>(length));
  std::size_t i = 0;
  for (; i + 64 <= ids.size(); i += 64) {
    std::uint64_t word = 0;
    for (std::size_t part = 0; part < 64; part += 16) {
      const __m512i id = _mm512_loadu_si512(ids.data() + i + part);
      word |= std::uint64_t{_mm512_cmplt_epu32_mask(_mm512_sub_epi32(id, origin), bound)} << part;
    }
    words[i / 64] = word;
  }
  return i;
}

DOCKET_WIDE_VECTORS std::size_t match_times_wide(std::span<const std::uint64_t> times,
                                                 std::uint64_t since, std::uint64_t length,
                                                 std::uint64_t* words) {
  const __m512i origin = _mm512_set1_epi64(static_cast<long long>(since));
  const __m512i bound = _mm512_set1_epi64(static_cast<long long>(length));
  std::size_t i = 0;
  for (; i + 64 <= times.size(); i += 64) {
    std::uint64_t word = 0;
    for (std::size_t part = 0; part < 64; part += 8) {
      const __m512i time = _mm512_loadu_si512(times.data() + i + part);
      word |= std::uint64_t{_mm512_cmple_epu64_mask(_mm512_sub_epi64(time, origin), bound)} << part;
    }
    words[i / 64] = word;
  }
  return i;
}

#endif

void match_range(std::span<const std::uint32_t> ids, std::uint32_t begin, std::uint32_t length,
                 std::uint64_t* words) {
  std::size_t i = 0;
#if defined(DOCKET_WIDE_VECTORS)
  if (has_wide_vectors()) {
    i = match_range_wide(ids, begin, length, words);
  }
#endif
#if defined(__SSE2__)
  // id - begin < length, unsigned: both sides are moved by 2^31 for the signed comparison.
  const __m128i origin = _mm_set1_epi32(static_cast<int>(begin));
  const __m128i bias = _mm_set1_epi32(static_cast<int>(0x80000000U));
  const __m128i bound = _mm_set1_epi32(static_cast<int>(length ^ 0x80000000U));
  const auto inside = [&](const std::uint32_t* p) {
    const __m128i id = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return _mm_cmplt_epi32(_mm_xor_si128(_mm_sub_epi32(id, origin), bias), bound);
  };
  for (; i + 64 <= ids.size(); i += 64) {
    std::uint64_t word = 0;
    for (std::size_t part = 0; part < 64; part += 16) {
      const std::uint32_t* const p = ids.data() + i + part;
      const __m128i low = _mm_packs_epi32(inside(p), inside(p + 4));
      const __m128i high = _mm_packs_epi32(inside(p + 8), inside(p + 12));
      const auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(low, high)));
      word |= std::uint64_t{mask} << part;
    }
    words[i / 64] = word;
  }
#endif
  for (; i < ids.size(); i += 64) {
    std::uint64_t word = 0;
    const std::size_t end = std::min<std::size_t>(64, ids.size() - i);
    for (std::size_t j = 0; j < end; ++j) {
      word |= std::uint64_t{ids[i + j] - begin < length ? 1U : 0U} << j;
    }
    words[i / 64] = word;
  }
}

// Few candidates decide where to look: a column is looked at in parts of so many rows.
constexpr std::uint32_t part_rows = 1024;

void look_up(const PackedInts& column, const IdSet& set, std::uint32_t begin, std::uint32_t count,
             const std::uint64_t* candidates, std::uint64_t* words) {
  for (std::uint32_t i = 0; i < count; ++i) {
    std::uint64_t found = 0;
    for (std::uint64_t word = candidates[i]; word != 0; word &= word - 1) {
      const auto bit = static_cast<std::uint32_t>(std::countr_zero(word));
      const auto id = static_cast<std::uint32_t>(column[begin + i * 64 + bit]);
      found |= std::uint64_t{set.contains(id) ? 1U : 0U} << bit;
    }
    words[i] = found;
  }
}

void match_part(const PackedInts& column, const IdSet& set, std::uint32_t begin, std::uint32_t rows,
                const std::uint64_t* candidates, std::uint64_t* words) {
  const std::uint32_t count = (rows + 63) / 64;
  const std::uint32_t wanted = index::count_bits(candidates, count);
  if (wanted * unpack_instead < rows) {
    look_up(column, set, begin, count, candidates, words);
    return;
  }
  std::array<std::uint32_t, part_rows> ids;
  column.unpack(begin, begin + rows, ids.data());
  match_ids(std::span(ids).first(rows), set, words);
  for (std::uint32_t i = 0; i < count; ++i) {
    words[i] &= candidates[i];
  }
}

}  // namespace

void match_ids(std::span<const std::uint32_t> ids, const IdSet& set, std::uint64_t* words) {
  if (set.is_range()) {
    const IdRange range = set.empty() ? IdRange{} : set.ranges().front();
    match_range(ids, range.begin, range.size(), words);
    return;
  }
  for (std::size_t i = 0; i < ids.size(); i += 64) {
    std::uint64_t word = 0;
    const std::size_t end = std::min<std::size_t>(64, ids.size() - i);
    for (std::size_t j = 0; j < end; ++j) {
      word |= std::uint64_t{set.contains(ids[i + j]) ? 1U : 0U} << j;
    }
    words[i / 64] = word;
  }
}

void match_times(std::span<const std::uint64_t> times, Nanos since, Nanos until,
                 std::uint64_t* words) {
  const bool is_open = until == INT64_MAX;
  if (until <= since && !is_open) {
    std::fill_n(words, (times.size() + 63) / 64, 0);
    return;
  }
  // As in match_range(): one unsigned comparison for both ends.
  const auto origin = static_cast<std::uint64_t>(since);
  const std::uint64_t length = static_cast<std::uint64_t>(is_open ? until : until - 1) - origin;
  std::size_t i = 0;
#if defined(DOCKET_WIDE_VECTORS)
  if (has_wide_vectors()) {
    i = match_times_wide(times, origin, length, words);
  }
#endif
  for (; i < times.size(); i += 64) {
    std::uint64_t word = 0;
    const std::size_t end = std::min<std::size_t>(64, times.size() - i);
    for (std::size_t j = 0; j < end; ++j) {
      word |= std::uint64_t{times[i + j] - origin <= length ? 1U : 0U} << j;
    }
    words[i / 64] = word;
  }
}

void match_column(const PackedInts& column, const IdSet& set, std::uint32_t rows,
                  const std::uint64_t* candidates, std::uint64_t* words) {
  DOCKET_ASSERT(rows <= column.size() && rows <= limits::block_rows_max);
  const std::uint32_t count = (rows + 63) / 64;
  if (column.width() == 0) {
    const bool all = set.contains(static_cast<std::uint32_t>(column.base()));
    std::transform(candidates, candidates + count, words,
                   [&](std::uint64_t word) { return all ? word : 0; });
    return;
  }
  for (std::uint32_t begin = 0; begin < rows; begin += part_rows) {
    const std::uint32_t part = std::min(part_rows, rows - begin);
    match_part(column, set, begin, part, candidates + begin / 64, words + begin / 64);
  }
}

}  // namespace docket::query
