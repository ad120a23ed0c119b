// What a figure was measured on: without it no figure says anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/result.hpp"

namespace docket::load {

class JsonWriter;

struct Machine {
  std::string processor;
  std::uint32_t cores = 0;  // that this process may use
  std::uint64_t memory_bytes = 0;
  std::string kernel;
};
// "unknown" where the system does not tell.
[[nodiscard]] Machine describe_machine();

struct DiskProbe {
  std::string file_system;  // "ext4"
  std::uint64_t free_bytes = 0;
  std::int64_t fdatasync_p50 = 0;  // ns, of a write and fdatasync of 4 KiB into allocated space
  std::int64_t fdatasync_p99 = 0;
};
// Measures with 256 writes into a file of 1 MiB that it makes in `directory` and removes. Error:
// io.
[[nodiscard]] Result<DiskProbe> probe_disk(const std::string& directory);

// "2 x AMD EPYC 7763, 16 GiB, Linux 6.1".
[[nodiscard]] std::string readable(const Machine& machine);

void write_json(JsonWriter& json, const Machine& machine);
void write_json(JsonWriter& json, const DiskProbe& disk);
// The members `machine` and `disk` of a measurement made here; null where no disk was probed.
void write_place(JsonWriter& json, const std::optional<DiskProbe>& disk);

}  // namespace docket::load
