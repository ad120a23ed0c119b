#include "index/escaped_strings.hpp"

#include <charconv>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace docket::index {
namespace {

constexpr std::uint32_t replacement = 0xFFFD;
constexpr std::uint32_t no_unit = UINT32_MAX;

// The UTF-16 unit of a `\uXXXX` at the start of `raw`.
std::uint32_t unit_of(std::string_view raw) {
  std::uint32_t unit = 0;
  if (raw.size() < 6 || raw[0] != '\\' || raw[1] != 'u') {
    return no_unit;
  }
  const auto [end, error] = std::from_chars(raw.data() + 2, raw.data() + 6, unit, 16);
  return error == std::errc{} && end == raw.data() + 6 ? unit : no_unit;
}

}  // namespace

char* put_utf8(char* out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { *out++ = static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
    return out;
  }
  if (code < 0x800) {
    put(0xC0 | code >> 6);
  } else {
    if (code < 0x10000) {
      put(0xE0 | code >> 12);
    } else {
      put(0xF0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3F));
    }
    put(0x80 | (code >> 6 & 0x3F));
  }
  put(0x80 | (code & 0x3F));
  return out;
}

Escape read_escape(std::string_view raw) {
  static constexpr std::string_view names = "\"\\/bfnrt";
  static constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  if (raw.size() > 1 && raw[1] != 'u') {
    const std::size_t name = names.find(raw[1]);
    const bool known = name != std::string_view::npos;
    return {2, known ? static_cast<unsigned char>(meanings[name]) : replacement, known, false};
  }
  const std::uint32_t unit = unit_of(raw);
  if (unit == no_unit) {
    return {1, replacement, false, false};
  }
  const bool is_high = unit >= 0xD800 && unit < 0xDC00;
  if (is_high) {
    const std::uint32_t low = unit_of(raw.substr(6));
    if (low >= 0xDC00 && low < 0xE000) {
      return {12, 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), true, false};
    }
  }
  const bool is_half = is_high || (unit >= 0xDC00 && unit < 0xE000);
  return {6, is_half ? replacement : unit, true, is_half};
}

// Payloads are short: a call of memchr() took longer than looking for the needle.
bool has_backslash(std::string_view text) {
#if defined(__SSE2__)
  if (text.size() >= 16) {
    const __m128i backslashes = _mm_set1_epi8('\\');
    const auto look = [&](std::size_t at) {
      return _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at)),
                            backslashes);
    };
    __m128i found = look(text.size() - 16);  // may look at some bytes twice
    for (std::size_t at = 0; at + 16 <= text.size(); at += 16) {
      found = _mm_or_si128(found, look(at));
    }
    return _mm_movemask_epi8(found) != 0;
  }
#endif
  return text.find('\\') != std::string_view::npos;
}

void append_unescaped(std::string& out, std::string_view raw) {
  for (;;) {
    const std::size_t escape = raw.find('\\');
    out += raw.substr(0, escape);
    if (escape == std::string_view::npos) {
      return;
    }
    raw.remove_prefix(escape);
    const Escape meant = read_escape(raw);
    char bytes[utf8_bytes_max];
    out.append(bytes, put_utf8(bytes, meant.code));
    raw.remove_prefix(meant.bytes);
  }
}

std::string_view next_escaped_string(std::string_view json, std::size_t& at) {
  for (at = json.find('"', at); at != std::string_view::npos; at = json.find('"', at)) {
    const std::size_t begin = ++at;
    bool escaped = false;
    while (at < json.size() && json[at] != '"') {
      const bool escape = json[at] == '\\';
      escaped = escaped || escape;
      at += escape ? 2 : 1;
    }
    const std::size_t end = at < json.size() ? at : json.size();
    at = end + (end < json.size() ? 1 : 0);
    if (escaped) {
      return json.substr(begin, end - begin);
    }
  }
  at = json.size();
  return {};
}

}  // namespace docket::index
