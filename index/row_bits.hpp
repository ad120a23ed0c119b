// A set of rows of one chunk: the currency between postings, column scans and counting.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <type_traits>

#include "engine/limits.hpp"

namespace docket::index {

inline constexpr std::uint32_t chunk_words = limits::chunk_rows / 64;

// Words [begin, end) of a chunk's rows; what an operation works on.
struct WordRange {
  std::uint32_t begin = 0;
  std::uint32_t end = chunk_words;
};

// The ones in `count` words. Plain arithmetic, which compilers turn into vectors: the popcnt
// instruction is not part of the architecture that is built for, and the library's function for it
// costs a call and a table look-up a word.
[[nodiscard]] inline std::uint32_t count_bits(const std::uint64_t* words, std::uint32_t count) {
  constexpr std::uint64_t pairs = 0x5555555555555555;
  constexpr std::uint64_t fours = 0x3333333333333333;
  constexpr std::uint64_t bytes = 0x0F0F0F0F0F0F0F0F;
  std::uint64_t total = 0;
  // Sums of bytes fit their byte for up to 31 words of at most 8 each.
  constexpr std::uint32_t step = 31;
  for (std::uint32_t begin = 0; begin < count; begin += step) {
    const std::uint32_t end = begin + step < count ? begin + step : count;
    std::uint64_t sums = 0;
    for (std::uint32_t i = begin; i < end; ++i) {
      std::uint64_t w = words[i];
      w -= (w >> 1) & pairs;
      w = (w & fours) + ((w >> 2) & fours);
      sums += (w + (w >> 4)) & bytes;
    }
    constexpr std::uint64_t halves = 0x00FF00FF00FF00FF;
    const std::uint64_t wide = (sums & halves) + ((sums >> 8) & halves);
    total += (wide * 0x0001000100010001) >> 48;
  }
  return static_cast<std::uint32_t>(total);
}

// Bit r is row r of the chunk. Operations leave words outside their range alone.
struct alignas(64) RowBits {
  std::array<std::uint64_t, chunk_words> words;

  void clear(WordRange range) {
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      words[i] = 0;
    }
  }
  void copy_from(const RowBits& other, WordRange range) {
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      words[i] = other.words[i];
    }
  }
  void and_with(const RowBits& other, WordRange range) {
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      words[i] &= other.words[i];
    }
  }
  void and_not(const RowBits& other, WordRange range) {
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      words[i] &= ~other.words[i];
    }
  }
  void or_with(const RowBits& other, WordRange range) {
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      words[i] |= other.words[i];
    }
  }
  [[nodiscard]] bool any(WordRange range) const {
    std::uint64_t all = 0;
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      all |= words[i];
    }
    return all != 0;
  }
  [[nodiscard]] std::uint32_t count(WordRange range) const {
    return count_bits(words.data() + range.begin, range.end - range.begin);
  }
  // Rows [row, row + 64) as a word; rows outside of the chunk are not set.
  [[nodiscard]] std::uint64_t word_at(std::int64_t row) const {
    const auto word = [this](std::int64_t i) {
      return i >= 0 && i < std::int64_t{chunk_words} ? words[static_cast<std::size_t>(i)] : 0;
    };
    const std::int64_t first = row >= 0 ? row / 64 : -((63 - row) / 64);
    const auto shift = static_cast<std::uint32_t>(row - first * 64);
    return shift == 0 ? word(first) : word(first) >> shift | word(first + 1) << (64 - shift);
  }
  // Rows [begin, end) that are set.
  [[nodiscard]] std::uint32_t count_rows(std::uint32_t begin, std::uint32_t end) const {
    if (begin >= end) {
      return 0;
    }
    const std::uint32_t first = begin / 64;
    const std::uint32_t last = (end - 1) / 64;
    const std::uint64_t first_mask = ~std::uint64_t{0} << (begin % 64);
    const std::uint64_t last_mask = ~std::uint64_t{0} >> (63 - (end - 1) % 64);
    if (first == last) {
      const std::uint64_t word = words[first] & first_mask & last_mask;
      return count_bits(&word, 1);
    }
    const std::uint64_t edges[2] = {words[first] & first_mask, words[last] & last_mask};
    return count_bits(edges, 2) + count_bits(words.data() + first + 1, last - first - 1);
  }
  // Sets rows [begin, end).
  void set_rows(std::uint32_t begin, std::uint32_t end) {
    if (begin >= end) {
      return;
    }
    const std::uint64_t first = ~std::uint64_t{0} << (begin % 64);
    const std::uint64_t last = ~std::uint64_t{0} >> (63 - (end - 1) % 64);
    if (begin / 64 == (end - 1) / 64) {
      words[begin / 64] |= first & last;
      return;
    }
    words[begin / 64] |= first;
    for (std::uint32_t i = begin / 64 + 1; i < (end - 1) / 64; ++i) {
      words[i] = ~std::uint64_t{0};
    }
    words[(end - 1) / 64] |= last;
  }
  // Calls visit(row) for each row of the range, ascending. A visit that returns false ends it.
  template <typename Visit>
  void for_each(WordRange range, Visit&& visit) const {
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      for (std::uint64_t word = words[i]; word != 0; word &= word - 1) {
        if (!go_on(visit, i * 64 + static_cast<std::uint32_t>(std::countr_zero(word)))) {
          return;
        }
      }
    }
  }
  // The same, descending.
  template <typename Visit>
  void for_each_descending(WordRange range, Visit&& visit) const {
    for (std::uint32_t i = range.end; i-- > range.begin;) {
      for (std::uint64_t word = words[i]; word != 0;) {
        const auto bit = 63 - static_cast<std::uint32_t>(std::countl_zero(word));
        if (!go_on(visit, i * 64 + bit)) {
          return;
        }
        word &= ~(std::uint64_t{1} << bit);
      }
    }
  }

 private:
  template <typename Visit>
  [[nodiscard]] static bool go_on(Visit& visit, std::uint32_t row) {
    if constexpr (std::is_same_v<decltype(visit(row)), bool>) {
      return visit(row);
    } else {
      visit(row);
      return true;
    }
  }
};

}  // namespace docket::index
