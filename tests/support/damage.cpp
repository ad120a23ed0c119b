#include "tests/simulation/damage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/block.hpp"

namespace docket::simulation {

namespace {

using Bytes = std::vector<std::byte>;

constexpr std::size_t block_alignment = 64;

bool is_of_interest(const std::string& path) {
  return path.ends_with(".hot") || path.ends_with(".seg") || path.ends_with(".idx") ||
         path.ends_with("manifest.a") || path.ends_with("manifest.b");
}

// Up to where the last block of a hot file says that everything was synced before it was written.
std::size_t durable_end(const Bytes& bytes) {
  constexpr char magic[] = {'D', 'K', 'B', '1'};
  constexpr std::size_t durable_end_at = 120;  // in a block's header
  for (std::size_t at = bytes.size() / block_alignment * block_alignment; at != 0;) {
    at -= block_alignment;
    std::uint64_t end = 0;
    if (bytes.size() - at >= block_header_bytes &&
        std::memcmp(bytes.data() + at, magic, sizeof magic) == 0) {
      std::memcpy(&end, bytes.data() + at + durable_end_at, sizeof end);
      return end <= at ? end : 0;
    }
  }
  return 0;
}

}  // namespace

std::string damage_something(docket::testing::SimDisk& disk, const std::string& directory,
                             std::mt19937_64& dice) {
  std::vector<std::string> paths = disk.files();
  std::erase_if(paths, [&](const std::string& path) {
    return !path.starts_with(directory) || !is_of_interest(path);
  });
  if (paths.empty()) {
    return {};
  }
  const std::string path = paths[dice() % paths.size()];
  Bytes bytes = disk.content(path);
  const bool is_hot = path.ends_with(".hot");
  const std::size_t used = is_hot ? durable_end(bytes) : bytes.size();
  if (used == 0) {
    return {};
  }
  const std::size_t unit = dice() % 2 == 0 ? 512 : 4096;
  const std::size_t units = is_hot ? used / unit : (used + unit - 1) / unit;
  const std::uint64_t kind = units == 0 ? 0 : dice() % 5;
  const std::size_t at = units == 0 ? 0 : dice() % units * unit;
  const std::size_t length = std::min(unit, bytes.size() - at);
  switch (kind) {
    case 0: {
      const std::uint64_t bit = dice() % (used * 8);
      disk.flip_bit(path, bit);
      return fmt::format("{}: bit {} is flipped", path, bit);
    }
    case 1:
      std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), length, std::byte{0});
      disk.plant(path, bytes);
      return fmt::format("{}: {} bytes at {} are zero", path, length, at);
    case 2: {
      const std::string& other = paths[dice() % paths.size()];
      const Bytes source = disk.content(other);
      const std::size_t from = source.size() < unit ? 0 : dice() % (source.size() / unit) * unit;
      for (std::size_t i = 0; i < length && from + i < source.size(); ++i) {
        bytes[at + i] = source[from + i];
      }
      disk.plant(path, bytes);
      return fmt::format("{}: {} bytes at {} are those of {} at {}", path, length, at, other, from);
    }
    case 3:
      disk.spoil(path, at, length);
      return fmt::format("{}: {} bytes at {} cannot be read", path, length, at);
    default:
      if (is_hot) {
        return {};  // looks like a file that was never written so far
      }
      bytes.resize(at);
      disk.plant(path, bytes);
      return fmt::format("{}: is cut to {} bytes", path, at);
  }
}

}  // namespace docket::simulation
