#include "query/text_match.hpp"

#include <algorithm>
#include <cstring>

#include "query/case_fold.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>

#include <bit>
#endif

namespace docket::query {
namespace {

// How common a folded byte is in names and JSON, roughly; lower is rarer.
[[nodiscard]] int commonness(char c) {
  static constexpr std::string_view by_frequency = "etaoinsrlcdumphgyfbw_,:\" vk.";
  const std::size_t at = by_frequency.find(c);
  if (at != std::string_view::npos) {
    return 100 - static_cast<int>(at);
  }
  return c >= '0' && c <= '9' ? 60 : 10;
}

}  // namespace

std::string folded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_folded(out, text);
  return out;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (is_ascii(b)) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
             return fold_case(x) == fold_case(y);
           });
  }
  return !is_ascii(a) && folded(a) == folded(b);
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  if (is_ascii(prefix)) {
    return text.size() >= prefix.size() &&
           equal_ignoring_case(text.substr(0, prefix.size()), prefix);
  }
  return !is_ascii(text) && folded(text).starts_with(folded(prefix));
}

Needle::Needle(std::string_view text) : folded_(folded(text)), is_ascii_(is_ascii(text)) {
  for (std::size_t i = 1; i < folded_.size(); ++i) {
    if (commonness(folded_[i]) < commonness(folded_[rare_])) {
      rare_ = i;
    }
  }
}

bool Needle::equal_at(const char* text) const {
  for (std::size_t i = 0; i < folded_.size(); ++i) {
    if (fold_case(text[i]) != folded_[i]) {
      return false;
    }
  }
  return true;
}

// The length of a letter may change with its case, so that places cannot be compared one by one.
bool Needle::in_folded(std::string_view text) const {
  if (is_ascii(text)) {
    return false;
  }
  thread_local std::string scratch;
  scratch.clear();
  append_folded(scratch, text);
  return scratch.find(folded_) != std::string::npos;
}

bool Needle::in(std::string_view text) const {
  if (folded_.empty()) {
    return true;
  }
  if (!is_ascii_) {
    return in_folded(text);
  }
  if (text.size() < folded_.size()) {
    return false;
  }
  const std::size_t starts = text.size() - folded_.size() + 1;
  const char* const rare = text.data() + rare_;
  std::size_t i = 0;
#if defined(__SSE2__)
  // Sixteen places at a time: where is the rare byte, in either case?
  const char lower = folded_[rare_];
  const char upper = lower >= 'a' && lower <= 'z' ? static_cast<char>(lower - ('a' - 'A')) : lower;
  const __m128i lowers = _mm_set1_epi8(lower);
  const __m128i uppers = _mm_set1_epi8(upper);
  for (; i + 16 <= starts; i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rare + i));
    const __m128i hits = _mm_or_si128(_mm_cmpeq_epi8(bytes, lowers), _mm_cmpeq_epi8(bytes, uppers));
    auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(hits));
    while (mask != 0) {
      const auto at = static_cast<std::size_t>(std::countr_zero(mask));
      if (equal_at(text.data() + i + at)) {
        return true;
      }
      mask &= mask - 1;
    }
  }
#endif
  for (; i < starts; ++i) {
    if (fold_case(rare[i]) == folded_[rare_] && equal_at(text.data() + i)) {
      return true;
    }
  }
  return false;
}

}  // namespace docket::query
