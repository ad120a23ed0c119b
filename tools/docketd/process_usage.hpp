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
  std::uint64_t resident_bytes_max = 0;  // since its start
  // Given to the kernel to write into files, since its start; none where /proc does not tell. Not
  // what /proc calls write_bytes: that counts the whole of a large folio for each page of it that
  // is written, on ext4 of Linux 6.18 sixteen times what reached the device.
  std::optional<std::uint64_t> written_bytes;
};

// Of this process with `pid` 0. Error: not_found when there is no such process, io.
[[nodiscard]] Result<ProcessUsage> process_usage(pid_t pid);

}  // namespace docket::server
