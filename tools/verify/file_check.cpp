#include "tools/verify/file_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <utility>

#include "engine/block.hpp"
#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/footer.hpp"
#include "engine/hot_scan.hpp"
#include "engine/log_list.hpp"
#include "engine/log_recovery.hpp"
#include "engine/manifest.hpp"
#include "engine/quarantine.hpp"
#include "engine/segment_file.hpp"
#include "engine/store_layout.hpp"
#include "index/index_file.hpp"

namespace docket::verify {

namespace {

constexpr std::uint64_t marker_bytes_max = 4096;
constexpr std::array<std::string_view, 2> manifest_copies{"manifest.a", "manifest.b"};
constexpr std::uint64_t manifest_bytes_max = std::uint64_t{256} << 20;
constexpr std::uint64_t log_list_bytes_max = std::uint64_t{1} << 20;

// The place of an error, but for the error that the file has gone.
void add(std::vector<Damage>& found, Damage place, const Error& error) {
  if (error.code == ErrorCode::not_found) {
    return;
  }
  place.is_unread = is_of_the_moment(error);
  place.what = (place.is_unread ? "it could not be read now: " : "") + error.message;
  found.push_back(std::move(place));
}

// Both copies are written each time, so that only the first time can have ended between them: then
// the next start writes the other. A copy that has gone later has been taken away.
void note_missing_copies(std::vector<Damage>& found, const std::string& log, std::string_view what,
                         const std::vector<std::string>& missing, std::uint64_t generation) {
  const bool is_first = generation == 1;
  for (const std::string& path : missing) {
    if (generation != 0) {
      found.push_back({log, 0, path, 0,
                       fmt::format("this copy of the {} is missing{}", what,
                                   is_first ? "; the next start of the server writes it" : ""),
                       false, is_first});
    }
  }
}

// One log's directory.
class LogCheck {
 public:
  LogCheck(Disk& disk, std::string directory, std::string log, std::vector<Gap>& lost)
      : disk_(disk), directory_(std::move(directory)), log_(std::move(log)), lost_(lost) {}

  std::vector<Damage> run_sealed(SegmentId id) {
    check_sealed(id);
    return std::move(found_);
  }

  std::vector<Damage> run(bool with_sealed) {
    const auto files = list_log_files(disk_, directory_);
    if (!files) {
      note(0, directory_, files.error());
      return std::move(found_);
    }
    check_manifests();
    check_quarantine();
    std::vector<RecoveryNotice> notices;
    const auto loaded = load_or_rebuild_manifest(disk_, directory_, log_, *files, notices);
    if (!loaded && is_of_the_moment(loaded.error())) {
      note(0, directory_, loaded.error());
    }
    for (const RecoveryNotice& notice : notices) {
      // The copies have been told of one by one.
      if (!notice.detail.ends_with("manifest copy is damaged")) {
        found_.push_back({log_, 0, "", 0, notice.detail});
      }
    }
    for (const SegmentId id : with_sealed ? files->sealed : std::vector<SegmentId>()) {
      check_sealed(id);
    }
    for (const SegmentId id : files->prepared) {
      // Until the manifest names it, it may be in the making, or left over from that.
      if (loaded && std::ranges::binary_search(loaded->manifest.unsealed, id)) {
        check_prepared(id);
      }
    }
    Seq next = loaded ? loaded->manifest.next_seq : Seq(1);
    for (std::size_t i = 0; i < files->hot.size(); ++i) {
      const bool is_sealed = std::ranges::binary_search(files->sealed, files->hot[i]);
      if (!is_sealed) {
        const auto later = i + 1 < files->hot.size()
                               ? first_seq_of_hot(disk_, directory_, log_, files->hot[i + 1])
                                     .value_or(std::nullopt)
                               : std::nullopt;
        const Seq proven = later.value_or(Seq(1)) - 1;
        check_hot(files->hot[i], loaded ? before_gaps(loaded->manifest.gaps, proven) : proven,
                  next);
      }
    }
    return std::move(found_);
  }

 private:
  void note(std::uint64_t segment, const std::string& path, const Error& error,
            std::uint64_t offset = 0) {
    add(found_, {log_, segment, path, std::max(offset, error.offset), ""}, error);
  }

  void check_manifests() {
    std::vector<std::string> missing;
    std::uint64_t generation = 0;
    for (const std::string_view copy : manifest_copies) {
      const std::string path = directory_ + "/" + std::string(copy);
      if (!disk_.exists(path).value_or(true)) {
        missing.push_back(path);
        continue;
      }
      const auto bytes = read_file(disk_, path, manifest_bytes_max);
      const auto manifest = bytes ? decode_manifest(*bytes) : fail(bytes.error());
      if (!manifest) {
        note(0, path, manifest.error());
        continue;
      }
      generation = std::max(generation, manifest->generation);
      if (manifest->log != log_) {
        found_.push_back({log_, 0, path, 0, "it is the manifest of log " + manifest->log});
      }
    }
    note_missing_copies(found_, log_, "manifest", missing, generation);
  }

  // A prepared segment holds no events, but takes them next.
  void check_prepared(SegmentId id) {
    const std::string path = directory_ + "/" + segment_file_name(id, prepared_extension);
    const auto file = disk_.open(path, OpenMode::read);
    if (!file) {
      note(id.value, path, file.error());
      return;
    }
    static_cast<void>(check_header(**file, id, SegmentKind::active, path));
  }

  void check_quarantine() {
    const std::string path = quarantine_path(directory_);
    const auto quarantine = read_quarantine(disk_, directory_);
    if (!quarantine) {
      note(0, path, quarantine.error());
      return;
    }
    for (const std::uint64_t offset : quarantine->damaged_at) {
      found_.push_back({log_, 0, path, offset, "a record is not what was written"});
    }
  }

  // The header; nullopt, and damage, where it is not that of this file.
  std::optional<SegmentFileHeader> check_header(const File& file, SegmentId id, SegmentKind kind,
                                                const std::string& path) {
    std::vector<std::byte> bytes(segment_header_bytes);
    const auto read = file.read_at(FileOffset(0), bytes);
    auto header = read ? decode_segment_header(bytes) : fail(read.error());
    if (!header) {
      note(id.value, path, header.error());
      return std::nullopt;
    }
    if (header->id != id || header->log != log_ || header->kind != kind) {
      found_.push_back({log_, id.value, path, 0,
                        fmt::format("its header is that of segment {} of log {}", header->id.value,
                                    header->log)});
    }
    return *std::move(header);
  }

  // The blocks' heads are read from the footer, so that nobody else sees those before the blocks.
  void check_sealed(SegmentId id) {
    const std::string path = directory_ + "/" + segment_file_name(id, "seg");
    const auto file = disk_.open(path, OpenMode::read);
    if (!file) {
      note(id.value, path, file.error());
      return;
    }
    static_cast<void>(check_header(**file, id, SegmentKind::sealed, path));
    const auto loaded = load_footer(**file, id);
    if (!loaded) {
      return;  // reading the events tells
    }
    for (const SealedBlock& block : loaded->footer.blocks) {
      std::vector<std::byte> head(block_header_bytes + block.header.directory_bytes);
      const auto read = (*file)->read_at(block.header.offset, head);
      if (!read) {
        note(id.value, path, read.error(), block.header.offset.value);
        continue;
      }
      std::vector<std::byte> expected = head;
      encode_block_header(block.header, expected);
      if (head != expected) {
        found_.push_back({log_, id.value, path, block.header.offset.value,
                          "a block's header does not match the footer's copy"});
      }
      check_padding(**file, block.header, path);
    }
  }

  // Nothing reads what stands between a block's body and its end; all the same it is part of the
  // file, and zeros.
  void check_padding(const File& file, const BlockHeader& header, const std::string& path) {
    const FileOffset at = header.offset + block_header_bytes + header.body_bytes;
    std::vector<std::byte> bytes(header.offset + header.block_bytes() - at);
    const auto read = file.read_at(at, bytes);
    if (!read) {
      note(header.segment.value, path, read.error(), at.value);
    } else if (std::ranges::any_of(bytes, [](std::byte b) { return b != std::byte{0}; })) {
      found_.push_back(
          {log_, header.segment.value, path, at.value, "the padding behind a block is not zeros"});
    }
  }

  // What a later file proves to have been synced goes up to `proven`. `next` is the seq to go on
  // with, and is moved on.
  void check_hot(SegmentId id, Seq proven, Seq& next) {
    const std::string path = directory_ + "/" + segment_file_name(id, "hot");
    const auto file = disk_.open(path, OpenMode::read);
    if (!file) {
      note(id.value, path, file.error());
      return;
    }
    if ((*file)->size().value_or(1) == 0) {
      return;  // it is being made, or its making was broken off
    }
    const auto header = check_header(**file, id, SegmentKind::active, path);
    if (header && header->first_seq < next) {
      return;  // what is left over of a segment that has been sealed
    }
    const Seq first = header ? std::max(next, header->first_seq) : next;
    const auto scan = scan_hot_segment(
        **file, log_, id, FileOffset(segment_header_bytes), first, proven,
        [&](const BlockHeader& block, const BlockSender&) { check_padding(**file, block, path); });
    if (!scan) {
      note(id.value, path, scan.error());
      return;
    }
    next = std::max(next, scan->next_seq);
    for (const DamagedRange& range : scan->damage) {
      const bool holds_events = range.first_seq <= range.last_seq;
      found_.push_back(
          {log_, id.value, path, range.begin.value,
           holds_events ? fmt::format("{}:{} to {}:{} are missing: {}", log_, range.first_seq.value,
                                      log_, range.last_seq.value, range.reason)
                        : range.reason});
      if (holds_events) {
        lost_.push_back({log_, range.first_seq, range.last_seq, range.reason});
      }
    }
  }

  Disk& disk_;
  const std::string directory_;
  const std::string log_;
  std::vector<Gap>& lost_;
  std::vector<Damage> found_;
};

// What a server writes while it is read may look like damage once, but not twice.
std::vector<Damage> check_twice(Disk& disk, const std::string& directory, const std::string& log,
                                std::vector<Gap>& lost, bool with_sealed) {
  const auto check = [&] {
    lost.clear();
    return LogCheck(disk, log_directory(directory, log), log, lost).run(with_sealed);
  };
  const std::vector<Damage> first = check();
  if (first.empty()) {
    return {};
  }
  std::vector<Damage> found = check();
  std::erase_if(found, [&](const Damage& damage) {
    return !damage.is_unread && std::ranges::find(first, damage) == first.end();
  });
  // What was read only once is not known to be sound.
  std::ranges::copy_if(first, std::back_inserter(found), [&](const Damage& damage) {
    return damage.is_unread && std::ranges::find(found, damage) == found.end();
  });
  return found;
}

// Where there is no copy at all, a store without logs is one in the making.
void check_log_list(Disk& disk, const std::string& directory, bool has_logs,
                    std::vector<Damage>& found) {
  std::vector<std::string> missing;
  std::uint64_t generation = 0;
  for (const std::string& path : log_list_paths(directory)) {
    if (!disk.exists(path).value_or(true)) {
      missing.push_back(path);
      continue;
    }
    const auto bytes = read_file(disk, path, log_list_bytes_max);
    const auto list = bytes ? decode_log_list(*bytes) : fail(bytes.error());
    if (!list) {
      add(found, {"", 0, path, 0, ""}, list.error());
      continue;
    }
    generation = std::max(generation, list->generation);
  }
  note_missing_copies(found, "", "list of logs", missing, generation);
  if (missing.size() == log_list_paths(directory).size() && has_logs) {
    found.push_back({"", 0, missing.front(), 0,
                     "the list of logs is missing; that a log is gone cannot be known"});
  }
}

}  // namespace

bool is_of_the_moment(const Error& error) {
  switch (error.code) {
    case ErrorCode::io:
      return error.sys_errno != EIO;
    case ErrorCode::busy:
    case ErrorCode::no_space:
    case ErrorCode::overloaded:
    case ErrorCode::closed:
    case ErrorCode::cancelled:
      return true;
    default:
      return false;
  }
}

std::vector<Damage> check_layout(Disk& disk, const std::string& directory,
                                 const ExpectedLogs& logs) {
  std::vector<Damage> found;
  const auto missing = [&](const std::string& path) { return !disk.exists(path).value_or(true); };
  const bool has_logs = !missing(logs_directory(directory));
  const std::string marker = directory + "/DOCKET";
  const auto bytes = read_file(disk, marker, marker_bytes_max);
  const std::string expected = fmt::format("docket store, format {}", format_version);
  const auto marked = check_store_marker(disk, directory);
  const bool is_newer = !marked && marked.error().code == ErrorCode::newer_format;
  if (bytes && !is_newer && as_text(*bytes) != expected + "\n") {
    found.push_back({"", 0, marker, 0, fmt::format("the store's marker is not '{}'", expected)});
  } else if (!bytes && bytes.error().code != ErrorCode::not_found) {
    add(found, {"", 0, marker, 0, ""}, bytes.error());
  } else if (!bytes && has_logs) {
    found.push_back({"", 0, marker, 0, "the store's marker is missing"});
  }
  check_log_list(disk, directory, has_logs, found);
  if (bytes && !has_logs) {
    found.push_back({"", 0, logs_directory(directory), 0, "the directory of the logs is missing"});
  }
  if (!missing(log_directory(directory, logs.system))) {
    for (const std::string_view log : logs.others) {
      if (missing(log_directory(directory, log))) {
        found.push_back({std::string(log), 0, log_directory(directory, log), 0,
                         "the directory of the log is missing"});
      }
    }
  }
  return found;
}

std::vector<Damage> check_log_files(Disk& disk, const std::string& directory,
                                    const std::string& log, std::vector<Gap>& lost) {
  return check_twice(disk, directory, log, lost, true);
}

std::vector<Damage> check_unsealed_files(Disk& disk, const std::string& directory,
                                         const std::string& log, std::vector<Gap>& lost) {
  return check_twice(disk, directory, log, lost, false);
}

std::vector<Damage> check_sealed_file(Disk& disk, const SegmentInfo& segment) {
  std::vector<Gap> lost;
  return LogCheck(disk, parent_of(segment.path), segment.log, lost).run_sealed(segment.id);
}

std::string index_path(const SegmentInfo& segment) {
  return parent_of(segment.path) + "/" + segment_file_name(segment.id, "idx");
}

std::vector<Damage> check_index_file(Disk& disk, const SegmentInfo& segment) {
  std::vector<Damage> found;
  const std::string path = index_path(segment);
  const auto note = [&](std::uint64_t offset, const Error& error) {
    add(found, {segment.log, segment.id.value, path, offset, ""}, error);
  };
  const auto check = [&]() -> Result<void> {
    DOCKET_ASSIGN(const bool exists, disk.exists(path));
    if (!exists) {
      found.push_back({segment.log, segment.id.value, path, 0,
                       "the index is missing; it is built anew when it is used", false, true});
      return {};
    }
    DOCKET_ASSIGN(const auto file, disk.open(path, OpenMode::read));
    DOCKET_ASSIGN(const std::uint64_t size, file->size());
    std::vector<std::byte> bytes(std::min<std::uint64_t>(size, index::header_bytes));
    DOCKET_TRY(file->read_at(FileOffset(0), bytes));
    DOCKET_ASSIGN(const index::Header header, index::parse_header(bytes, size));
    if (header.segment != segment.id || header.digest != segment.digest) {
      return fail(ErrorCode::corrupt, "it is the index of another segment");
    }
    bytes.resize(header.sections * index::section_entry_bytes);
    DOCKET_TRY(file->read_at(FileOffset(index::header_bytes), bytes));
    DOCKET_ASSIGN(const auto table, index::parse_table(bytes, header));
    for (const index::SectionEntry& entry : table) {
      bytes.resize(entry.bytes);
      DOCKET_TRY(file->read_at(FileOffset(entry.offset), bytes));
      if (checksum64(bytes) != entry.checksum) {
        note(entry.offset, {ErrorCode::corrupt,
                            "a section of the index does not match its checksum; the index is "
                            "built anew when it is used",
                            0, 0, 0});
      }
    }
    return {};
  };
  if (const auto checked = check(); !checked) {
    note(checked.error().offset, checked.error());
  }
  return found;
}

}  // namespace docket::verify
