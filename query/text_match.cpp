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

Needle::Needle(std::string_view text) : folded_(folded(text)), is_ascii_(query::is_ascii(text)) {
  const auto rarer = [this](std::size_t a, std::size_t b) {
    return commonness(folded_[a]) < commonness(folded_[b]);
  };
  std::size_t first = 0;
  for (std::size_t i = 1; i < folded_.size(); ++i) {
    first = rarer(i, first) ? i : first;
  }
  std::size_t second = first == 0 && folded_.size() > 1 ? 1 : 0;
  for (std::size_t i = second + 1; i < folded_.size(); ++i) {
    second = i != first && rarer(i, second) ? i : second;
  }
  if (!folded_.empty()) {
    first_ = probe_at(first);
    second_ = probe_at(second);
  }
}

Needle::Probe Needle::probe_at(std::size_t at) const {
  const char byte = folded_[at];
  constexpr char other_case = 'a' - 'A';
  return Probe{at, byte, byte >= 'a' && byte <= 'z' ? other_case : '\0'};
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
  if (query::is_ascii(text)) {
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
  return is_ascii_ ? find(text, 0) != std::string_view::npos : in_folded(text);
}

std::size_t Needle::find(std::string_view text, std::size_t from) const {
  if (text.size() < folded_.size() || from > text.size() - folded_.size()) {
    return std::string_view::npos;
  }
  if (folded_.empty()) {
    return from;
  }
  const std::size_t starts = text.size() - folded_.size() + 1;
  const char* const first = text.data() + first_.at;
  const char* const second = text.data() + second_.at;
  std::size_t i = from;
#if defined(__SSE2__)
  // Sixteen places at a time: where do both bytes stand as they should, in either case?
  const __m128i first_byte = _mm_set1_epi8(first_.byte);
  const __m128i first_mask = _mm_set1_epi8(first_.mask);
  const __m128i second_byte = _mm_set1_epi8(second_.byte);
  const __m128i second_mask = _mm_set1_epi8(second_.mask);
  const auto look = [](const char* at, __m128i mask, __m128i byte) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    return _mm_cmpeq_epi8(_mm_or_si128(bytes, mask), byte);
  };
  for (; i + 16 <= starts; i += 16) {
    const __m128i hits = _mm_and_si128(look(first + i, first_mask, first_byte),
                                       look(second + i, second_mask, second_byte));
    for (auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(hits)); mask != 0;
         mask &= mask - 1) {
      const std::size_t at = i + static_cast<std::size_t>(std::countr_zero(mask));
      if (equal_at(text.data() + at)) {
        return at;
      }
    }
  }
#endif
  for (; i < starts; ++i) {
    if ((first[i] | first_.mask) == first_.byte && (second[i] | second_.mask) == second_.byte &&
        equal_at(text.data() + i)) {
      return i;
    }
  }
  return std::string_view::npos;
}

}  // namespace docket::query
