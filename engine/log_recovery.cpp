#include "engine/log_recovery.hpp"

#include <algorithm>
#include <ranges>

#include "engine/block.hpp"
#include "engine/footer.hpp"
#include "engine/limits.hpp"
#include "engine/segment_file.hpp"

namespace docket {

namespace {

struct SeqRange {
  Seq first;  // 0: nothing is known
  Seq end;    // one behind the last
};

// The seqs of a sealed file whose footer cannot be read, as far as its own header and those of its
// blocks tell. Error: io.
Result<SeqRange> seqs_by_headers(const File& file, SegmentId id) {
  constexpr std::size_t head_bytes_max =
      block_header_bytes + body_header_bytes + limits::block_sections_max * section_entry_bytes;
  DOCKET_ASSIGN(const std::uint64_t size, file.size());
  std::vector<std::byte> bytes(segment_header_bytes);
  if (const auto read = file.read_at(FileOffset(0), bytes); !read) {
    return read.error().code == ErrorCode::corrupt ? Result<SeqRange>(SeqRange{})
                                                   : fail(read.error());
  }
  const auto header = decode_segment_header(bytes);
  if (!header || header->id != id || header->kind != SegmentKind::sealed) {
    return SeqRange{};
  }
  SeqRange range{header->first_seq, header->first_seq};
  for (FileOffset at(segment_header_bytes); at.value < size;) {
    bytes.resize(std::min<std::uint64_t>(head_bytes_max, size - at.value));
    if (const auto read = file.read_at(at, bytes); !read) {
      if (read.error().code != ErrorCode::corrupt) {
        return fail(read.error());
      }
      break;
    }
    const auto block = decode_block_header(bytes);
    if (!block || block->segment != id || block->offset != at || block->first_seq < range.end) {
      break;
    }
    range.end = block->end_seq();
    at += block->block_bytes();
  }
  return range;
}

// Makes a manifest of what the segment files say, oldest first.
class ManifestRebuild {
 public:
  explicit ManifestRebuild(const std::string& log) { manifest_.log = log; }

  void add(SegmentInfo info, const ProducerTable& producers) {
    if (info.first_seq < manifest_.next_seq) {
      return;  // a leftover: its events stand in a segment already taken
    }
    go_on_at(info.first_seq, "no segment holds them");
    manifest_.next_seq = info.last_seq + 1;
    // It knows of everything sealed before it, but for what was forgotten on purpose.
    manifest_.producers = producers;
    manifest_.segments.push_back(std::move(info));
  }
  void lose(const SeqRange& range) {
    if (range.first.value == 0 || range.first < manifest_.next_seq) {
      return;
    }
    go_on_at(range.first, "no segment holds them");
    go_on_at(range.end, "the segment's footer is damaged");
  }
  Manifest take() { return std::move(manifest_); }

 private:
  // What comes before the oldest segment is taken to be retired; what is missing between two is a
  // gap.
  void go_on_at(Seq seq, const std::string& reason) {
    if (!begun_) {
      manifest_.retired_below = seq;
    } else if (seq > manifest_.next_seq) {
      add_gap(manifest_.gaps, {manifest_.log, manifest_.next_seq, seq - 1, reason});
    }
    begun_ = true;
    manifest_.next_seq = seq;
  }

  Manifest manifest_;
  bool begun_ = false;
};

Result<Manifest> rebuild_manifest(Disk& disk, const std::string& directory, const std::string& log,
                                  const LogFiles& files, std::vector<RecoveryNotice>& notices) {
  ManifestRebuild rebuild(log);
  for (const SegmentId id : files.sealed) {
    const std::string path = directory + "/" + segment_file_name(id, "seg");
    DOCKET_ASSIGN(const auto file, disk.open(path, OpenMode::read));
    DOCKET_ASSIGN(const bool is_astray, is_of_another(disk, directory, log, id));
    if (is_astray) {
      // What stood here, if anything did, is missing between its neighbours.
      notices.push_back({"damage_quarantined", path + ": its header is that of another file"});
      continue;
    }
    const auto loaded = load_footer(*file, id);
    if (!loaded) {
      if (loaded.error().code != ErrorCode::corrupt) {
        return fail(loaded.error());
      }
      notices.push_back({"damage_quarantined", path + ": " + loaded.error().describe()});
      // With its hot file still there nothing is lost.
      if (!std::binary_search(files.hot.begin(), files.hot.end(), id)) {
        DOCKET_ASSIGN(const SeqRange lost, seqs_by_headers(*file, id));
        rebuild.lose(lost);
      }
      continue;
    }
    const SegmentSummary& s = loaded->footer.summary;
    DOCKET_ASSIGN(const std::uint64_t bytes, file->size());
    rebuild.add({.log = log,
                 .id = id,
                 .first_seq = s.first_seq,
                 .last_seq = s.last_seq,
                 .rows = s.rows,
                 .ts_min = s.ts_min,
                 .ts_max = s.ts_max,
                 .received_max = s.received_max,
                 .bytes = bytes,
                 .sealed = true,
                 .digest = loaded->digest,
                 .path = path},
                loaded->footer.producers);
  }
  return rebuild.take();
}

}  // namespace

void add_gap(std::vector<Gap>& gaps, Gap gap) {
  if (gap.first_seq > gap.last_seq || std::find_if(gaps.begin(), gaps.end(), [&gap](const Gap& g) {
                                        return g.first_seq <= gap.first_seq &&
                                               g.last_seq >= gap.last_seq;
                                      }) != gaps.end()) {
    return;
  }
  gaps.push_back(std::move(gap));
  std::sort(gaps.begin(), gaps.end());
}

Result<LogFiles> list_log_files(Disk& disk, const std::string& directory) {
  LogFiles files;
  DOCKET_ASSIGN(const auto entries, disk.list(directory));
  for (const DirectoryEntry& entry : entries) {
    if (entry.name.ends_with(".tmp")) {
      files.temporary.push_back(entry.name);
      continue;
    }
    const auto name = parse_segment_file_name(entry.name);
    if (!name) {
      continue;
    }
    files.highest = std::max(files.highest, name->id);
    if (name->extension == "hot") {
      files.hot.push_back(name->id);
    } else if (name->extension == "seg") {
      files.sealed.push_back(name->id);
    } else if (name->extension == "idx") {
      files.indexes.push_back(name->id);
    } else if (name->extension == prepared_extension) {
      files.prepared.push_back(name->id);
    }
  }
  std::sort(files.hot.begin(), files.hot.end());
  std::sort(files.sealed.begin(), files.sealed.end());
  std::sort(files.prepared.begin(), files.prepared.end());
  return files;
}

void catch_up(Manifest& manifest, const LogFiles& files, const ListedLog& listed) {
  manifest.reserved = std::max(manifest.reserved, listed.reserved);
  if (manifest.next_segment > listed.begun) {
    return;  // it was written before the list
  }
  const auto name_missing = [&manifest](SegmentId id) {
    if (id.value != 0 && std::ranges::find(manifest.unsealed, id) == manifest.unsealed.end()) {
      manifest.unsealed.push_back(id);
    }
  };
  // Where the last one has begun, it says itself at which seq. Where it was only prepared, the one
  // before it was being written to.
  if (std::ranges::binary_search(files.prepared, listed.begun)) {
    const SegmentId before = listed.begun - 1;
    if (!std::ranges::binary_search(files.sealed, before) &&
        !std::ranges::binary_search(files.hot, before)) {
      name_missing(before);
    }
  } else if (!std::ranges::binary_search(files.sealed, listed.begun) &&
             !std::ranges::binary_search(files.hot, listed.begun)) {
    name_missing(listed.begun);
  }
  std::ranges::sort(manifest.unsealed);
  manifest.next_segment = listed.begun + 1;
  if (manifest.segments.empty() && files.hot.empty()) {
    manifest.next_seq = std::max(manifest.next_seq, listed.oldest);
    manifest.retired_below = std::max(manifest.retired_below, listed.oldest);
  }
}

std::vector<SegmentId> missing_unsealed(const Manifest& manifest, const LogFiles& files) {
  std::vector<SegmentId> missing = manifest.unsealed;
  std::erase_if(missing, [&files](SegmentId id) {
    return std::ranges::binary_search(files.hot, id) ||
           std::ranges::binary_search(files.prepared, id);
  });
  return missing;
}

Gap gap_of_missing(const Manifest& manifest, const LogFiles& files, Seq next) {
  const bool nothing_is_there = files.highest.value == 0;
  return {manifest.log, next, std::max(manifest.reserved, next) - 1,
          std::string(nothing_is_there ? "the files of the log are missing"
                                       : "the file of the segment is missing") +
              "; at most these seqs were given"};
}

Seq behind_gaps(const std::vector<Gap>& gaps, Seq next) {
  for (const Gap& gap : gaps) {
    if (gap.first_seq <= next && gap.last_seq >= next) {
      next = gap.last_seq + 1;
    }
  }
  return next;
}

Seq before_gaps(const std::vector<Gap>& gaps, Seq proven) {
  for (const Gap& gap : gaps | std::views::reverse) {
    if (gap.first_seq <= proven && gap.last_seq >= proven) {
      proven = gap.first_seq - 1;
    }
  }
  return proven;
}

bool holds_nothing(const HotScan& scan) {
  return scan.header_damaged && scan.end.value == segment_header_bytes &&
         scan.torn_end == scan.end && scan.damage.empty();
}

Result<LoadedManifest> load_or_rebuild_manifest(Disk& disk, const std::string& directory,
                                                const std::string& log, const LogFiles& files,
                                                std::vector<RecoveryNotice>& notices) {
  std::vector<std::string> damaged;
  auto loaded = load_manifest(disk, directory, log, damaged);
  for (const std::string& path : damaged) {
    notices.push_back({"damage_quarantined", path + ": manifest copy is damaged"});
  }
  if (loaded) {
    for (Gap& gap : loaded->manifest.gaps) {
      gap.log = log;
    }
    return loaded;
  }
  if (loaded.error().code != ErrorCode::not_found && loaded.error().code != ErrorCode::corrupt) {
    return loaded;
  }
  DOCKET_ASSIGN(Manifest rebuilt, rebuild_manifest(disk, directory, log, files, notices));
  if (!rebuilt.segments.empty() || !damaged.empty()) {
    notices.push_back(
        {"damage_quarantined", directory + ": no manifest was readable; rebuilt from " +
                                   std::to_string(rebuilt.segments.size()) + " segments"});
  }
  return LoadedManifest{std::move(rebuilt), false};
}

Result<bool> is_of_another(Disk& disk, const std::string& directory, std::string_view log,
                           SegmentId id) {
  DOCKET_ASSIGN(const auto file,
                disk.open(directory + "/" + segment_file_name(id, "seg"), OpenMode::read));
  std::vector<std::byte> bytes(segment_header_bytes);
  if (const auto read = file->read_at(FileOffset(0), bytes); !read) {
    return read.error().code == ErrorCode::corrupt ? Result<bool>(false) : fail(read.error());
  }
  const auto header = decode_segment_header(bytes);
  return header && (header->log != log || header->id != id || header->kind != SegmentKind::sealed);
}

Result<std::optional<Seq>> first_seq_of_hot(Disk& disk, const std::string& directory,
                                            std::string_view log, SegmentId id) {
  DOCKET_ASSIGN(const auto file,
                disk.open(directory + "/" + segment_file_name(id, "hot"), OpenMode::read));
  std::vector<std::byte> bytes(segment_header_bytes);
  if (const auto read = file->read_at(FileOffset(0), bytes); !read) {
    return read.error().code == ErrorCode::corrupt ? Result<std::optional<Seq>>(std::nullopt)
                                                   : fail(read.error());
  }
  const auto header = decode_segment_header(bytes);
  const bool sound =
      header && header->log == log && header->id == id && header->kind == SegmentKind::active;
  return sound ? std::optional(header->first_seq) : std::nullopt;
}

HotBlockVisitor note_blocks(HotBlocks& blocks, ProducerTable& producers) {
  return [&blocks, &producers](const BlockHeader& header, const BlockSender& sender) {
    if (header.is_mark()) {
      return;
    }
    blocks.append(header);
    producers.stored({sender.node, header.producer_epoch, header.producer_batch, sender.shown},
                     header.first_seq, header.rows, header.received_max);
  };
}

Result<RecoveredHot> recover_hot(Disk& disk, SectionCache& cache, const HotFileToRecover& what,
                                 ProducerTable& producers, std::vector<Gap>& gaps) {
  const std::string path = what.directory + "/" + segment_file_name(what.id, "hot");
  DOCKET_ASSIGN(auto file, disk.open(path, OpenMode::read));
  // A killed process may have left blocks that can be read and are not durable. They are about to
  // be shown, and taken for stored when they are sent again.
  DOCKET_TRY(file->sync_data());
  Seq first_seq = what.next_seq;
  DOCKET_ASSIGN(const auto stated, first_seq_of_hot(disk, what.directory, what.log, what.id));
  if (stated && *stated > what.next_seq) {
    first_seq = *stated;
    add_gap(gaps, {what.log, what.next_seq, first_seq - 1, "no segment holds them"});
  }
  auto source = std::make_shared<const SegmentSource>(std::move(file), cache, what.id, path);
  RecoveredHot hot{what.id, first_seq, HotBlocks(source, what.log, first_seq), {}, path};
  DOCKET_ASSIGN(hot.scan, scan_hot_segment(source->file(), what.log, what.id,
                                           FileOffset(segment_header_bytes), first_seq, what.proven,
                                           note_blocks(hot.blocks, producers)));
  for (const DamagedRange& range : hot.scan.damage) {
    add_gap(gaps, {what.log, range.first_seq, range.last_seq, range.reason});
  }
  return hot;
}

std::vector<SegmentInfo> present_segments(const Manifest& manifest, const std::string& directory,
                                          const LogFiles& files, std::vector<Gap>& gaps) {
  std::vector<SegmentInfo> present;
  for (SegmentInfo info : manifest.segments) {
    if (!std::binary_search(files.sealed.begin(), files.sealed.end(), info.id)) {
      add_gap(gaps, {manifest.log, info.first_seq, info.last_seq, "segment file is missing"});
      continue;
    }
    info.log = manifest.log;
    info.path = directory + "/" + segment_file_name(info.id, "seg");
    present.push_back(std::move(info));
  }
  return present;
}

}  // namespace docket
