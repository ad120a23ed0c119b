// One step through UTF-8 text that may hold anything. Internal to query/.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace docket::query {

struct Utf8Character {
  char32_t code = 0;      // the byte itself where it is not valid
  std::size_t bytes = 1;  // 1 where it is not valid
  bool valid = false;
};

// The character at `at`, which must be within `text`.
[[nodiscard]] inline Utf8Character utf8_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const char32_t first = byte(0);
  if (first < 0x80) {
    return {first, 1, true};
  }
  if (first >= 0xC2 && first <= 0xDF && continues(1)) {
    return {((first & 0x1F) << 6) | (byte(1) & 0x3F), 2, true};
  }
  if ((first & 0xF0) == 0xE0 && continues(1) && continues(2)) {
    const char32_t code = ((first & 0x0F) << 12) | ((byte(1) & 0x3F) << 6) | (byte(2) & 0x3F);
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (code >= 0x800 && !surrogate) {
      return {code, 3, true};
    }
  }
  if ((first & 0xF8) == 0xF0 && continues(1) && continues(2) && continues(3)) {
    const char32_t code = ((first & 0x07) << 18) | ((byte(1) & 0x3F) << 12) |
                          ((byte(2) & 0x3F) << 6) | (byte(3) & 0x3F);
    if (code >= 0x10000 && code <= 0x10FFFF) {
      return {code, 4, true};
    }
  }
  return {first, 1, false};
}

// C1 controls, line and paragraph separators, and the marks that turn the direction of text.
[[nodiscard]] constexpr bool is_hidden_mark(char32_t code) {
  return (code >= 0x80 && code <= 0x9F) || code == 0x61C || code == 0x200E || code == 0x200F ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

// What no rendering may let through as it is, each with its exceptions for tabs and line breaks.
[[nodiscard]] constexpr bool is_hidden(char32_t code) {
  return code < 0x20 || code == 0x7F || is_hidden_mark(code);
}

// `uNNNN`, for a code of the basic plane: what stands behind the backslash of its escape.
inline void append_unicode_name(std::string& out, char32_t code) {
  constexpr char digits[] = "0123456789abcdef";
  out += 'u';
  for (int shift = 12; shift >= 0; shift -= 4) {
    out += digits[(code >> shift) & 0xF];
  }
}
inline void append_unicode_escape(std::string& out, char32_t code) {
  out += '\\';
  append_unicode_name(out, code);
}

}  // namespace docket::query
