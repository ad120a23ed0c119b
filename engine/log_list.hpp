// The logs of a store, so that one whose directory is gone is missed. engine/FORMAT.md, "List of
// logs".
//
//   I1  A log is listed, with the seqs it may give, before its first event is acknowledged; its
//       manifest says so first. So a list that knows of a later segment than the manifest proves
//       that the manifest, or the whole directory, is not the one that was there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/counts.hpp"
#include "engine/disk.hpp"
#include "engine/paired_file.hpp"
#include "engine/result.hpp"

namespace docket {

struct ListedLog {
  std::string log;
  SegmentId begun;  // the highest segment its manifest has named
  // As of the last writing:
  Seq oldest{1};    // every seq below it is retired
  Seq reserved{1};  // no seq at or above it has been given
  friend bool operator==(const ListedLog&, const ListedLog&) = default;
};

struct LogList {
  std::uint64_t generation = 0;
  std::vector<ListedLog> logs;  // ascending by name

  // nullptr when it is not listed.
  [[nodiscard]] const ListedLog* find(std::string_view log) const;
  // Adds it, or puts it in the place of what is known of that log.
  void put(const ListedLog& listed);
};

[[nodiscard]] CopyPaths log_list_paths(const std::string& directory);

[[nodiscard]] std::vector<std::byte> encode_log_list(const LogList& list);
// Errors: corrupt, newer_format.
[[nodiscard]] Result<LogList> decode_log_list(std::span<const std::byte> bytes);

// The newest valid copy in the data directory `directory`; errors as load_newest().
[[nodiscard]] Result<NewestCopy<LogList>> load_log_list(Disk& disk, const std::string& directory,
                                                        std::vector<std::string>& damaged);
// The same for who reads a store that may lack it: empty where no copy can be read, for what it
// said then nobody can tell. Errors: newer_format, io.
[[nodiscard]] Result<LogList> readable_log_list(Disk& disk, const std::string& directory);
// Raises the generation and writes both copies durably.
[[nodiscard]] Result<void> save_log_list(Disk& disk, const std::string& directory, LogList& list);

}  // namespace docket
