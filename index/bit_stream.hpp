// Bits, least significant first, and Elias gamma codes: what the compact parts of an index are
// written in.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/bytes.hpp"

namespace docket::index {

// Readers load eight bytes at a time: so many readable bytes stand behind every buffer.
inline constexpr std::size_t bit_padding = 16;

// Appends to `out`, which must outlive it. finish() writes the last, partly filled byte.
class BitWriter {
 public:
  explicit BitWriter(std::vector<std::byte>& out) : out_(out) {}

  // Precondition: width <= 32 and value < 2^width.
  void put(std::uint64_t value, std::uint32_t width) {
    pending_ |= value << filled_;
    filled_ += width;
    while (filled_ >= 8) {
      out_.push_back(static_cast<std::byte>(pending_ & 0xFF));
      pending_ >>= 8;
      filled_ -= 8;
    }
  }
  // Precondition: 1 <= value < 2^32. k zeros, a one, then the k bits of value below its leading
  // one.
  void put_gamma(std::uint64_t value) {
    const auto k = static_cast<std::uint32_t>(std::bit_width(value) - 1);
    put(0, k);
    put(1, 1);
    put(value & ((std::uint64_t{1} << k) - 1), k);
  }
  void finish() {
    if (filled_ > 0) {
      out_.push_back(static_cast<std::byte>(pending_ & 0xFF));
      pending_ = 0;
      filled_ = 0;
    }
  }

 private:
  std::vector<std::byte>& out_;
  std::uint64_t pending_ = 0;
  std::uint32_t filled_ = 0;
};

// Reads what BitWriter wrote. Never passes the end: past it, ok() is false and values are 0.
// `bytes` is followed by bit_padding readable bytes and must outlive it.
class BitReader {
 public:
  explicit BitReader(std::span<const std::byte> bytes)
      : bytes_(bytes.data()), bits_(std::uint64_t{bytes.size()} * 8) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::uint64_t position() const { return at_; }
  [[nodiscard]] std::uint64_t remaining() const { return bits_ - at_; }
  void seek(std::uint64_t bit) {
    ok_ = ok_ && bit <= bits_;
    at_ = ok_ ? bit : bits_;
  }

  // Precondition: width <= 32.
  [[nodiscard]] std::uint64_t get(std::uint32_t width) {
    if (width > remaining()) {
      ok_ = false;
      at_ = bits_;
      return 0;
    }
    const std::uint64_t value = window() & ((std::uint64_t{1} << width) - 1);
    at_ += width;
    return value;
  }
  // 0 when the code is none or does not fit 32 bits.
  [[nodiscard]] std::uint64_t get_gamma() {
    const std::uint64_t ahead = window();
    const auto k = static_cast<std::uint32_t>(std::countr_zero(ahead));
    if (ahead == 0 || k > 32 || std::uint64_t{k} + 1 > remaining()) {
      ok_ = false;
      at_ = bits_;
      return 0;
    }
    at_ += k + 1;
    const std::uint64_t low = get(k);
    return ok_ ? (std::uint64_t{1} << k) | low : 0;
  }

 private:
  // At least 57 bits from at_ on.
  [[nodiscard]] std::uint64_t window() const {
    return load_le<std::uint64_t>(bytes_ + at_ / 8) >> (at_ % 8);
  }

  const std::byte* bytes_;
  std::uint64_t bits_;
  std::uint64_t at_ = 0;
  bool ok_ = true;
};

}  // namespace docket::index
