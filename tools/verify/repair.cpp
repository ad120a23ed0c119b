#include "tools/verify/repair.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/event.hpp"
#include "engine/log_list.hpp"
#include "engine/log_recovery.hpp"
#include "engine/manifest.hpp"
#include "engine/store_layout.hpp"

namespace docket::verify {

namespace {

constexpr std::array<std::string_view, 2> manifest_copies{"manifest.a", "manifest.b"};
constexpr std::uint64_t manifest_bytes_max = std::uint64_t{256} << 20;

struct Copy {
  std::string path;
  std::vector<std::byte> bytes;
  std::optional<std::uint64_t> generation;  // none: it is of no use
  std::string why;
};

Result<Copy> read_copy(Disk& disk, std::string path, const std::string& log) {
  Copy copy{std::move(path), {}, {}, "it was missing"};
  DOCKET_ASSIGN(const bool exists, disk.exists(copy.path));
  if (!exists) {
    return copy;
  }
  auto bytes = read_file(disk, copy.path, manifest_bytes_max);
  const auto manifest = bytes ? decode_manifest(*bytes) : fail(bytes.error());
  if (!manifest) {
    if (manifest.error().code != ErrorCode::corrupt) {
      return fail(manifest.error());
    }
    copy.why = manifest.error().message;
  } else if (manifest->log != log) {
    copy.why = "it was the manifest of log " + manifest->log;
  } else {
    copy.generation = manifest->generation;
    copy.bytes = std::move(*bytes);
  }
  return copy;
}

}  // namespace

Result<void> Repair::repair_layout(const std::string& directory) {
  const std::string logs = logs_directory(directory);
  const auto entries = disk_.list(logs);
  if (!entries) {
    return entries.error().code == ErrorCode::not_found ? Result<void>() : fail(entries.error());
  }
  const std::string marker = directory + "/DOCKET";
  if (std::ranges::count(check_layout(disk_, directory, {}), marker, &Damage::path) != 0) {
    DOCKET_TRY(write_store_marker(disk_, directory));
    repaired_.push_back({marker, "the marker was damaged or missing"});
  }
  std::vector<std::string> names;
  for (const DirectoryEntry& entry : *entries) {
    if (entry.is_directory && is_log_name(entry.name)) {
      DOCKET_TRY(repair_manifests(log_directory(directory, entry.name), entry.name));
      names.push_back(entry.name);
    }
  }
  return repair_list(directory, names);
}

Result<void> Repair::repair_list(const std::string& directory,
                                 const std::vector<std::string>& logs) {
  std::vector<std::string> damaged;
  auto loaded = load_log_list(disk_, directory, damaged);
  if (loaded && loaded->is_in_both_copies) {
    return {};
  }
  if (!loaded && loaded.error().code != ErrorCode::not_found &&
      loaded.error().code != ErrorCode::corrupt) {
    return fail(loaded.error());
  }
  LogList list = loaded ? std::move(loaded->value) : LogList{};
  for (const std::string& log : loaded ? std::vector<std::string>() : logs) {
    std::vector<std::string> of_manifests;
    const auto known = load_manifest(disk_, log_directory(directory, log), log, of_manifests);
    if (known) {
      const Manifest& manifest = known->manifest;
      list.put({log, manifest.next_segment - 1, manifest.retired_below,
                std::max({manifest.reserved, manifest.next_seq, manifest.retired_below})});
    }
  }
  const bool has_one = loaded.has_value();
  for (const std::string& path : log_list_paths(directory)) {
    const bool is_there = disk_.exists(path).value_or(true);
    const bool is_damaged = std::ranges::count(damaged, path) != 0;
    if (!is_there || is_damaged || !has_one) {
      repaired_.push_back({path, std::string(is_there ? "it was damaged" : "it was missing") +
                                     (has_one ? "" : "; made from the logs that are there")});
    }
  }
  list.generation += has_one ? 0 : 1;
  return replace_copies(disk_, log_list_paths(directory), encode_log_list(list));
}

Result<void> Repair::repair_manifests(const std::string& directory, const std::string& log) {
  std::vector<Copy> copies;
  for (const std::string_view name : manifest_copies) {
    DOCKET_ASSIGN(Copy copy, read_copy(disk_, directory + "/" + std::string(name), log));
    copies.push_back(std::move(copy));
  }
  if (copies[0].generation && copies[1].generation) {
    return {};
  }
  if (copies[0].generation || copies[1].generation) {
    const Copy& whole = copies[0].generation ? copies[0] : copies[1];
    const Copy& other = copies[0].generation ? copies[1] : copies[0];
    DOCKET_TRY(replace_file(disk_, other.path, whole.bytes));
    repaired_.push_back({other.path, other.why});
    return {};
  }
  // From the segments, and only where they tell everything: of a file whose footer is damaged the
  // next start of a server has to decide what becomes of it.
  DOCKET_ASSIGN(const LogFiles files, list_log_files(disk_, directory));
  std::vector<RecoveryNotice> notices;
  auto loaded = load_or_rebuild_manifest(disk_, directory, log, files, notices);
  std::vector<std::string> of_list;
  const auto list = load_log_list(disk_, parent_of(parent_of(directory)), of_list);
  if (const ListedLog* const listed = list ? list->value.find(log) : nullptr; loaded && listed) {
    catch_up(loaded->manifest, files, *listed);  // else what is missing would be forgotten
  }
  const bool is_whole = loaded && loaded->manifest.segments.size() == files.sealed.size();
  if (!is_whole || files.sealed.empty()) {
    return loaded || loaded.error().code == ErrorCode::corrupt ? Result<void>()
                                                               : fail(loaded.error());
  }
  loaded->manifest.next_segment = std::max(loaded->manifest.next_segment, files.highest + 1);
  DOCKET_TRY(save_manifest(disk_, directory, loaded->manifest));
  for (const Copy& copy : copies) {
    repaired_.push_back({copy.path, copy.why + "; made from the segments"});
  }
  return {};
}

Result<void> Repair::repair_index(const std::shared_ptr<const SegmentReader>& segment,
                                  Findings& found) {
  const SegmentInfo& info = segment->info();
  const std::string path = index_path(info);
  const auto is_of_index = [&](const Damage& damage) {
    return damage.path == path && !damage.is_unread;
  };
  if (!info.sealed || std::ranges::any_of(found.damage, [&](const Damage& damage) {
        return damage.path == info.path;
      })) {
    return {};
  }
  DOCKET_ASSIGN(const bool exists, disk_.exists(path));
  const auto damage = std::ranges::find_if(found.damage, is_of_index);
  if (exists && damage == found.damage.end()) {
    return {};
  }
  std::string why = exists ? damage->what : "it was missing";
  DOCKET_TRY(catalog_.build(segment));
  std::erase_if(found.damage, is_of_index);
  std::erase_if(found.remarks, is_of_index);
  repaired_.push_back({path, std::move(why)});
  found.add(check_index_file(disk_, info));
  return {};
}

}  // namespace docket::verify
