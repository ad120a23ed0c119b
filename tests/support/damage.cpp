#include "tests/support/damage.hpp"

#include <algorithm>
#include <cstring>

#include "engine/assert.hpp"
#include "engine/block.hpp"

namespace docket::testing {

namespace {

using Bytes = std::vector<std::byte>;

bool is_of_interest(const std::string& path) {
  return path.ends_with(".hot") || path.ends_with(".seg") || path.ends_with(".idx") ||
         path.ends_with("manifest.a") || path.ends_with("manifest.b") ||
         path.ends_with("loglist.a") || path.ends_with("loglist.b");
}

// Up to where the last block of a hot file says that everything was synced before it was written: a
// block of which at least the head is whole.
std::size_t durable_end(const Bytes& bytes) {
  for (std::size_t at = bytes.size() / block_alignment * block_alignment; at != 0;) {
    at -= block_alignment;
    if (const auto head = decode_block_header(std::span(bytes).subspan(at))) {
      return head->durable_end.value <= at ? head->durable_end.value : 0;
    }
  }
  return 0;
}

}  // namespace

std::vector<std::string> damageable_files(const SimDisk& disk, const std::string& directory) {
  std::vector<std::string> paths = disk.files();
  std::erase_if(paths, [&](const std::string& path) {
    return !path.starts_with(directory) || !is_of_interest(path);
  });
  return paths;
}

std::uint64_t damageable_sectors(const SimDisk& disk, const std::string& path,
                                 const DamageMode& mode) {
  const Bytes bytes = disk.content(path);
  if (!path.ends_with(".hot")) {
    return (bytes.size() + mode.sector - 1) / mode.sector;
  }
  return mode.kind == DamageKind::cut ? 0 : durable_end(bytes) / mode.sector;
}

std::string damage(SimDisk& disk, const std::vector<std::string>& files, const std::string& path,
                   const DamageMode& mode, std::uint64_t sector, std::mt19937_64& dice) {
  Bytes bytes = disk.content(path);
  const std::size_t at = sector * mode.sector;
  DOCKET_ASSERT(at < bytes.size());
  const std::size_t length = std::min(mode.sector, bytes.size() - at);
  const std::string place =
      path + ": " + std::to_string(length) + " bytes at " + std::to_string(at);
  switch (mode.kind) {
    case DamageKind::bit: {
      const std::uint64_t bit = (at + dice() % length) * 8 + dice() % 8;
      disk.flip_bit(path, bit);
      return path + ": bit " + std::to_string(bit) + " is flipped";
    }
    case DamageKind::zeros:
      std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), length, std::byte{0});
      disk.plant(path, bytes);
      return place + " are zero";
    case DamageKind::noise:
      for (std::size_t i = 0; i < length; ++i) {
        bytes[at + i] = std::byte{static_cast<unsigned char>(dice())};
      }
      disk.plant(path, bytes);
      return place + " are noise";
    case DamageKind::elsewhere: {
      const std::string& other = files[dice() % files.size()];
      const Bytes source = disk.content(other);
      const std::size_t sectors = source.size() / mode.sector;
      const std::size_t from = sectors == 0 ? 0 : dice() % sectors * mode.sector;
      for (std::size_t i = 0; i < length && from + i < source.size(); ++i) {
        bytes[at + i] = source[from + i];
      }
      disk.plant(path, bytes);
      return place + " are those of " + other + " at " + std::to_string(from);
    }
    case DamageKind::unreadable:
      disk.spoil(path, at, length);
      return place + " cannot be read";
    case DamageKind::cut:
      break;
  }
  bytes.resize(at);
  disk.plant(path, bytes);
  return path + ": is cut to " + std::to_string(at) + " bytes";
}

std::string damage_something(SimDisk& disk, const std::string& directory, std::mt19937_64& dice) {
  const auto files = damageable_files(disk, directory);
  if (files.empty()) {
    return {};
  }
  const std::string& path = files[dice() % files.size()];
  const DamageMode mode = damage_modes[dice() % damage_modes.size()];
  const std::uint64_t sectors = damageable_sectors(disk, path, mode);
  return sectors == 0 ? std::string() : damage(disk, files, path, mode, dice() % sectors, dice);
}

}  // namespace docket::testing
