// What time and bad disks do to bytes that were once stored well.
#pragma once

#include <random>
#include <string>

#include "tests/support/sim_disk.hpp"

namespace docket::simulation {

// Damages one file of a store that was closed in good order: a flipped bit, a sector of 512 or
// 4,096 bytes that is zero, holds what belongs elsewhere or cannot be read, or a file cut short.
// Returns what was done; empty: there was nothing to damage.
//
// Spares what the format cannot tell from a torn tail (engine/FORMAT.md): the last group of a hot
// file that no later block vouches for, and a sector that holds both its end and its mark.
[[nodiscard]] std::string damage_something(docket::testing::SimDisk& disk,
                                           const std::string& directory, std::mt19937_64& dice);

}  // namespace docket::simulation
