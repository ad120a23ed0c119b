// An event's JSON, put together beside the text it goes to, for render_json.cpp. Internal to
// query/.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "engine/assert.hpp"
#include "engine/event.hpp"
#include "engine/timestamp.hpp"
#include "query/byte_scan.hpp"
#include "query/render.hpp"

namespace docket::query {

// Most strings are short and plain, and are copied with one look at eight bytes at a time. The rest
// goes to append_json_string(), so that what is written is the same.
class JsonRow {
 public:
  explicit JsonRow(std::string& out) : out_(out) {}
  JsonRow(const JsonRow&) = delete;  // it has its buffer in itself
  JsonRow& operator=(const JsonRow&) = delete;

  // What stands between two strings, numbers and all else included, is at most `between_bytes`.
  static constexpr std::size_t between_bytes = 256;

  template <std::size_t size>
  void add(const char (&text)[size]) {
    DOCKET_ASSERT(room() >= size);
    std::memcpy(to_, text, size - 1);
    to_ += size - 1;
  }
  void add_number(std::integral auto number) {
    DOCKET_ASSERT(room() >= 20);  // a sign, or the 20 digits of the largest
    to_ = std::to_chars(to_, buffer_ + buffer_bytes, number).ptr;
  }
  // In quotes, as is the address.
  void add_time(Nanos ns) {
    DOCKET_ASSERT(room() >= rfc3339_chars_max + 2);
    *to_++ = '"';
    to_ = write_rfc3339(to_, ns);
    *to_++ = '"';
  }
  void add_address(const IpAddress& address) {
    DOCKET_ASSERT(room() >= ip_chars_max + 2);
    *to_++ = '"';
    to_ = write_ip(to_, address);
    *to_++ = '"';
  }
  void add_string(std::string_view text) {
    if (text.size() > string_bytes_max) {
      add_unusual(text);
      return;
    }
    if (room() < text.size() + 2 + between_bytes) {
      flush();
    }
    to_[0] = '"';
    if (!copy_plain(text, to_ + 1)) {
      add_unusual(text);
      return;
    }
    to_[text.size() + 1] = '"';
    to_ += text.size() + 2;
  }
  // Gives what there is to the text. What was added is in it only then.
  void flush() {
    out_.append(buffer_, static_cast<std::size_t>(to_ - buffer_));
    to_ = buffer_;
  }

 private:
  static constexpr std::size_t buffer_bytes = 4096;
  static constexpr std::size_t string_bytes_max = 1024;
  static_assert(string_bytes_max + 2 + between_bytes <= buffer_bytes);

  [[nodiscard]] std::size_t room() const {
    return buffer_bytes - static_cast<std::size_t>(to_ - buffer_);
  }
  // False where a byte of it may not stand as it is; whatever was copied then is to be left.
  static bool copy_plain(std::string_view text, char* to) {
    const char* const from = text.data();
    const std::size_t size = text.size();
    std::uint64_t special = 0;
    if (size >= 8) {
      std::uint64_t word = 0;
      // The last eight bytes overlap those before.
      for (std::size_t at = 0;; at = at + 16 <= size ? at + 8 : size - 8) {
        std::memcpy(&word, from + at, 8);
        std::memcpy(to + at, &word, 8);
        special |= byte_scan::bytes_special<'"', '\\'>(word);
        if (at + 8 == size) {
          return special == 0;
        }
      }
    }
    for (std::size_t i = 0; i < size; ++i) {
      to[i] = from[i];
      special |= byte_scan::is_special<'"', '\\'>(from[i]) ? 1 : 0;
    }
    return special == 0;
  }
  void add_unusual(std::string_view text) {
    flush();
    append_json_string(out_, text);
  }

  std::string& out_;
  char* to_ = buffer_;
  char buffer_[buffer_bytes];
};

}  // namespace docket::query
