// A set of rows of one chunk: the currency between postings, column scans and counting.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "engine/limits.hpp"

namespace docket::index {

inline constexpr std::uint32_t chunk_words = limits::chunk_rows / 64;

// Words [begin, end) of a chunk's rows; what an operation works on.
struct WordRange {
  std::uint32_t begin = 0;
  std::uint32_t end = chunk_words;
};

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
    std::uint32_t n = 0;
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      n += static_cast<std::uint32_t>(std::popcount(words[i]));
    }
    return n;
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
  // Calls visit(row) for each row of the range, ascending.
  template <typename Visit>
  void for_each(WordRange range, Visit&& visit) const {
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      std::uint64_t word = words[i];
      while (word != 0) {
        visit(i * 64 + static_cast<std::uint32_t>(std::countr_zero(word)));
        word &= word - 1;
      }
    }
  }
  // The same, descending.
  template <typename Visit>
  void for_each_descending(WordRange range, Visit&& visit) const {
    for (std::uint32_t i = range.end; i-- > range.begin;) {
      std::uint64_t word = words[i];
      while (word != 0) {
        const auto bit = 63 - static_cast<std::uint32_t>(std::countl_zero(word));
        visit(i * 64 + bit);
        word &= ~(std::uint64_t{1} << bit);
      }
    }
  }
};

}  // namespace docket::index
