// Numbers, durations and sizes as people write them: `17`, `365d`, `10GiB`.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/counts.hpp"
#include "engine/result.hpp"

namespace docket::api {

// The text as a whole number that T holds; nullopt when any of it is something else.
template <std::unsigned_integral T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text, int base = 10) {
  T value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || stop != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

// A whole number and a unit, ms s m h d w. Error: invalid_argument saying what was expected.
[[nodiscard]] Result<Nanos> parse_duration(std::string_view text);
// In the largest unit that divides it: "365d", "90m"; parse_duration reads it back.
[[nodiscard]] std::string format_duration(Nanos duration);

// A whole number and a unit, B KiB MiB GiB TiB (1024 each) or kB MB GB TB (1000 each); a bare
// number is bytes. Error: invalid_argument.
[[nodiscard]] Result<std::uint64_t> parse_bytes(std::string_view text);
// In the largest binary unit that divides it: "10GiB", "1000B"; parse_bytes reads it back.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);
// For people, three significant digits: "1.21 GiB".
[[nodiscard]] std::string readable_bytes(std::uint64_t bytes);
// With a comma every three digits: "1,048,577".
[[nodiscard]] std::string readable_count(std::uint64_t count);

}  // namespace docket::api
