#include "engine/store_layout.hpp"

#include <fmt/format.h>

#include <charconv>

#include "engine/bytes.hpp"
#include "engine/log_list.hpp"
#include "engine/segment_file.hpp"

namespace docket {

namespace {

constexpr std::string_view marker_name = "DOCKET";
constexpr std::string_view marker_prefix = "docket store, format ";
constexpr std::string_view lock_name = "LOCK";
constexpr std::uint64_t marker_bytes_max = 4096;

std::string marker_path(const std::string& directory) {
  return directory + "/" + std::string(marker_name);
}

// An empty one where there is none, nor a log.
Result<void> make_log_list(Disk& disk, const std::string& directory) {
  for (const std::string& path : log_list_paths(directory)) {
    DOCKET_ASSIGN(const bool exists, disk.exists(path));
    if (exists) {
      return {};
    }
  }
  const auto logs = disk.list(logs_directory(directory));
  if (logs && !logs->empty()) {
    return {};
  }
  LogList list;
  return save_log_list(disk, directory, list);
}

}  // namespace

std::string lock_path(const std::string& directory) {
  return directory + "/" + std::string(lock_name);
}

std::string logs_directory(const std::string& directory) {
  return directory + "/logs";
}

std::string log_directory(const std::string& directory, std::string_view log) {
  return logs_directory(directory) + "/" + std::string(log);
}

Result<void> check_store_marker(Disk& disk, const std::string& directory) {
  DOCKET_ASSIGN(const bool exists, disk.exists(directory));
  if (!exists) {
    return fail(ErrorCode::not_found, directory + ": no such directory");
  }
  DOCKET_ASSIGN(const bool marked, disk.exists(marker_path(directory)));
  if (!marked) {
    return fail(ErrorCode::not_found, directory + ": not a docket store (it has no file DOCKET)");
  }
  DOCKET_ASSIGN(const auto bytes, read_file(disk, marker_path(directory), marker_bytes_max));
  const std::string_view text = as_text(bytes);
  std::uint32_t version = 0;
  if (text.starts_with(marker_prefix)) {
    const std::string_view number = text.substr(marker_prefix.size());
    std::from_chars(number.data(), number.data() + number.size(), version);
  }
  if (version > format_version) {
    return fail(ErrorCode::newer_format,
                fmt::format("{}: a store of format {}; this version reads format {}", directory,
                            version, format_version));
  }
  // A damaged marker is no reason to refuse what is readable: every file states its own version.
  return {};
}

Result<void> check_holds_nothing_else(Disk& disk, const std::string& directory) {
  DOCKET_ASSIGN(const bool marked, disk.exists(marker_path(directory)));
  if (marked) {
    return {};
  }
  DOCKET_ASSIGN(const auto entries, disk.list(directory));
  for (const DirectoryEntry& entry : entries) {
    // A crash while making a store leaves these; a store that has lost its marker has its logs.
    const bool ours = entry.name == lock_name || entry.name == "logs" ||
                      entry.name.starts_with(marker_name) || entry.name.starts_with("loglist.") ||
                      entry.name == "lost+found";
    if (!ours) {
      return fail(ErrorCode::invalid_argument,
                  directory + ": not a docket store and not empty (it holds " + entry.name + ")");
    }
  }
  return {};
}

Result<void> write_store_marker(Disk& disk, const std::string& directory) {
  const std::string text = fmt::format("{}{}\n", marker_prefix, format_version);
  return replace_file(disk, marker_path(directory), as_byte_span(text));
}

Result<void> make_store(Disk& disk, const std::string& directory) {
  DOCKET_TRY(disk.make_directories(directory));
  DOCKET_TRY(check_holds_nothing_else(disk, directory));
  DOCKET_ASSIGN(const bool marked, disk.exists(marker_path(directory)));
  if (marked) {
    DOCKET_TRY(check_store_marker(disk, directory));
  } else {
    // Before the marker: a store without a list has lost it. One that has lost only its marker
    // keeps what it has.
    DOCKET_TRY(make_log_list(disk, directory));
    DOCKET_TRY(write_store_marker(disk, directory));
  }
  // A crash may have come between the two.
  return disk.make_directories(logs_directory(directory));
}

}  // namespace docket
