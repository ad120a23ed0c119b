#include "ingest/json_cursor.hpp"

namespace docket::ingest {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The value of a hexadecimal digit, or -1.
constexpr int hex_value(char c) {
  if (is_digit(c)) {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The four digits of \uXXXX at `p`, or -1.
int hex4(std::string_view raw, std::size_t p) {
  if (raw.size() < p + 4) {
    return -1;
  }
  int unit = 0;
  for (std::size_t i = p; i < p + 4; ++i) {
    const int digit = hex_value(raw[i]);
    if (digit < 0) {
      return -1;
    }
    unit = unit * 16 + digit;
  }
  return unit;
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  }
}

// What the escape `\c` stands for, '\0' where there is no such escape (or it is \u).
constexpr char simple_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return '\0';
  }
}

}  // namespace

bool is_json_number(std::string_view token) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t first = i;
    while (i < token.size() && is_digit(token[i])) {
      ++i;
    }
    return i > first;
  };
  if (i < token.size() && token[i] == '-') {
    ++i;
  }
  const bool leading_zero = i < token.size() && token[i] == '0';
  if (leading_zero) {
    ++i;
  } else if (!digits()) {
    return false;
  }
  if (i < token.size() && token[i] == '.') {
    ++i;
    if (!digits()) {
      return false;
    }
  }
  if (i < token.size() && (token[i] | 0x20) == 'e') {
    ++i;
    if (i < token.size() && (token[i] == '+' || token[i] == '-')) {
      ++i;
    }
    if (!digits()) {
      return false;
    }
  }
  return i == token.size();
}

bool has_valid_escapes(std::string_view raw) {
  for (std::size_t i = raw.find('\\'); i != std::string_view::npos; i = raw.find('\\', i)) {
    if (i + 1 == raw.size()) {
      return false;
    }
    if (raw[i + 1] == 'u') {
      if (hex4(raw, i + 2) < 0) {
        return false;
      }
      i += 6;
    } else if (simple_escape(raw[i + 1]) != '\0') {
      i += 2;
    } else {
      return false;
    }
  }
  return true;
}

bool append_unescaped(std::string& out, std::string_view raw) {
  std::size_t from = 0;
  for (;;) {
    const std::size_t i = raw.find('\\', from);
    if (i == std::string_view::npos) {
      out.append(raw.substr(from));
      return true;
    }
    out.append(raw.substr(from, i - from));
    if (i + 1 == raw.size()) {
      return false;
    }
    if (raw[i + 1] != 'u') {
      const char c = simple_escape(raw[i + 1]);
      if (c == '\0') {
        return false;
      }
      out += c;
      from = i + 2;
      continue;
    }
    const int high = hex4(raw, i + 2);
    from = i + 6;
    if (high < 0 || (high >= 0xdc00 && high < 0xe000)) {
      return false;
    }
    auto point = static_cast<std::uint32_t>(high);
    if (high >= 0xd800 && high < 0xdc00) {
      if (raw.substr(from, 2) != "\\u") {
        return false;
      }
      const int low = hex4(raw, from + 2);
      if (low < 0xdc00 || low >= 0xe000) {
        return false;
      }
      point = 0x10000 + ((point - 0xd800) << 10) + (static_cast<std::uint32_t>(low) - 0xdc00);
      from += 6;
    }
    append_utf8(out, point);
  }
}

bool JsonCursor::take_scalar(std::string_view& token) {
  if (at_ == end_) {
    return false;
  }
  const std::size_t begin = *at_;
  std::size_t close = at_[1];
  while (is_space(text_[close - 1])) {
    --close;
  }
  token = text_.substr(begin, close - begin);
  if (!is_json_number(token) && token != "true" && token != "false" && token != "null") {
    return false;
  }
  ++at_;
  return true;
}

bool JsonCursor::skip_string() {
  std::string_view raw;
  const std::uint32_t* const start = at_;
  if (take_string(raw) && (!has_backslash_ || has_valid_escapes(raw))) {
    return true;
  }
  at_ = start;
  return false;
}

bool JsonCursor::skip_object(std::uint32_t depth) {
  ++at_;
  if (take('}')) {
    return true;
  }
  do {
    if (!skip_string() || !take(':') || !skip_value(depth + 1)) {
      return false;
    }
  } while (take(','));
  return take('}');
}

bool JsonCursor::skip_array(std::uint32_t depth) {
  ++at_;
  if (take(']')) {
    return true;
  }
  do {
    if (!skip_value(depth + 1)) {
      return false;
    }
  } while (take(','));
  return take(']');
}

bool JsonCursor::skip_value(std::uint32_t depth) {
  const char first = peek();
  if (depth >= json_depth_max && (first == '{' || first == '[')) {
    too_deep_ = true;
    return false;
  }
  switch (first) {
    case '{':
      return skip_object(depth);
    case '[':
      return skip_array(depth);
    case '"':
      return skip_string();
    default: {
      std::string_view token;
      return take_scalar(token);
    }
  }
}

}  // namespace docket::ingest
