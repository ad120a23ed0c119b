// What a log's directory holds after whatever happened to it.
//
// Used by the server, which then puts things right, and by readers of another process's directory,
// which only look.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/disk.hpp"
#include "engine/hot_scan.hpp"
#include "engine/hot_segment.hpp"
#include "engine/log_list.hpp"
#include "engine/manifest.hpp"
#include "engine/section_cache.hpp"

namespace docket {

struct RecoveryNotice {
  std::string kind;  // as StoreObserver::notice names it
  std::string detail;
};

// The segment files of a log's directory, by id and extension.
struct LogFiles {
  std::vector<SegmentId> hot;       // ascending
  std::vector<SegmentId> sealed;    // ascending
  std::vector<SegmentId> prepared;  // ascending; no events in them
  std::vector<SegmentId> indexes;
  std::vector<std::string> temporary;  // names
  SegmentId highest;                   // of any file, also of those set aside
};
[[nodiscard]] Result<LogFiles> list_log_files(Disk& disk, const std::string& directory);

// Brings a manifest up to what the store's list of logs knows, where it is older than it should be:
// its copies, or the whole directory, are lost, or others have been put in their place.
void catch_up(Manifest& manifest, const LogFiles& files, const ListedLog& listed);

// The segments that the manifest names as unsealed and that have no file; ascending.
[[nodiscard]] std::vector<SegmentId> missing_unsealed(const Manifest& manifest,
                                                      const LogFiles& files);

// The gap behind the last file that is there, where `next` is the seq to go on with, up to what was
// reserved. It is empty where all that was reserved is there.
[[nodiscard]] Gap gap_of_missing(const Manifest& manifest, const LogFiles& files, Seq next);

// The seq to go on with where `next` would be: behind the gap that it is in, if any.
[[nodiscard]] Seq behind_gaps(const std::vector<Gap>& gaps, Seq next);
// The highest seq up to `proven` that is in no gap: what files can be expected to hold.
[[nodiscard]] Seq before_gaps(const std::vector<Gap>& gaps, Seq proven);

// Whether a hot file is only a name: nothing of what once made it a segment can be read.
[[nodiscard]] bool holds_nothing(const HotScan& scan);

// Whether the header of a sealed file is that of another log's file, or of another segment's: it
// was put here by a mistake, or by a write that went astray. One that cannot be read says nothing.
// Error: io.
[[nodiscard]] Result<bool> is_of_another(Disk& disk, const std::string& directory,
                                         std::string_view log, SegmentId id);

// The manifest, or one rebuilt from the footers where no copy is readable. Errors: io,
// newer_format. `notices` says what was damaged. Files of another log count as damaged.
[[nodiscard]] Result<LoadedManifest> load_or_rebuild_manifest(Disk& disk,
                                                              const std::string& directory,
                                                              const std::string& log,
                                                              const LogFiles& files,
                                                              std::vector<RecoveryNotice>& notices);

// Adds `gap` in its order, unless it is empty or one of `gaps` covers it.
void add_gap(std::vector<Gap>& gaps, Gap gap);

// The first seq of a hot file, as its header says; nullopt where that cannot be read, or
// is another file's. A file whose
// first seq is below all that is not sealed is only a leftover. One that exists proves that every
// seq before its first had been synced when it was made.
[[nodiscard]] Result<std::optional<Seq>> first_seq_of_hot(Disk& disk, const std::string& directory,
                                                          std::string_view log, SegmentId id);

// A hot file that has been scanned.
struct RecoveredHot {
  SegmentId id;
  Seq first_seq;
  HotBlocks blocks;
  HotScan scan;
  std::string path;
};
// What is known of the hot file to recover.
struct HotFileToRecover {
  std::string directory;
  std::string log;
  SegmentId id;
  Seq next_seq;  // what the log expects; missing seqs become gaps
  Seq proven;    // every seq up to it is known to have been synced; 0: nothing is
};
// Scans a hot file. `producers` is brought up to date.
[[nodiscard]] Result<RecoveredHot> recover_hot(Disk& disk, SectionCache& cache,
                                               const HotFileToRecover& what,
                                               ProducerTable& producers, std::vector<Gap>& gaps);

// Tells `blocks` and `producers` of each block found.
[[nodiscard]] HotBlockVisitor note_blocks(HotBlocks& blocks, ProducerTable& producers);

// The sealed segments of the manifest whose files are there; the others become gaps.
[[nodiscard]] std::vector<SegmentInfo> present_segments(const Manifest& manifest,
                                                        const std::string& directory,
                                                        const LogFiles& files,
                                                        std::vector<Gap>& gaps);

}  // namespace docket
