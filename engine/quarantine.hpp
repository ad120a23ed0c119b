// What recovery and sealing have set aside, written down beside it: which bytes of which file,
// which events stood there, why and when. engine/FORMAT.md, "Quarantine".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/counts.hpp"
#include "engine/disk.hpp"
#include "engine/result.hpp"

namespace docket {

struct QuarantineRecord {
  Nanos time = 0;      // when it was set aside
  std::string file{};  // as it was called then, without directory
  std::string kept{};  // what holds the bytes now; empty: nothing does
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  Seq first_seq{1};  // of the events that stood there; none where first_seq > last_seq
  Seq last_seq{};
  std::string reason{};

  [[nodiscard]] bool has_events() const { return first_seq <= last_seq; }
};

struct Quarantine {
  std::vector<QuarantineRecord> records;  // oldest first
  std::vector<std::uint64_t> damaged_at;  // offsets of lines that are not what was written
};

inline constexpr std::uint64_t quarantine_bytes_max = std::uint64_t{16} << 20;

[[nodiscard]] std::string quarantine_path(const std::string& directory);
// The records of a log; none where there is no file. Errors: io; corrupt for a file that cannot be
// read or is too long to be one.
[[nodiscard]] Result<Quarantine> read_quarantine(Disk& disk, const std::string& directory);
// Adds the record durably; one that is there already, but for its time, is not added again. Lines
// that are damaged stay as they are. Errors: io, no_space; overloaded where the file would
// become longer than a reader takes.
[[nodiscard]] Result<void> record_quarantine(Disk& disk, const std::string& directory,
                                             const QuarantineRecord& record);

}  // namespace docket
