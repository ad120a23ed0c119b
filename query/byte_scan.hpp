// Finding the bytes of a text that need a closer look, eight at a time: most text has none.
// Internal to query/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace docket::query {

namespace byte_scan {

inline constexpr std::uint64_t ones = 0x0101010101010101;
inline constexpr std::uint64_t tops = 0x8080808080808080;

// Non-zero when one of the eight bytes of `word` is zero.
[[nodiscard]] constexpr std::uint64_t zero_bytes(std::uint64_t word) {
  return (word - ones) & ~word & tops;
}

[[nodiscard]] constexpr std::uint64_t bytes_equal(std::uint64_t word, char c) {
  return zero_bytes(word ^ (ones * static_cast<unsigned char>(c)));
}

// Non-zero when one of the bytes is a control character or above ASCII.
[[nodiscard]] constexpr std::uint64_t bytes_not_printable(std::uint64_t word) {
  return ((word - ones * 0x20) & ~word & tops) | (word & tops) | bytes_equal(word, 0x7F);
}

[[nodiscard]] constexpr bool is_not_printable(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte >= 0x7F;
}

// Non-zero when one of the bytes is not printable ASCII or one of `specials`.
template <char... specials>
[[nodiscard]] constexpr std::uint64_t bytes_special(std::uint64_t word) {
  return (bytes_not_printable(word) | ... | bytes_equal(word, specials));
}

template <char... specials>
[[nodiscard]] constexpr bool is_special(char c) {
  return is_not_printable(c) || ((c == specials) || ...);
}

}  // namespace byte_scan

// How many bytes from `at` on are printable ASCII and none of `specials`.
template <char... specials>
[[nodiscard]] std::size_t plain_bytes(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end + 8 <= text.size()) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + end, 8);
    if (byte_scan::bytes_special<specials...>(word) != 0) {
      break;
    }
    end += 8;
  }
  while (end < text.size() && !byte_scan::is_special<specials...>(text[end])) {
    ++end;
  }
  return end - at;
}

}  // namespace docket::query
