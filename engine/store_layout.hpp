// Where things are in a data directory: engine/FORMAT.md, "Directory".
#pragma once

#include <string>
#include <string_view>

#include "engine/disk.hpp"
#include "engine/result.hpp"

namespace docket {

[[nodiscard]] std::string lock_path(const std::string& directory);
[[nodiscard]] std::string logs_directory(const std::string& directory);
[[nodiscard]] std::string log_directory(const std::string& directory, std::string_view log);

// Checks the marker that says that this is a store and of which format. Errors: not_found (no such
// directory, or not a store), newer_format, io.
[[nodiscard]] Result<void> check_store_marker(Disk& disk, const std::string& directory);
// invalid_argument for a directory that is no store and holds other things: nothing of ours belongs
// there, not even a lock.
[[nodiscard]] Result<void> check_holds_nothing_else(Disk& disk, const std::string& directory);
// Writes the marker durably, whatever stands in its place.
[[nodiscard]] Result<void> write_store_marker(Disk& disk, const std::string& directory);
// Makes the directory a store where it is empty or new; checks the marker where it is one.
// invalid_argument for a directory that holds other things.
[[nodiscard]] Result<void> make_store(Disk& disk, const std::string& directory);

}  // namespace docket
