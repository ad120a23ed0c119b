#include "engine/store_layout.hpp"

#include <fmt/format.h>

#include <charconv>

#include "engine/bytes.hpp"
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
                      entry.name.starts_with(marker_name) || entry.name == "lost+found";
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
    DOCKET_TRY(write_store_marker(disk, directory));
  }
  // A crash may have come between the two.
  return disk.make_directories(logs_directory(directory));
}

}  // namespace docket
