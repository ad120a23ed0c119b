#include "index/trigrams.hpp"

#include <algorithm>
#include <bit>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace docket::index {
namespace {

constexpr std::uint32_t symbol_bits = 6;
static_assert(trigram_last == (Trigram{1} << 3 * symbol_bits) - 1);

// What is looked for by: other characters may have other cases, or none.
[[nodiscard]] constexpr bool is_printable(char c) {
  return c >= 0x20 && c < 0x7F;
}

// Letters in either case, and a few signs that differ in the same bit, are one symbol. Others stand
// for `^`, which is rare: a block then seems to have what it has not, never the other way.
[[nodiscard]] constexpr std::uint8_t symbol_of(char c) {
  const auto byte = static_cast<std::uint8_t>(is_printable(c) ? c : '^');
  return static_cast<std::uint8_t>(byte < 0x40 ? byte - 0x20 : 0x20 + byte % 0x20);
}

// The trigrams of a text are those that end at each of its characters.
[[nodiscard]] Trigram next(Trigram last, char c) {
  return last << symbol_bits | symbol_of(c);
}

[[nodiscard]] Trigram trigram_at(const std::uint8_t* symbol) {
  return Trigram{symbol[0]} << (2 * symbol_bits) | Trigram{symbol[1]} << symbol_bits | symbol[2];
}

constexpr std::size_t together = TrigramSet::together;

// Some of the trigrams that begin at symbol[at], symbol[at + 1] … are not in a set: bit i of
// `which` for the one at `at + i`.
struct Unseen {
  std::size_t at;
  std::uint32_t which;
};

// The first place from `at` on, of those that are `together` apart, with trigrams that are not in
// the set `seen`; one at or behind `end` where there are none.
[[nodiscard]] Unseen find_unseen_plain(const std::uint8_t* symbol, std::size_t at, std::size_t end,
                                       const std::uint32_t* seen) {
  for (; at < end; at += together) {
    std::uint32_t which = 0;
    for (std::uint32_t i = 0; i < together; ++i) {
      const Trigram trigram = trigram_at(symbol + at + i);
      which |= (~seen[trigram / 32] >> (trigram % 32) & 1) << i;
    }
    if (which != 0) {
      return {at, which};
    }
  }
  return {at, 0};
}

#if defined(__x86_64__)
// The same, eight trigrams at once.
[[nodiscard]] __attribute__((target("avx2"))) Unseen find_unseen_avx2(const std::uint8_t* symbol,
                                                                      std::size_t at,
                                                                      std::size_t end,
                                                                      const std::uint32_t* seen) {
  const __m256i low_bits = _mm256_set1_epi32(31);
  for (; at < end; at += together) {
    std::uint32_t which = 0;
    for (std::uint32_t i = 0; i < together; i += 8) {
      const auto* const from = reinterpret_cast<const __m128i*>(symbol + at + i);
      const auto* const second = reinterpret_cast<const __m128i*>(symbol + at + i + 1);
      const auto* const third = reinterpret_cast<const __m128i*>(symbol + at + i + 2);
      const __m256i trigrams = _mm256_or_si256(
          _mm256_or_si256(
              _mm256_slli_epi32(_mm256_cvtepu8_epi32(_mm_loadl_epi64(from)), 2 * symbol_bits),
              _mm256_slli_epi32(_mm256_cvtepu8_epi32(_mm_loadl_epi64(second)), symbol_bits)),
          _mm256_cvtepu8_epi32(_mm_loadl_epi64(third)));
      const __m256i words = _mm256_i32gather_epi32(reinterpret_cast<const int*>(seen),
                                                   _mm256_srli_epi32(trigrams, 5), 4);
      // The bit asked for becomes the sign.
      const __m256i bits = _mm256_sllv_epi32(words, _mm256_andnot_si256(trigrams, low_bits));
      const int signs = _mm256_movemask_ps(_mm256_castsi256_ps(bits));
      which |= (~static_cast<std::uint32_t>(signs) & 0xFF) << i;
    }
    if (which != 0) {
      return {at, which};
    }
  }
  return {at, 0};
}
#endif

}  // namespace

std::vector<Trigram> trigrams_of(std::string_view text) {
  std::vector<Trigram> found;
  Trigram last = 0;
  std::size_t run = 0;  // of printable characters
  for (const char c : text) {
    last = next(last, c) & trigram_last;
    run = is_printable(c) ? run + 1 : 0;
    if (run >= 3) {
      found.push_back(last);
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

TrigramSet::TrigramSet() : TrigramSet(Look::fastest) {}

TrigramSet::TrigramSet(Look look) : bits_((std::size_t{trigram_last} + 1) / 32) {
#if defined(__x86_64__)
  has_avx2_ = look == Look::fastest && __builtin_cpu_supports("avx2") != 0;
#else
  static_cast<void>(look);
#endif
}

void TrigramSet::add(std::string_view text) {
  if (text.size() < 3) {
    return;
  }
  if (symbols_.size() < text.size() + 2 * together) {
    symbols_.resize(text.size() + 2 * together);
  }
  std::uint8_t* const symbol = symbols_.data();
  std::transform(text.begin(), text.end(), symbol, symbol_of);
  const std::size_t end = text.size() - 2;
  for (std::size_t at = 0; at < end; at += together) {
#if defined(__x86_64__)
    const Unseen unseen = has_avx2_ ? find_unseen_avx2(symbol, at, end, bits_.data())
                                    : find_unseen_plain(symbol, at, end, bits_.data());
#else
    const Unseen unseen = find_unseen_plain(symbol, at, end, bits_.data());
#endif
    at = unseen.at;
    for (std::uint32_t which = unseen.which; which != 0; which &= which - 1) {
      const std::size_t i = at + static_cast<std::size_t>(std::countr_zero(which));
      if (i < end) {
        take(trigram_at(symbol + i));
      }
    }
  }
}

void TrigramSet::take(Trigram trigram) {
  std::uint32_t& bits = bits_[trigram / 32];
  const std::uint32_t bit = std::uint32_t{1} << (trigram % 32);
  if ((bits & bit) == 0) {
    bits |= bit;
    found_.push_back(trigram);
  }
}

void TrigramSet::clear() {
  for (const Trigram trigram : found_) {
    bits_[trigram / 32] = 0;
  }
  found_.clear();
}

}  // namespace docket::index
