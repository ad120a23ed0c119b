// The second half of parsing: a strict walk over an indexed JSON text. Strings come out as views of
// the text where they hold no escapes; nothing is copied that need not be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace docket::ingest {

// Deeper values are refused; every later reader of a payload may rely on it.
inline constexpr std::uint32_t json_depth_max = 128;

// Exactly RFC 8259's number, of any magnitude and length.
[[nodiscard]] bool is_json_number(std::string_view token);
// Every backslash starts one of RFC 8259's escapes. A lone surrogate (\ud800) passes: the grammar
// allows it, and a payload is kept as bytes.
[[nodiscard]] bool has_valid_escapes(std::string_view raw);
// Appends the string's value as UTF-8. False: an invalid escape or a lone surrogate.
[[nodiscard]] bool append_unescaped(std::string& out, std::string_view raw);

// Walks a text that JsonIndex::build() accepted; so UTF-8 and the ends of strings are proven, and
// what is left to prove is the grammar. Every call that fails leaves the place in fault_at().
class JsonCursor {
 public:
  JsonCursor(std::string_view text, std::span<const std::uint32_t> positions)
      : text_(text),
        at_(positions.data()),
        end_(positions.data() + positions.size()),
        has_backslash_(std::memchr(text.data(), '\\', text.size()) != nullptr) {}

  // The next token's first byte, '\0' at the end.
  [[nodiscard]] char peek() const { return at_ == end_ ? '\0' : text_[*at_]; }
  [[nodiscard]] bool at_end() const { return at_ == end_; }
  // Offset of the next token.
  [[nodiscard]] std::size_t fault_at() const { return at_ == end_ ? text_.size() : *at_; }

  // Whether the last failure is a value nested deeper than json_depth_max.
  [[nodiscard]] bool too_deep() const { return too_deep_; }

  // Whether there is any escape in the whole text: one look saves one for each string.
  [[nodiscard]] bool has_backslash() const { return has_backslash_; }

  // Steps over one of `{ } [ ] : ,` when it is next.
  [[nodiscard]] bool take(char structural) {
    if (peek() != structural) {
      return false;
    }
    ++at_;
    return true;
  }

  // Sets `raw` to what stands between the quotes, escapes as they are (and unchecked).
  [[nodiscard]] bool take_string(std::string_view& raw) {
    if (peek() != '"') {
      return false;
    }
    const std::size_t begin = *at_ + 1U;
    std::size_t close = at_[1] - 1U;  // the index ends with the text's size
    while (text_[close] != '"') {     // only white space can stand behind the closing quote
      --close;
    }
    ++at_;
    raw = text_.substr(begin, close - begin);
    return true;
  }

  // Sets `token` to a number, true, false or null, checked.
  [[nodiscard]] bool take_scalar(std::string_view& token);

  // Steps over one complete value of any kind and sets `raw` to its exact bytes.
  [[nodiscard]] bool take_value(std::string_view& raw) {
    const std::size_t begin = fault_at();
    if (!skip_value(0)) {
      return false;
    }
    std::size_t close = *at_;  // safe at the end too: the text's size stands there
    while (is_space(text_[close - 1])) {
      --close;
    }
    raw = text_.substr(begin, close - begin);
    return true;
  }

  [[nodiscard]] static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
  }

 private:
  [[nodiscard]] bool skip_value(std::uint32_t depth);
  [[nodiscard]] bool skip_object(std::uint32_t depth);
  [[nodiscard]] bool skip_array(std::uint32_t depth);
  [[nodiscard]] bool skip_string();

  std::string_view text_;
  const std::uint32_t* at_;
  const std::uint32_t* end_;
  bool has_backslash_;
  bool too_deep_ = false;
};

}  // namespace docket::ingest
