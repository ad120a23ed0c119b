// The strings of a JSON text that were sent with escapes: `"caf\u00e9"` is what many serialisers
// make of café.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace docket::index {

struct Escape {
  std::size_t bytes;   // of its text
  std::uint32_t code;  // the character that is meant; U+FFFD where there is none
  bool valid;          // false: no escape
  bool half;           // of a surrogate pair: valid, though no character
};
// The escape at the start of `raw`, which begins with a backslash.
[[nodiscard]] Escape read_escape(std::string_view raw);

// Never longer than the escape that stood for it.
inline constexpr std::size_t utf8_bytes_max = 4;
// Writes `code` (a character) and returns the end of what was written.
char* put_utf8(char* out, std::uint32_t code);

// Appends what stands between a JSON string's quotes, without its escapes. What is no escape, or
// half of a surrogate pair, becomes U+FFFD.
void append_unescaped(std::string& out, std::string_view raw);

// The next string of a text, from `at` on, that holds a backslash; what is between its quotes.
// Empty where there is none. `at` moves behind it.
[[nodiscard]] std::string_view next_escaped_string(std::string_view json, std::size_t& at);

[[nodiscard]] bool has_backslash(std::string_view text);

// Whether `wanted(text)` holds for any string, of a member's name or a value, that holds escapes.
template <typename Wanted>
[[nodiscard]] bool any_escaped_string(std::string_view json, const Wanted& wanted) {
  if (!has_backslash(json)) {
    return false;
  }
  thread_local std::string text;
  std::size_t at = 0;
  for (std::string_view raw = next_escaped_string(json, at); !raw.empty();
       raw = next_escaped_string(json, at)) {
    text.clear();
    append_unescaped(text, raw);
    if (wanted(text)) {
      return true;
    }
  }
  return false;
}

}  // namespace docket::index
