// What verify() looks at beside the events: that every file of a data directory is there and says
// what its checksums say, also where no reader would come by.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/disk.hpp"
#include "engine/result.hpp"
#include "engine/segment_reader.hpp"
#include "engine/snapshot.hpp"

namespace docket::verify {

// A place that is not as it should be.
struct Damage {
  std::string log;            // empty: the store as a whole
  std::uint64_t segment = 0;  // 0: the log as a whole
  std::string path;           // of the file; empty where there is none
  std::uint64_t offset = 0;
  std::string what;
  bool is_unread = false;  // it could not be read now; whether it is damaged is not known
  bool is_remark = false;  // no damage: something is missing that will be made anew
  friend bool operator==(const Damage&, const Damage&) = default;
};

// Whether the error says nothing of the bytes: too many open files, no memory, no permission. What
// a device cannot read (EIO) is damage.
[[nodiscard]] bool is_of_the_moment(const Error& error);

// The logs that every server makes: where its own is, the others must be.
struct ExpectedLogs {
  std::string_view system;
  std::span<const std::string_view> others;
};

// The marker, both copies of the list of logs, and the directories of the logs that must be there.
// That one is gone which the list names, its snapshot tells: as a gap, where it had events. A
// marker of a newer format is no damage: opening the store tells of it.
[[nodiscard]] std::vector<Damage> check_layout(Disk& disk, const std::string& directory,
                                               const ExpectedLogs& logs);

// All of these tell what could not be read now as a Damage that is_unread.

// A log's manifests (either copy), records of what was set aside, hot files and headers of
// segments, prepared ones too. The server may be at work: files that go away or grow meanwhile are
// no damage. `lost` is set to the events behind the damage of hot files, which snapshots tell as
// gaps.
[[nodiscard]] std::vector<Damage> check_log_files(Disk& disk, const std::string& directory,
                                                  const std::string& log, std::vector<Gap>& lost);
// The same but for sealed segments, which check_sealed_file() looks at one by one.
[[nodiscard]] std::vector<Damage> check_unsealed_files(Disk& disk, const std::string& directory,
                                                       const std::string& log,
                                                       std::vector<Gap>& lost);
// Header, heads of blocks and padding of a sealed segment. A file that is not there is no damage.
[[nodiscard]] std::vector<Damage> check_sealed_file(Disk& disk, const SegmentInfo& segment);

// Where the index of a sealed segment is.
[[nodiscard]] std::string index_path(const SegmentInfo& segment);

// Every checksum of the index beside a sealed segment. A missing index is a remark, as it is built
// when it is needed.
[[nodiscard]] std::vector<Damage> check_index_file(Disk& disk, const SegmentInfo& segment);

}  // namespace docket::verify
