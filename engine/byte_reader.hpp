// Reads little-endian fields one after the other without ever leaving its bytes: after the first
// field that is not all there, everything reads as zero and ok() is false.
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>

#include "engine/bytes.hpp"

namespace docket {

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <std::integral T>
  [[nodiscard]] T get() {
    if (rest_.size() < sizeof(T)) {
      ok_ = false;
      rest_ = {};
      return T{};
    }
    const T value = load_le<T>(rest_.data());
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }
  // Views into the bytes; empty when they are not all there.
  [[nodiscard]] std::span<const std::byte> bytes(std::size_t count) {
    if (rest_.size() < count) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  [[nodiscard]] std::string_view text(std::size_t count) { return as_text(bytes(count)); }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::span<const std::byte> rest() const { return rest_; }

 private:
  std::span<const std::byte> rest_;
  bool ok_ = true;
};

}  // namespace docket
