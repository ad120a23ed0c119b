// A store whose allocations may fail, below a test and above a disk whose allocations may not.
#pragma once

#include <memory>
#include <string>

#include "engine/disk.hpp"
#include "engine/log.hpp"

namespace docket::testing {

// `disk`, which must outlive it, with its own allocations exempt (allocation_faults.hpp): what a
// simulated disk does for one call is a system call to the store.
[[nodiscard]] std::unique_ptr<Disk> exempt_disk(Disk& disk);

// Store::open on an exempt disk, called by a thread that is exempt: the calls to the store and to
// its logs are exposed. An allocation that fails on the caller's thread is an error, `overloaded`.
[[nodiscard]] Result<std::unique_ptr<Store>> open_exposed_store(Disk& disk,
                                                                const std::string& directory,
                                                                const StoreOptions& options);

}  // namespace docket::testing
