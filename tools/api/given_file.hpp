// A file that the command line names.
#pragma once

#include <cstdint>
#include <string>

#include "engine/result.hpp"

namespace docket::api {

// All of it. Errors: those of the disk, and invalid_argument for what is no regular file or has
// more than `bytes_max` bytes: that is no damage, but another path than was meant.
[[nodiscard]] Result<std::string> read_given_file(const std::string& path, std::uint64_t bytes_max);

}  // namespace docket::api
