#include "engine/packed_ints.hpp"

namespace docket {

namespace {

template <typename T>
void unpack_into(const PackedInts& ints, std::uint32_t begin, std::uint32_t end, T* into) {
  DOCKET_ASSERT(begin <= end && end <= ints.size());
  if (ints.width() == 0) {
    for (std::uint32_t i = begin; i < end; ++i) {
      *into++ = static_cast<T>(ints.base());
    }
    return;
  }
  const std::uint64_t base = ints.base();
  const std::uint64_t scale = ints.scale();
  if (base == 0 && scale == 1) {
    for (std::uint32_t i = begin; i < end; ++i) {
      *into++ = static_cast<T>(ints.bits(i));
    }
    return;
  }
  for (std::uint32_t i = begin; i < end; ++i) {
    *into++ = static_cast<T>(base + scale * ints.bits(i));
  }
}

template <typename T>
void pack_into(std::span<const T> values, std::uint32_t width, std::vector<std::byte>& out) {
  DOCKET_ASSERT(width <= 64);
  if (width == 0 || values.empty()) {
    return;
  }
  const std::size_t start = out.size();
  out.resize(start + packed_bytes(values.size(), width));
  std::byte* to = out.data() + start;
  const std::byte* end = out.data() + out.size();
  // Bits gather in `pending`; whole 64-bit words leave it.
  std::uint64_t pending = 0;
  std::uint32_t filled = 0;
  for (const T v : values) {
    const std::uint64_t value = v;
    DOCKET_ASSERT(width == 64 || value >> width == 0);
    pending |= value << filled;
    if (filled + width >= 64) {
      std::memcpy(to, &pending, 8);
      to += 8;
      const std::uint32_t used = 64 - filled;
      pending = used == 64 ? 0 : value >> used;
      filled = width - used;
    } else {
      filled += width;
    }
  }
  for (; to < end; ++to) {
    *to = static_cast<std::byte>(pending & 0xff);
    pending >>= 8;
  }
}

}  // namespace

void PackedInts::unpack(std::uint32_t begin, std::uint32_t end, std::uint64_t* into) const {
  unpack_into(*this, begin, end, into);
}

void PackedInts::unpack(std::uint32_t begin, std::uint32_t end, std::uint32_t* into) const {
  unpack_into(*this, begin, end, into);
}

void pack_bits(std::span<const std::uint64_t> values, std::uint32_t width,
               std::vector<std::byte>& out) {
  pack_into(values, width, out);
}

void pack_bits(std::span<const std::uint32_t> values, std::uint32_t width,
               std::vector<std::byte>& out) {
  pack_into(values, width, out);
}

}  // namespace docket
