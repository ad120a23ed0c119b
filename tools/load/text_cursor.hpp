// Writing short texts into a fixed buffer: what the generator formats its names and payloads with.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "engine/assert.hpp"

namespace docket::load {

// Appends to a caller's buffer. The writers below bound what they write, so a full buffer is a bug.
class TextCursor {
 public:
  explicit TextCursor(std::span<char> buffer)
      : begin_(buffer.data()), at_(buffer.data()), end_(buffer.data() + buffer.size()) {}

  void text(std::string_view part) {
    DOCKET_ASSERT(part.size() <= static_cast<std::size_t>(end_ - at_));
    std::memcpy(at_, part.data(), part.size());
    at_ += part.size();
  }
  void number(std::uint64_t value) {
    const auto [end, error] = std::to_chars(at_, end_, value);
    DOCKET_ASSERT(error == std::errc{});
    at_ = end;
  }
  // Sixteen lower-case hexadecimal digits.
  void hex(std::uint64_t value) {
    DOCKET_ASSERT(end_ - at_ >= 16);
    for (int shift = 60; shift >= 0; shift -= 4) {
      *at_++ = "0123456789abcdef"[(value >> shift) & 15];
    }
  }
  // What was written since `from`, a value of position().
  [[nodiscard]] std::string_view since(std::size_t from) const {
    return {begin_ + from, static_cast<std::size_t>(at_ - begin_) - from};
  }
  [[nodiscard]] std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  char* begin_;
  char* at_;
  char* end_;
};

}  // namespace docket::load
