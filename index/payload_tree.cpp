#include "index/payload_tree.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "engine/event.hpp"
#include "index/escaped_strings.hpp"

namespace docket::index {

namespace {

// Deeper than any payload that is let in, and no deeper than the stack allows.
constexpr std::uint32_t depth_max = 512;

// So many zeros stand behind the payload's copy: a look at sixteen bytes needs no check of the end,
// and a zero ends every loop over spaces, digits or the bytes of a string.
constexpr std::size_t padding = 16;

enum : std::uint8_t { space = 1, digit = 2, ends_plain_text = 4 };
constexpr std::array<std::uint8_t, 256> classes = [] {
  std::array<std::uint8_t, 256> made{};
  for (const unsigned char c : {' ', '\t', '\n', '\r'}) {
    made[c] |= space;
  }
  for (unsigned char c = '0'; c <= '9'; ++c) {
    made[c] |= digit;
  }
  for (unsigned char c = 0; c < 0x20; ++c) {
    made[c] |= ends_plain_text;
  }
  made['"'] |= ends_plain_text;
  made['\\'] |= ends_plain_text;
  return made;
}();

[[nodiscard]] bool is(char c, std::uint8_t of_class) {
  return (classes[static_cast<unsigned char>(c)] & of_class) != 0;
}

// The first byte from `p` on that is a quote, a backslash or a control character.
[[nodiscard]] const char* end_of_plain_text(const char* p) {
#if defined(__SSE2__)
  const __m128i quotes = _mm_set1_epi8('"');
  const __m128i backslashes = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1F);
  for (;; p += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i found = _mm_or_si128(
        _mm_or_si128(_mm_cmpeq_epi8(bytes, quotes), _mm_cmpeq_epi8(bytes, backslashes)),
        _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes));
    const auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(found));
    if (mask != 0) {
      return p + std::countr_zero(mask);
    }
  }
#else
  while (!is(*p, ends_plain_text)) {
    ++p;
  }
  return p;
#endif
}

}  // namespace

// Reads RFC 8259's grammar by recursive descent. Every function returns false at the first error.
class PayloadTree::Parser {
 public:
  // `text` is followed by `padding` zeros; unescaped strings are written from `unescaped` on, where
  // there is room for as much as `text` has.
  Parser(std::vector<PayloadNode>& nodes, std::string_view text, char* unescaped)
      : nodes_(nodes), at_(text.data()), end_(text.data() + text.size()), unescaped_(unescaped) {}

  [[nodiscard]] bool document() {
    skip_space();
    if (*at_ != '{' || !value({}, 0)) {
      return false;
    }
    skip_space();
    return at_ == end_;
  }

 private:
  void skip_space() {
    while (is(*at_, space)) {
      ++at_;
    }
  }

  // Nodes of the payload before are used again.
  [[nodiscard]] std::uint32_t add_node() {
    if (used_ == nodes_.size()) {
      nodes_.emplace_back();
    }
    return used_++;
  }

  [[nodiscard]] bool value(std::string_view key, std::uint32_t depth) {
    if (depth > depth_max) {
      return false;
    }
    const std::uint32_t number = add_node();
    const char* const start = at_;
    std::uint32_t children = 0;
    std::string_view text;
    bool has_half = false;
    auto kind = PayloadNode::Kind::other;
    switch (*at_) {
      case '{':
        kind = PayloadNode::Kind::object;
        if (!members(depth, children)) {
          return false;
        }
        break;
      case '[':
        kind = PayloadNode::Kind::array;
        if (!elements(depth, children)) {
          return false;
        }
        break;
      case '"':
        kind = PayloadNode::Kind::string;
        has_half_ = false;
        if (!string(text)) {
          return false;
        }
        has_half = has_half_;
        break;
      default:
        if (!scalar()) {
          return false;
        }
    }
    PayloadNode& node = nodes_[number];
    node.kind = kind;
    node.has_half = has_half;
    node.children = children;
    node.end = used_;
    node.key = key;
    // Not copied from `raw`: a load of both halves would have to wait for their stores.
    const auto bytes = static_cast<std::size_t>(at_ - start);
    node.raw = std::string_view(start, bytes);
    const bool is_string = kind == PayloadNode::Kind::string;
    node.text = std::string_view(is_string ? text.data() : start, is_string ? text.size() : bytes);
    return true;
  }

  [[nodiscard]] bool members(std::uint32_t depth, std::uint32_t& children) {
    ++at_;
    skip_space();
    if (*at_ == '}') {
      ++at_;
      return true;
    }
    for (;; ++at_) {
      skip_space();
      std::string_view key;
      if (*at_ != '"' || !string(key)) {
        return false;
      }
      skip_space();
      if (*at_ != ':') {
        return false;
      }
      ++at_;
      skip_space();
      if (!value(key, depth + 1)) {
        return false;
      }
      ++children;
      skip_space();
      if (*at_ != ',') {
        break;
      }
    }
    return *at_++ == '}';
  }

  [[nodiscard]] bool elements(std::uint32_t depth, std::uint32_t& children) {
    ++at_;
    skip_space();
    if (*at_ == ']') {
      ++at_;
      return true;
    }
    for (;; ++at_) {
      skip_space();
      if (!value({}, depth + 1)) {
        return false;
      }
      ++children;
      skip_space();
      if (*at_ != ',') {
        break;
      }
    }
    return *at_++ == ']';
  }

  [[nodiscard]] bool string(std::string_view& text) {
    const char* const start = ++at_;
    at_ = end_of_plain_text(at_);
    if (*at_ == '"') {
      text = std::string_view(start, static_cast<std::size_t>(at_ - start));
      ++at_;
      return true;
    }
    return string_with_escapes(start, text);
  }

  [[nodiscard]] bool string_with_escapes(const char* start, std::string_view& text) {
    char* const out = unescaped_;
    std::memcpy(unescaped_, start, static_cast<std::size_t>(at_ - start));
    unescaped_ += at_ - start;
    while (*at_ == '\\') {
      const Escape meant = read_escape(std::string_view(at_, static_cast<std::size_t>(end_ - at_)));
      if (!meant.valid) {
        return false;
      }
      has_half_ = has_half_ || meant.half;
      at_ += meant.bytes;
      unescaped_ = put_utf8(unescaped_, meant.code);
      const char* const plain = at_;
      at_ = end_of_plain_text(at_);
      std::memcpy(unescaped_, plain, static_cast<std::size_t>(at_ - plain));
      unescaped_ += at_ - plain;
    }
    if (*at_ != '"') {
      return false;
    }
    ++at_;
    text = std::string_view(out, static_cast<std::size_t>(unescaped_ - out));
    return true;
  }

  [[nodiscard]] bool digits() {
    const char* const start = at_;
    while (is(*at_, digit)) {
      ++at_;
    }
    return at_ != start;
  }

  [[nodiscard]] bool scalar() {
    switch (*at_) {
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  [[nodiscard]] bool word(std::string_view expected) {
    if (std::memcmp(at_, expected.data(), expected.size()) != 0) {
      return false;
    }
    at_ += expected.size();
    return true;
  }

  // What stands behind it is looked at by whoever reads on: `01` and `1x` end a value too early.
  [[nodiscard]] bool number() {
    at_ += *at_ == '-' ? 1 : 0;
    if (*at_ == '0') {
      ++at_;
    } else if (!digits()) {
      return false;
    }
    if (*at_ == '.') {
      ++at_;
      if (!digits()) {
        return false;
      }
    }
    if ((*at_ | 0x20) == 'e') {
      ++at_;
      at_ += *at_ == '+' || *at_ == '-' ? 1 : 0;
      return digits();
    }
    return true;
  }

  std::vector<PayloadNode>& nodes_;
  const char* at_;
  const char* const end_;
  char* unescaped_;
  std::uint32_t used_ = 0;
  bool has_half_ = false;  // the string that is being read
};

bool PayloadTree::read(std::string_view payload) {
  if (payload.empty() || !is_utf8(payload)) {
    return false;
  }
  const std::size_t copied = payload.size() + padding;
  if (text_.size() < copied + payload.size()) {
    text_.resize(copied + payload.size());
  }
  std::memcpy(text_.data(), payload.data(), payload.size());
  std::memset(text_.data() + payload.size(), 0, padding);
  return Parser(nodes_, std::string_view(text_.data(), payload.size()), text_.data() + copied)
      .document();
}

const PayloadNode* PayloadTree::member(const PayloadNode& object, std::string_view key) const {
  const PayloadNode* found = nullptr;
  if (object.kind == PayloadNode::Kind::object) {
    each_child(object, [&](const PayloadNode& child) {
      found = child.key == key ? &child : nullptr;
      return found == nullptr;
    });
  }
  return found;
}

}  // namespace docket::index
