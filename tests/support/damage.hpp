// What time and bad disks do to bytes that were once stored well.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/support/sim_disk.hpp"

namespace docket::testing {

enum class DamageKind : std::uint8_t {
  bit,         // one is flipped
  zeros,       // a sector is zero: a write that was lost, or a block that was discarded
  noise,       // a sector holds anything
  elsewhere,   // a sector holds what belongs elsewhere: a misdirected write, or a stale sector
  unreadable,  // a sector cannot be read, and the disk says so
  cut,         // the file ends at a sector's start
};

// A way of damaging, of sectors of so many bytes.
struct DamageMode {
  DamageKind kind = DamageKind::bit;
  std::size_t sector = 512;  // 512 or 4,096
};
inline constexpr std::array<DamageMode, 11> damage_modes = {{{DamageKind::bit, 512},
                                                             {DamageKind::zeros, 512},
                                                             {DamageKind::zeros, 4096},
                                                             {DamageKind::noise, 512},
                                                             {DamageKind::noise, 4096},
                                                             {DamageKind::elsewhere, 512},
                                                             {DamageKind::elsewhere, 4096},
                                                             {DamageKind::unreadable, 512},
                                                             {DamageKind::unreadable, 4096},
                                                             {DamageKind::cut, 512},
                                                             {DamageKind::cut, 4096}}};

// The segments, indexes and manifests below a directory of a store that is closed; sorted.
[[nodiscard]] std::vector<std::string> damageable_files(const SimDisk& disk,
                                                        const std::string& directory);

// How many sectors of a file there are to damage. Left out is what the format cannot tell from a
// torn tail (engine/FORMAT.md): the last group of a hot file that no later block vouches for, and a
// sector that holds both its end and its mark. A hot file cannot be cut either.
[[nodiscard]] std::uint64_t damageable_sectors(const SimDisk& disk, const std::string& path,
                                               const DamageMode& mode);

// Damages the sector, which must be one of those. What the dice decide is which bit, which noise,
// and what comes from elsewhere: of any of `files`. Returns what was done, in words.
std::string damage(SimDisk& disk, const std::vector<std::string>& files, const std::string& path,
                   const DamageMode& mode, std::uint64_t sector, std::mt19937_64& dice);

// Some file, mode and sector of the dice's choice. Empty: there was nothing to damage.
std::string damage_something(SimDisk& disk, const std::string& directory, std::mt19937_64& dice);

}  // namespace docket::testing
