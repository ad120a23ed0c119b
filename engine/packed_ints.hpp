// Integers packed to a fixed number of bits, readable in place: value(i) = base + scale * bits(i).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "engine/assert.hpp"

namespace docket {

// A read-only packed array. Value i occupies bits [i*width, (i+1)*width) of a little-endian bit
// string. Width 0: every value is `base`. Cheap to copy; shares ownership of its bytes, which are
// followed by at least 8 readable bytes of padding.
class PackedInts {
 public:
  PackedInts() = default;
  PackedInts(std::shared_ptr<const std::byte> bytes, std::uint32_t size, std::uint32_t width,
             std::uint64_t base, std::uint64_t scale)
      : bytes_(std::move(bytes)), size_(size), width_(width), base_(base), scale_(scale) {
    DOCKET_ASSERT(width <= 64);
  }

  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] std::uint32_t width() const { return width_; }
  [[nodiscard]] std::uint64_t base() const { return base_; }
  [[nodiscard]] std::uint64_t scale() const { return scale_; }
  // Where the packed bits begin.
  [[nodiscard]] const std::byte* bytes() const { return bytes_.get(); }

  // Precondition: i < size(). Signed values are the same bits as two's complement.
  [[nodiscard]] std::uint64_t operator[](std::uint32_t i) const { return base_ + scale_ * bits(i); }

  // values[i - begin] for i in [begin, end); `into` has room for them.
  void unpack(std::uint32_t begin, std::uint32_t end, std::uint64_t* into) const;
  // The same, for columns whose values fit 32 bits (ids).
  void unpack(std::uint32_t begin, std::uint32_t end, std::uint32_t* into) const;

  // The packed bits without base and scale.
  [[nodiscard]] std::uint64_t bits(std::uint32_t i) const {
    if (width_ == 0) {
      return 0;
    }
    const std::uint64_t bit = std::uint64_t{i} * width_;
    const std::byte* p = bytes_.get() + bit / 8;
    const auto shift = static_cast<std::uint32_t>(bit % 8);
    std::uint64_t low = 0;
    std::memcpy(&low, p, 8);
    std::uint64_t value = low >> shift;
    if (shift + width_ > 64) {
      value |= std::to_integer<std::uint64_t>(p[8]) << (64 - shift);
    }
    return width_ == 64 ? value : value & ((std::uint64_t{1} << width_) - 1);
  }

 private:
  std::shared_ptr<const std::byte> bytes_;
  std::uint32_t size_ = 0;
  std::uint32_t width_ = 0;
  std::uint64_t base_ = 0;
  std::uint64_t scale_ = 1;
};

static_assert(std::endian::native == std::endian::little,
              "columns are read in place; a big-endian build needs its own PackedInts");

// Appends `values` packed to `width` bits each to `out`: ceil(size*width/8) bytes.
// Precondition: every value fits.
void pack_bits(std::span<const std::uint64_t> values, std::uint32_t width,
               std::vector<std::byte>& out);
void pack_bits(std::span<const std::uint32_t> values, std::uint32_t width,
               std::vector<std::byte>& out);
[[nodiscard]] constexpr std::uint64_t packed_bytes(std::uint64_t size, std::uint32_t width) {
  return (size * width + 7) / 8;
}

}  // namespace docket
