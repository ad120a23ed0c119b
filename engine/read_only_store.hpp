// A store seen from a process that does not own it: nothing is written, locked or repaired. The
// directory may be live; each snapshot looks again at what is there.
#pragma once

#include <memory>
#include <string>

#include "engine/log.hpp"

namespace docket {

[[nodiscard]] Result<std::unique_ptr<Store>> open_read_only_store(Disk& disk,
                                                                  const std::string& directory,
                                                                  const StoreOptions& options);

}  // namespace docket
