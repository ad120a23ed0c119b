// What a process has taken of the machine, as Linux tells it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "engine/result.hpp"

namespace docket::server {

struct ProcessUsage {
  double cpu_seconds = 0;  // user and system, all threads, since its start
  std::uint64_t resident_bytes = 0;
  std::uint64_t resident_bytes_max = 0;        // since its start
  std::optional<std::uint64_t> written_bytes;  // sent to disks; none where /proc does not tell
};

// Of this process with `pid` 0. Error: not_found when there is no such process, io.
[[nodiscard]] Result<ProcessUsage> process_usage(pid_t pid);

}  // namespace docket::server
