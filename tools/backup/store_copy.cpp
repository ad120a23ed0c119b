#include "tools/backup/store_copy.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "engine/event.hpp"
#include "engine/log_list.hpp"
#include "engine/log_recovery.hpp"
#include "engine/manifest.hpp"
#include "engine/section_cache.hpp"
#include "engine/segment_file.hpp"
#include "engine/store_layout.hpp"

namespace docket::backup {
namespace {

// The owner may seal and retire between our listing and our copying; then we look again.
constexpr int looks_max = 64;
constexpr std::size_t step_bytes = std::size_t{1} << 20;

// A log as it was at one moment. Its files may go away, but what is named here of them does not
// change:
//   - a sealed file never does;
//   - of a hot file the bytes up to `end`, as blocks are only added;
//   - the manifest is the one that lists just these files, so it is written anew.
struct LogImage {
  Manifest manifest;
  struct Hot {
    SegmentId id;
    std::uint64_t end = 0;
  };
  std::vector<Hot> hot;
  std::uint64_t events = 0;
};

class LogCopier {
 public:
  LogCopier(Disk& disk, std::string name, std::string from, std::string to, const Link& link,
            const ListedLog* listed, Copied& copied)
      : disk_(disk),
        name_(std::move(name)),
        from_(std::move(from)),
        to_(std::move(to)),
        link_(link),
        listed_(listed),
        copied_(copied) {}

  // What the copy's list of logs is to say of it.
  Result<ListedLog> run() {
    DOCKET_TRY(disk_.make_directories(to_));
    for (int look = 1;; ++look) {
      made_.clear();
      made_here_ = {};
      auto done = copy();
      if (done) {
        add_counts();
        DOCKET_TRY(disk_.sync_directory(to_));
        return *std::move(done);
      }
      const bool moved_on = done.error().code == ErrorCode::not_found;
      if (!moved_on) {
        return fail(done.error());
      }
      if (look == looks_max) {
        return fail(ErrorCode::busy, from_ + ": changes faster than it can be copied");
      }
      for (const std::string& path : made_) {
        DOCKET_TRY(disk_.unlink(path));
      }
    }
  }

 private:
  Result<ListedLog> copy() {
    DOCKET_ASSIGN(const LogImage image, look());
    made_here_.events = image.events;
    for (const SegmentInfo& info : image.manifest.segments) {
      if (std::ranges::find(lost_, info.id) == lost_.end()) {
        ++made_here_.segments;
        DOCKET_TRY(take(segment_file_name(info.id, "seg"), true));
        DOCKET_TRY(take_if_there(segment_file_name(info.id, "idx")));
      }
    }
    for (const LogImage::Hot& hot : image.hot) {
      ++made_here_.segments;
      DOCKET_TRY(copy_file(segment_file_name(hot.id, "hot"), hot.end));
    }
    DOCKET_TRY(copy_evidence());
    const std::vector<std::byte> manifest = encode_manifest(image.manifest);
    for (const char* name : {"/manifest.a", "/manifest.b"}) {
      DOCKET_TRY(replace_file(disk_, to_ + name, manifest));
    }
    return ListedLog{name_, image.manifest.next_segment - 1, image.manifest.retired_below,
                     image.manifest.reserved};
  }

  // Error: not_found, when the log has moved on meanwhile.
  Result<LogImage> look() {
    auto listing = list_log_files(disk_, from_);
    if (!listing && (listed_ == nullptr || listing.error().code != ErrorCode::not_found)) {
      return fail(listing.error());
    }
    const LogFiles files = listing ? *std::move(listing) : LogFiles{};
    std::vector<RecoveryNotice> notices;
    DOCKET_ASSIGN(LoadedManifest loaded,
                  load_or_rebuild_manifest(disk_, from_, name_, files, notices));
    LogImage image;
    image.manifest = std::move(loaded.manifest);
    if (listed_ != nullptr) {
      catch_up(image.manifest, files, *listed_);
    }
    DOCKET_TRY(find_lost(files, image.manifest));
    std::vector<Gap> gaps = image.manifest.gaps;
    ProducerTable producers = image.manifest.producers;
    Seq next = image.manifest.next_seq;
    for (const SegmentInfo& info : image.manifest.segments) {
      image.events += info.rows;
    }
    bool has_empty_hot = false;
    for (std::size_t i = 0; i < files.hot.size(); ++i) {
      const SegmentId id = files.hot[i];
      const bool is_sealed = std::ranges::find(image.manifest.segments, id, &SegmentInfo::id) !=
                             image.manifest.segments.end();
      DOCKET_ASSIGN(const auto first, first_seq_of_hot(disk_, from_, name_, id));
      if (is_sealed || (first && *first < image.manifest.next_seq)) {
        continue;  // a leftover
      }
      Seq proven;
      if (i + 1 < files.hot.size()) {
        DOCKET_ASSIGN(const auto behind, first_seq_of_hot(disk_, from_, name_, files.hot[i + 1]));
        proven = before_gaps(image.manifest.gaps, behind.value_or(Seq(1)) - 1);
      }
      DOCKET_ASSIGN(const RecoveredHot hot,
                    recover_hot(disk_, cache_, {from_, name_, id, next, proven}, producers, gaps));
      next = std::max(next, hot.scan.next_seq);
      has_empty_hot = has_empty_hot || holds_nothing(hot.scan);
      image.events += hot.blocks.rows();
      image.hot.push_back({id, hot.scan.end.value});
    }
    next = behind_gaps(gaps, next);
    // What is only prepared is not copied. Where nothing is lost, the copy gives the seqs behind
    // its last event; else it names the same gap as this one.
    std::erase_if(image.manifest.unsealed, [&files](SegmentId id) {
      return std::ranges::binary_search(files.prepared, id);
    });
    const bool is_whole = missing_unsealed(image.manifest, files).empty() && !has_empty_hot;
    image.manifest.next_segment = std::max(image.manifest.next_segment, files.highest + 1);
    image.manifest.reserved =
        std::max({next, image.manifest.proven + 1, is_whole ? next : image.manifest.reserved});
    return image;
  }

  // A file that is named and not there may have been made, sealed or retired since the listing.
  // What the same manifest lists twice is lost, in the copy as here.
  Result<void> find_lost(const LogFiles& files, const Manifest& manifest) {
    std::vector<SegmentId> missing;
    for (const SegmentInfo& info : manifest.segments) {
      if (!std::ranges::binary_search(files.sealed, info.id)) {
        missing.push_back(info.id);
      }
    }
    const bool is_known = missing_in_ == manifest.generation;
    missing_in_ = manifest.generation;
    lost_ = missing;
    return (missing.empty() && missing_unsealed(manifest, files).empty()) || is_known
               ? Result<void>()
               : fail(ErrorCode::not_found, from_ + ": a segment file is not there yet");
  }

  // What recovery has set aside, and what it wrote about that. Nothing of it changes but the list,
  // which is replaced whole.
  Result<void> copy_evidence() {
    const auto entries = disk_.list(from_);
    if (!entries) {
      // A log whose directory is lost has none; look() has seen that.
      return entries.error().code == ErrorCode::not_found ? Result<void>() : fail(entries.error());
    }
    for (const DirectoryEntry& entry : *entries) {
      const std::string_view name = entry.name;
      if (name.find(".hot.") != std::string_view::npos || name.ends_with(".unlisted")) {
        if (!name.ends_with(".tmp")) {
          DOCKET_TRY(take(entry.name, true));
        }
      } else if (name == "quarantine.txt") {
        DOCKET_TRY(copy_file(entry.name, std::nullopt));
      }
    }
    return {};
  }

  Result<void> take_if_there(const std::string& name) {
    DOCKET_ASSIGN(const bool is_there, disk_.exists(from_ + '/' + name));
    return is_there ? take(name, true) : Result<void>();
  }

  Result<void> take(const std::string& name, bool never_changes) {
    if (never_changes) {
      DOCKET_ASSIGN(const bool is_linked, link_(from_ + '/' + name, to_ + '/' + name));
      if (is_linked) {
        made_.push_back(to_ + '/' + name);
        ++made_here_.files_linked;
        return {};
      }
    }
    return copy_file(name, std::nullopt);
  }

  // `end`: no more than so many bytes of it.
  Result<void> copy_file(const std::string& name, std::optional<std::uint64_t> end) {
    DOCKET_ASSIGN(const auto source, disk_.open(from_ + '/' + name, OpenMode::read));
    DOCKET_ASSIGN(const std::uint64_t size, source->size());
    const std::uint64_t bytes = std::min(size, end.value_or(size));
    DOCKET_ASSIGN(const auto target, disk_.open(to_ + '/' + name, OpenMode::create));
    made_.push_back(to_ + '/' + name);
    std::vector<std::byte> buffer(std::min<std::uint64_t>(bytes, step_bytes));
    for (std::uint64_t at = 0; at < bytes;) {
      const auto part = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), bytes - at));
      DOCKET_TRY(source->read_at(FileOffset(at), part));
      const std::array<std::span<const std::byte>, 1> parts{part};
      DOCKET_TRY(target->write_at(FileOffset(at), parts));
      at += part.size();
    }
    DOCKET_TRY(target->sync_data());
    ++made_here_.files_copied;
    made_here_.bytes_copied += bytes;
    return {};
  }

  void add_counts() {
    ++copied_.logs;
    copied_.segments += made_here_.segments;
    copied_.events += made_here_.events;
    copied_.files_linked += made_here_.files_linked;
    copied_.files_copied += made_here_.files_copied;
    copied_.bytes_copied += made_here_.bytes_copied;
  }

  static constexpr std::size_t cache_bytes = std::size_t{8} << 20;

  Disk& disk_;
  SectionCache cache_{cache_bytes};
  const std::string name_;
  const std::string from_;
  const std::string to_;
  const Link& link_;
  const ListedLog* const listed_;
  Copied& copied_;
  Copied made_here_;                         // by the copy at hand
  std::vector<std::string> made_;            // its files
  std::vector<SegmentId> lost_;              // listed, and not there
  std::optional<std::uint64_t> missing_in_;  // the generation that lists what is not there
};

Result<void> check_is_new(Disk& disk, const std::string& to) {
  const auto entries = disk.list(to);
  if (!entries && entries.error().code != ErrorCode::not_found) {
    return fail(entries.error());
  }
  if (entries && !entries->empty()) {
    return fail(ErrorCode::exists, to + ": is not empty; a copy is made into a new directory");
  }
  return {};
}

}  // namespace

Result<bool> hard_link(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) == 0) {
    return true;
  }
  const int number = errno;
  if (number == EXDEV || number == EPERM || number == EMLINK || number == EOPNOTSUPP) {
    return false;
  }
  return number == ENOENT ? fail(ErrorCode::not_found, from + ": is not there")
                          : fail_errno("cannot link " + from + " to " + to, number);
}

Result<bool> no_link(const std::string&, const std::string&) {
  return false;
}

Result<Copied> copy_store(Disk& disk, const std::string& from, const std::string& to,
                          const Link& link, const std::function<void(std::uint64_t)>& show) {
  DOCKET_TRY(check_store_marker(disk, from));
  DOCKET_TRY(check_is_new(disk, to));
  Copied copied;
  DOCKET_TRY(disk.make_directories(logs_directory(to)));
  // Before the directories: whatever it names was there by then.
  DOCKET_ASSIGN(const LogList known, readable_log_list(disk, from));
  DOCKET_ASSIGN(const std::vector<DirectoryEntry> entries, disk.list(logs_directory(from)));
  std::set<std::string> logs;
  for (const DirectoryEntry& entry : entries) {
    if (entry.is_directory && is_log_name(entry.name)) {
      logs.insert(entry.name);
    }
  }
  for (const ListedLog& listed : known.logs) {
    logs.insert(listed.log);
  }
  LogList list;
  for (const std::string& log : logs) {
    LogCopier copier(disk, log, log_directory(from, log), log_directory(to, log), link,
                     known.find(log), copied);
    DOCKET_ASSIGN(const ListedLog listed, copier.run());
    list.put(listed);
    if (show) {
      show(copied.events);
    }
  }
  DOCKET_TRY(disk.sync_directory(logs_directory(to)));
  DOCKET_TRY(save_log_list(disk, to, list));
  DOCKET_TRY(write_store_marker(disk, to));
  return copied;
}

}  // namespace docket::backup
