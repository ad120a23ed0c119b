#include "index/name_filter.hpp"

#include <algorithm>

#include "engine/bytes.hpp"
#include "engine/codec.hpp"

namespace docket::index {
namespace {

constexpr std::size_t block_bytes = 64;
constexpr std::size_t bits_per_name = 10;
constexpr int probes = 6;

[[nodiscard]] std::size_t block_of(std::uint64_t hash, std::size_t blocks) {
  // The upper half of the hash, scaled to the number of blocks.
  return static_cast<std::size_t>(((hash >> 32) * blocks) >> 32);
}

// Bit `probe` of the nine-bit numbers that the hash is stretched to.
[[nodiscard]] std::size_t bit_of(std::uint64_t hash, int probe) {
  const std::uint64_t stretched = (hash | 1) * 0x9E3779B97F4A7C15ULL;
  return (stretched >> (probe * 9 + 10)) & 511;
}

}  // namespace

std::uint64_t NameFilter::hash(std::string_view name) {
  return checksum64(as_byte_span(name));
}

void NameFilter::encode(std::span<const std::uint64_t> hashes, std::vector<std::byte>& out) {
  const std::size_t blocks =
      std::max<std::size_t>(1, (hashes.size() * bits_per_name + 511) / (block_bytes * 8));
  const std::size_t start = out.size();
  out.resize(start + blocks * block_bytes);
  for (const std::uint64_t hash : hashes) {
    std::byte* const block = out.data() + start + block_of(hash, blocks) * block_bytes;
    for (int probe = 0; probe < probes; ++probe) {
      const std::size_t bit = bit_of(hash, probe);
      block[bit / 8] |= std::byte{1} << (bit % 8);
    }
  }
}

Result<NameFilter> NameFilter::parse(std::vector<std::byte> bytes) {
  if (bytes.empty() || bytes.size() % block_bytes != 0) {
    return fail(ErrorCode::corrupt, "name filter: not a whole number of blocks");
  }
  NameFilter filter;
  filter.bytes_ = std::move(bytes);
  return filter;
}

bool NameFilter::may_contain(std::string_view name) const {
  const std::uint64_t name_hash = hash(name);
  const std::byte* const block =
      bytes_.data() + block_of(name_hash, bytes_.size() / block_bytes) * block_bytes;
  for (int probe = 0; probe < probes; ++probe) {
    const std::size_t bit = bit_of(name_hash, probe);
    if ((block[bit / 8] & (std::byte{1} << (bit % 8))) == std::byte{0}) {
      return false;
    }
  }
  return true;
}

}  // namespace docket::index
