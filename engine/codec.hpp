// Checksums and compression behind one face: nothing else names XXH3 or LZ4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/result.hpp"

namespace docket {

// XXH3-64 with seed 0 (https://xxhash.com, specification 0.2.0).
[[nodiscard]] std::uint64_t checksum64(std::span<const std::byte> bytes);
// Its low 32 bits: the check of a section, of which there are many.
[[nodiscard]] std::uint32_t checksum32(std::span<const std::byte> bytes);

// A running checksum64 over parts; equal to the checksum of their concatenation.
class RunningChecksum {
 public:
  RunningChecksum();
  ~RunningChecksum();
  RunningChecksum(const RunningChecksum&) = delete;
  RunningChecksum& operator=(const RunningChecksum&) = delete;
  void add(std::span<const std::byte> bytes);
  [[nodiscard]] std::uint64_t value() const;

 private:
  void* state_;
};

// Appends `raw` as one LZ4 block to `out` and returns true; leaves `out` alone and returns false
// when that would not be at least an eighth smaller.
[[nodiscard]] bool compress(std::span<const std::byte> raw, std::vector<std::byte>& out);
// Fills `raw` exactly. Safe on hostile input. Error: corrupt (without a place).
[[nodiscard]] Result<void> decompress(std::span<const std::byte> stored, std::span<std::byte> raw);

}  // namespace docket
