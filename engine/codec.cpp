#include "engine/codec.hpp"

#include <lz4.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/assert.hpp"
#include "engine/limits.hpp"

namespace docket {

std::uint64_t checksum64(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::uint32_t checksum32(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(checksum64(bytes));
}

RunningChecksum::RunningChecksum() : state_(XXH3_createState()) {
  DOCKET_ASSERT(state_ != nullptr);
  XXH3_64bits_reset(static_cast<XXH3_state_t*>(state_));
}

RunningChecksum::~RunningChecksum() {
  XXH3_freeState(static_cast<XXH3_state_t*>(state_));
}

void RunningChecksum::add(std::span<const std::byte> bytes) {
  XXH3_64bits_update(static_cast<XXH3_state_t*>(state_), bytes.data(), bytes.size());
}

std::uint64_t RunningChecksum::value() const {
  return XXH3_64bits_digest(static_cast<const XXH3_state_t*>(state_));
}

bool compress(std::span<const std::byte> raw, std::vector<std::byte>& out) {
  DOCKET_ASSERT(raw.size() <= limits::block_bytes_max);
  const std::size_t at = out.size();
  const std::size_t worthwhile = raw.size() - raw.size() / 8;
  if (raw.size() < 64) {
    return false;
  }
  out.resize(at + worthwhile);
  const int stored = LZ4_compress_default(
      reinterpret_cast<const char*>(raw.data()), reinterpret_cast<char*>(out.data() + at),
      static_cast<int>(raw.size()), static_cast<int>(worthwhile));
  if (stored <= 0) {
    out.resize(at);
    return false;
  }
  out.resize(at + static_cast<std::size_t>(stored));
  return true;
}

Result<void> decompress(std::span<const std::byte> stored, std::span<std::byte> raw) {
  if (stored.size() > limits::block_bytes_max || raw.size() > limits::block_bytes_max) {
    return fail(ErrorCode::corrupt, "compressed section is larger than a block may be");
  }
  const int got = LZ4_decompress_safe(
      reinterpret_cast<const char*>(stored.data()), reinterpret_cast<char*>(raw.data()),
      static_cast<int>(stored.size()), static_cast<int>(raw.size()));
  if (got < 0 || static_cast<std::size_t>(got) != raw.size()) {
    return fail(ErrorCode::corrupt, "compressed section does not decompress to its stated size");
  }
  return {};
}

}  // namespace docket
