#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/event.hpp"

namespace docket {
namespace {

constexpr std::array<std::uint8_t, 12> v4_mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// Four decimal numbers of 0..255 without leading zeros (which some readers take for octal).
bool parse_quad(std::string_view text, std::uint8_t* out) {
  std::size_t at = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0) {
      if (at == text.size() || text[at] != '.') {
        return false;
      }
      ++at;
    }
    const std::size_t start = at;
    unsigned value = 0;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      value = value * 10 + static_cast<unsigned>(text[at] - '0');
      ++at;
      if (value > 255) {
        return false;
      }
    }
    if (at == start || (at - start > 1 && text[start] == '0')) {
      return false;
    }
    out[part] = static_cast<std::uint8_t>(value);
  }
  return at == text.size();
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool parse_v6(std::string_view text, std::array<std::uint8_t, 16>& out) {
  constexpr std::size_t no_gap = 17;  // no place in an address
  std::array<std::uint8_t, 16> bytes{};
  std::size_t filled = 0;    // bytes set so far
  std::size_t gap = no_gap;  // where "::" stood
  std::size_t at = 0;
  if (text.starts_with("::")) {
    gap = 0;
    at = 2;
  } else if (text.starts_with(':')) {
    return false;
  }
  while (at < text.size()) {
    if (filled == 16) {
      return false;
    }
    const std::size_t start = at;
    unsigned group = 0;
    for (int digit = 0; at < text.size() && (digit = hex_digit(text[at])) >= 0; ++at) {
      if (at - start == 4) {
        return false;
      }
      group = group << 4 | static_cast<unsigned>(digit);
    }
    if (at < text.size() && text[at] == '.') {
      // The last 32 bits may be written as a dotted quad.
      if (filled > 12 || !parse_quad(text.substr(start), bytes.data() + filled)) {
        return false;
      }
      filled += 4;
      break;
    }
    if (at == start) {
      return false;
    }
    bytes[filled++] = static_cast<std::uint8_t>(group >> 8);
    bytes[filled++] = static_cast<std::uint8_t>(group & 0xff);
    if (at == text.size()) {
      break;
    }
    if (text[at++] != ':' || at == text.size()) {
      return false;
    }
    if (text[at] == ':') {
      if (gap != no_gap) {
        return false;
      }
      gap = filled;
      ++at;
    }
  }
  if (gap == no_gap) {
    if (filled != 16) {
      return false;
    }
    out = bytes;
    return true;
  }
  // "::" stands for one group at least.
  if (filled > 14) {
    return false;
  }
  out.fill(0);
  std::copy_n(bytes.begin(), gap, out.begin());
  std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(gap),
            bytes.begin() + static_cast<std::ptrdiff_t>(filled),
            out.end() - static_cast<std::ptrdiff_t>(filled - gap));
  return true;
}

// In decimal; there is room for three digits.
char* write_decimal(char* to, std::uint32_t value) {
  // A digit that is not needed is written over: their number cannot be foretold.
  *to = static_cast<char>('0' + value / 100);
  to += value >= 100 ? 1 : 0;
  *to = static_cast<char>('0' + value / 10 % 10);
  to += value >= 10 ? 1 : 0;
  *to++ = static_cast<char>('0' + value % 10);
  return to;
}

// In hexadecimal, without leading zeros.
char* write_group(char* to, unsigned group) {
  constexpr const char* hex = "0123456789abcdef";
  bool started = false;
  for (int shift = 12; shift >= 0; shift -= 4) {
    const unsigned digit = group >> shift & 0xf;
    if (digit != 0 || started || shift == 0) {
      *to++ = hex[digit];
      started = true;
    }
  }
  return to;
}

}  // namespace

bool IpAddress::is_v4() const {
  return std::equal(v4_mapped_prefix.begin(), v4_mapped_prefix.end(), bytes.begin());
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  IpAddress ip;
  if (text.find(':') != std::string_view::npos) {
    return parse_v6(text, ip.bytes) ? std::optional(ip) : std::nullopt;
  }
  std::copy(v4_mapped_prefix.begin(), v4_mapped_prefix.end(), ip.bytes.begin());
  return parse_quad(text, ip.bytes.data() + 12) ? std::optional(ip) : std::nullopt;
}

char* write_ip(char* const begin, const IpAddress& ip) {
  char* to = begin;
  if (ip.is_v4()) {
    for (std::size_t i = 12; i < 16; ++i) {
      to = write_decimal(to, ip.bytes[i]);
      *to++ = '.';
    }
    return to - 1;  // without the last point
  }
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) {
    groups[i] = static_cast<unsigned>(ip.bytes[2 * i] << 8 | ip.bytes[2 * i + 1]);
  }
  // RFC 5952 §4.2: the longest run of two or more zero groups is shortened, the first on a tie.
  std::size_t run_begin = 8;
  std::size_t run_size = 1;
  for (std::size_t i = 0; i < 8;) {
    std::size_t end = i;
    while (end < 8 && groups[end] == 0) {
      ++end;
    }
    if (end - i > run_size) {
      run_begin = i;
      run_size = end - i;
    }
    i = end == i ? i + 1 : end;
  }
  for (std::size_t i = 0; i < 8;) {
    if (i == run_begin) {
      *to++ = ':';
      *to++ = ':';
      i += run_size;
      continue;
    }
    if (to != begin && to[-1] != ':') {
      *to++ = ':';
    }
    to = write_group(to, groups[i]);
    ++i;
  }
  return to;
}

std::string format_ip(const IpAddress& ip) {
  char text[ip_chars_max];
  const char* const end = write_ip(text, ip);
  return {text, static_cast<std::size_t>(end - text)};
}

}  // namespace docket
