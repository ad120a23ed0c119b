// WritableLog::open: recovery by the one process that owns the directory.
//
// In this order, so that a crash at any point leaves something this same code puts right:
//   0  what a killed process has left unsynced becomes durable: names here, each hot file at 4.
//      Nothing is concluded from what a power loss could still take back
//   1  temporary files go; the manifest is loaded or rebuilt
//   2  sealed files that the manifest does not list go: their hot file is still there, or they are
//      retired; what may be evidence, or another log's, is set aside instead. Before that both
//      copies of the manifest are written where they are not there, whole and the same: what goes
//      may be all that tells what a rebuilt one says, and an older one may list it
//   3  hot files that the manifest lists as sealed go
//   4  the other hot files are scanned; torn tails are copied aside, then zeroed; the last group is
//      written once more
//   5  the manifest is saved where anything was learnt; then prepared files go that it does not
//   name
#include <algorithm>
#include <ranges>

#include "engine/footer.hpp"
#include "engine/limits.hpp"
#include "engine/log_recovery.hpp"
#include "engine/quarantine.hpp"
#include "engine/timestamp.hpp"
#include "engine/writable_log.hpp"

namespace docket {

namespace {

constexpr std::size_t copy_step_bytes = std::size_t{1} << 20;
// More than that is no commit group; the file is set aside as it is.
constexpr std::uint64_t torn_bytes_max = std::uint64_t{64} << 20;

}  // namespace

class WritableLog::Recovery {
 public:
  Recovery(WritableLog& log, const ListedLog* listed)
      : log_(log), disk_(*log.context_.disk), listed_(listed) {}

  Result<void> run() {
    DOCKET_TRY(disk_.make_directories(log_.directory_));
    DOCKET_TRY(disk_.sync_directory(log_.directory_));
    DOCKET_ASSIGN(files_, list_log_files(disk_, log_.directory_));
    for (const std::string& name : files_.temporary) {
      DOCKET_TRY(disk_.unlink(log_.directory_ + "/" + name));
    }
    DOCKET_ASSIGN(LoadedManifest loaded,
                  load_or_rebuild_manifest(disk_, log_.directory_, log_.name_, files_, notices_));
    manifest_ = std::move(loaded.manifest);
    learnt_ = !loaded.is_in_both_copies;
    take_what_is_listed();
    if (manifest_.next_segment <= files_.highest) {
      manifest_.next_segment = files_.highest + 1;
      learnt_ = true;
    }
    DOCKET_TRY(settle_sealed());
    DOCKET_TRY(settle_hot());
    DOCKET_TRY(settle_prepared());
    DOCKET_TRY(finish());
    for (const RecoveryNotice& n : notices_) {
      log_.notice(n.kind, n.detail);
    }
    return {};
  }

 private:
  [[nodiscard]] std::string path_of(SegmentId id, std::string_view extension) const {
    return log_.directory_ + "/" + segment_file_name(id, extension);
  }
  [[nodiscard]] bool is_listed(SegmentId id) const {
    return std::any_of(manifest_.segments.begin(), manifest_.segments.end(),
                       [id](const SegmentInfo& info) { return info.id == id; });
  }

  // What may be given is what both say: a crash may have come between the two.
  void take_what_is_listed() {
    if (listed_ == nullptr) {
      return;
    }
    log_.reserved_ = std::min(manifest_.reserved, listed_->reserved).value;
    log_.listed_segment_ = listed_->begun;
    const bool is_told = manifest_.generation == 0 && files_.highest.value != 0;  // it is rebuilt
    if (manifest_.next_segment <= listed_->begun && !is_told) {
      notices_.push_back({"damage_quarantined",
                          log_.directory_ + ": is not what the store's list of logs says it was"});
      learnt_ = true;
    }
    catch_up(manifest_, files_, *listed_);
  }

  // Before anything is moved, cut or left out. False: there is no room for it, on the disk or in
  // the file.
  Result<bool> try_record(QuarantineRecord record) {
    record.time = now_ns();
    const auto recorded = record_quarantine(disk_, log_.directory_, record);
    const bool no_room = !recorded && (recorded.error().code == ErrorCode::no_space ||
                                       recorded.error().code == ErrorCode::overloaded);
    return recorded || no_room ? Result<bool>(!no_room) : fail(recorded.error());
  }
  // Without room the log opens without the record: gap and notices say what is missing all the
  // same.
  Result<void> record(const QuarantineRecord& record) {
    DOCKET_ASSIGN(const bool recorded, try_record(record));
    if (!recorded) {
      notices_.push_back({"damage_quarantined", log_.directory_ + "/" + record.file +
                                                    ": there was no room to record it"});
    }
    return {};
  }
  // A whole file that becomes `kept`, or is not there.
  Result<void> record_file(const std::string& file, const std::string& kept, std::uint64_t bytes,
                           Seq first, Seq last, const std::string& reason) {
    return record({.file = file,
                   .kept = kept,
                   .bytes = bytes,
                   .first_seq = first,
                   .last_seq = last,
                   .reason = reason});
  }
  Result<bool> is_recorded(const std::string& file, const std::string& kept) {
    const auto quarantine = read_quarantine(disk_, log_.directory_);
    if (!quarantine) {
      return quarantine.error().code == ErrorCode::corrupt ? Result<bool>(false)
                                                           : fail(quarantine.error());
    }
    return std::ranges::any_of(quarantine->records, [&](const QuarantineRecord& record) {
      return record.file == file && record.kept == kept;
    });
  }
  Result<std::uint64_t> bytes_of(const std::string& path) {
    DOCKET_ASSIGN(const auto file, disk_.open(path, OpenMode::read));
    return file->size();
  }

  Result<void> settle_sealed() {
    const std::size_t listed = manifest_.segments.size();
    const std::size_t gaps = manifest_.gaps.size();
    for (const SegmentInfo& info : manifest_.segments) {
      if (!std::binary_search(files_.sealed.begin(), files_.sealed.end(), info.id)) {
        DOCKET_TRY(record_file(segment_file_name(info.id, "seg"), "", info.bytes, info.first_seq,
                               info.last_seq, "segment file is missing"));
      }
    }
    manifest_.segments = present_segments(manifest_, log_.directory_, files_, manifest_.gaps);
    if (manifest_.segments.size() != listed || manifest_.gaps.size() != gaps) {
      learnt_ = true;
      notices_.push_back({"damage_quarantined", "segment files are missing"});
    }
    DOCKET_ASSIGN(const std::vector<Unlisted> unlisted, record_unlisted());
    // From here on files go, or change their names.
    DOCKET_TRY(save_what_is_learnt());
    for (const auto& [id, reason] : unlisted) {
      if (reason.empty()) {
        DOCKET_TRY(disk_.unlink(path_of(id, "seg")));
      } else {
        DOCKET_TRY(disk_.rename(path_of(id, "seg"), path_of(id, "seg.unlisted")));
        notices_.push_back({"damage_quarantined", path_of(id, "seg") + ": " + reason});
      }
      changed_ = true;
    }
    for (const SegmentId id : files_.indexes) {
      if (!is_listed(id)) {
        DOCKET_TRY(disk_.unlink(path_of(id, "idx")));
        changed_ = true;
      }
    }
    return {};
  }

  // A sealed file that the manifest does not list, and why it is to be set aside; empty: it goes.
  struct Unlisted {
    SegmentId id;
    std::string reason;
  };
  Result<std::vector<Unlisted>> record_unlisted() {
    std::vector<Unlisted> unlisted;
    for (const SegmentId id : files_.sealed) {
      if (is_listed(id)) {
        continue;
      }
      const bool has_hot = std::binary_search(files_.hot.begin(), files_.hot.end(), id);
      DOCKET_ASSIGN(const bool retired, is_retired(id));
      DOCKET_ASSIGN(const bool is_astray, is_of_another(disk_, log_.directory_, log_.name_, id));
      if (!is_astray && (has_hot || retired)) {
        unlisted.push_back({id, ""});
        continue;
      }
      // Neither the manifest nor a hot file knows it, or it is another log's: evidence, not ours to
      // remove.
      unlisted.push_back(
          {id, is_astray ? "its header is that of another file" : "not in the manifest"});
      DOCKET_ASSIGN(const std::uint64_t bytes, bytes_of(path_of(id, "seg")));
      DOCKET_TRY(record_file(segment_file_name(id, "seg"), segment_file_name(id, "seg.unlisted"),
                             bytes, Seq(1), Seq(0), unlisted.back().reason));
    }
    return unlisted;
  }

  Result<bool> is_retired(SegmentId id) {
    DOCKET_ASSIGN(const auto file, disk_.open(path_of(id, "seg"), OpenMode::read));
    const auto loaded = load_footer(*file, id);
    if (!loaded) {
      // A read that fails says nothing about the file.
      return loaded.error().code == ErrorCode::corrupt ? Result<bool>(false) : fail(loaded.error());
    }
    return loaded->footer.summary.last_seq < manifest_.retired_below;
  }

  Result<void> settle_hot() {
    ProducerTable& producers = log_.producers_;
    producers = manifest_.producers;
    Seq next = manifest_.next_seq;
    std::vector<std::optional<Seq>> first_seqs;
    for (const SegmentId id : files_.hot) {
      DOCKET_ASSIGN(const auto first, first_seq_of_hot(disk_, log_.directory_, log_.name_, id));
      first_seqs.push_back(first);
    }
    std::vector<SegmentId> missing = missing_unsealed(manifest_, files_);
    for (std::size_t i = 0; i < files_.hot.size(); ++i) {
      const SegmentId id = files_.hot[i];
      if (is_listed(id) || (first_seqs[i] && *first_seqs[i] < manifest_.next_seq)) {
        DOCKET_TRY(remove_sealed_hot(id, first_seqs[i]));
        continue;
      }
      const auto is_before = [id](SegmentId each) { return each < id; };
      if (first_seqs[i]) {
        DOCKET_TRY(record_missing(missing | std::views::filter(is_before), next, *first_seqs[i]));
      }
      const Seq proven = before_gaps(manifest_.gaps, i + 1 < first_seqs.size()
                                                         ? first_seqs[i + 1].value_or(Seq(1)) - 1
                                                         : manifest_.proven);
      const std::size_t gaps = manifest_.gaps.size();
      DOCKET_ASSIGN(RecoveredHot hot, recover_hot(disk_, *log_.context_.cache,
                                                  {log_.directory_, log_.name_, id, next, proven},
                                                  producers, manifest_.gaps));
      for (std::size_t g = gaps; g < manifest_.gaps.size(); ++g) {
        learnt_ = true;
      }
      for (const DamagedRange& range : hot.scan.damage) {
        notices_.push_back(
            {"damage_quarantined", path_of(id, "hot") + ": seqs " +
                                       std::to_string(range.first_seq.value) + " to " +
                                       std::to_string(range.last_seq.value) + ": " + range.reason});
      }
      if (holds_nothing(hot.scan)) {
        DOCKET_TRY(put_away_empty(hot, missing));
        continue;
      }
      std::erase_if(missing, is_before);
      DOCKET_TRY(record_damage(hot));
      DOCKET_ASSIGN(const bool clean, cut_torn_tail(hot));
      DOCKET_TRY(write_again(hot));
      next = std::max(next, hot.scan.next_seq);
      // Behind what is missing another segment begins: in one file seqs run on.
      const bool may_go_on = clean && i + 1 == files_.hot.size() && missing.empty() &&
                             next > manifest_.proven && behind_gaps(manifest_.gaps, next) == next;
      DOCKET_TRY(place_hot(std::move(hot), may_go_on, clean));
    }
    next = behind_gaps(manifest_.gaps, next);
    if (const Gap gap = gap_of_missing(manifest_, files_, next);
        !missing.empty() && gap.first_seq <= gap.last_seq) {
      DOCKET_TRY(record_missing(missing, gap.first_seq, gap.last_seq + 1));
      add_gap(manifest_.gaps, gap);
      next = gap.last_seq + 1;
      learnt_ = true;
    }
    if (next <= manifest_.proven) {
      add_gap(manifest_.gaps, {log_.name_, next, manifest_.proven, "no file holds them"});
      notices_.push_back({"damage_quarantined", "seqs " + std::to_string(next.value) + " to " +
                                                    std::to_string(manifest_.proven.value) +
                                                    ": no file holds them"});
      next = manifest_.proven + 1;
      learnt_ = true;
    }
    log_.next_seq_ = next;
    log_.next_segment_ = manifest_.next_segment;
    return {};
  }

  // Hot files that are not there, and the seqs that were in one or other of them.
  Result<void> record_missing(std::ranges::input_range auto&& ids, Seq first, Seq end) {
    for (const SegmentId id : ids) {
      if (first < end) {
        DOCKET_TRY(record_file(segment_file_name(id, "hot"), "", 0, first, end - 1,
                               "segment file is missing"));
        notices_.push_back({"damage_quarantined", path_of(id, "hot") + ": is missing; seqs " +
                                                      std::to_string(first.value) + " to " +
                                                      std::to_string(end.value - 1) +
                                                      " are not in any file"});
      }
    }
    return {};
  }

  // A hot file of which nothing can be read. What the manifest names had been a segment; else it
  // never came to be one, and there was never anything in it.
  Result<void> put_away_empty(const RecoveredHot& hot, std::vector<SegmentId>& missing) {
    changed_ = true;
    if (std::ranges::find(manifest_.unsealed, hot.id) == manifest_.unsealed.end()) {
      return disk_.unlink(hot.path);
    }
    missing.push_back(hot.id);
    const std::string file = segment_file_name(hot.id, "hot");
    DOCKET_TRY(record_file(file, file + ".damaged", hot.scan.file_bytes, Seq(1), Seq(0),
                           "nothing of it can be read"));
    return disk_.rename(hot.path, hot.path + ".damaged");
  }

  // Of the prepared files that the manifest names the last is taken; the others go once it no
  // longer names them.
  Result<void> settle_prepared() {
    for (auto id = files_.prepared.rbegin(); id != files_.prepared.rend(); ++id) {
      const bool is_named = std::ranges::find(manifest_.unsealed, *id) != manifest_.unsealed.end();
      if (is_named && !log_.prepared_) {
        auto prepared = ActiveSegment::take_prepared(disk_, log_.directory_, log_.name_, *id);
        if (prepared) {
          log_.prepared_ = *std::move(prepared);
          continue;
        }
        if (prepared.error().code != ErrorCode::corrupt) {
          return fail(prepared.error());
        }
      }
      needless_.push_back(path_of(*id, prepared_extension));
    }
    std::vector<SegmentId> unsealed;
    for (const Frozen& frozen : log_.frozen_) {
      unsealed.push_back(frozen.id);
    }
    if (log_.active_) {
      unsealed.push_back(log_.active_->id());
    }
    if (log_.prepared_) {
      unsealed.push_back(log_.prepared_->id());
    }
    std::ranges::sort(unsealed);
    learnt_ = learnt_ || unsealed != manifest_.unsealed;
    manifest_.unsealed = std::move(unsealed);
    return {};
  }

  // What is damaged in a hot file, which is kept as a whole once the rest of it is sealed.
  Result<void> record_damage(const RecoveredHot& hot) {
    const std::string file = segment_file_name(hot.id, "hot");
    if (hot.scan.header_damaged) {
      DOCKET_TRY(record_file(file, file + ".damaged", segment_header_bytes, Seq(1), Seq(0),
                             "segment header is damaged"));
    }
    for (const DamagedRange& range : hot.scan.damage) {
      DOCKET_TRY(record({.file = file,
                         .kept = file + ".damaged",
                         .offset = range.begin.value,
                         .bytes = range.end - range.begin,
                         .first_seq = range.first_seq,
                         .last_seq = range.last_seq,
                         .reason = range.reason}));
    }
    return {};
  }

  // What was written but never acknowledged is copied aside, then zeroed, so that it can never be
  // taken for a part of what is written next. False: it could not be copied; the file must not be
  // written to any more.
  Result<bool> cut_torn_tail(const RecoveredHot& hot) {
    const std::uint64_t bytes = hot.scan.torn_end - hot.scan.end;
    if (bytes == 0) {
      return true;
    }
    const std::string hot_name = segment_file_name(hot.id, "hot");
    const auto record_tail = [&](const std::string& kept) {
      return try_record({.file = hot_name,
                         .kept = kept,
                         .offset = hot.scan.end.value,
                         .bytes = bytes,
                         .first_seq = Seq(1),
                         .last_seq = Seq(0),
                         .reason = "never acknowledged: a torn tail"});
    };
    if (bytes > torn_bytes_max) {
      DOCKET_TRY(record_tail(hot_name + ".damaged"));
      return false;
    }
    DOCKET_ASSIGN(const auto file, disk_.open(hot.path, OpenMode::read_write));
    std::vector<std::byte> tail(bytes);
    if (const auto read = file->read_at(hot.scan.end, tail); !read) {
      return read.error().code == ErrorCode::corrupt ? Result<bool>(false) : fail(read.error());
    }
    const std::string aside = hot.path + ".torn-" + std::to_string(hot.scan.end.value);
    if (const auto copied = replace_file(disk_, aside, tail); !copied) {
      return copied.error().code == ErrorCode::no_space ? Result<bool>(false)
                                                        : fail(copied.error());
    }
    // No damage, and its copy says by its name what it is: with a full disk it goes without.
    DOCKET_TRY(record_tail(hot_name + ".torn-" + std::to_string(hot.scan.end.value)));
    std::fill(tail.begin(), tail.end(), std::byte{0});
    const std::span<const std::byte> zeros(tail);
    DOCKET_TRY(file->write_at(hot.scan.end, std::span(&zeros, 1)));
    DOCKET_TRY(file->sync_data());
    notices_.push_back({"torn_tail_cut", std::to_string(bytes) + " bytes behind seq " +
                                             std::to_string(hot.scan.next_seq.value - 1) +
                                             " were never acknowledged; kept in " + aside});
    return true;
  }

  // A sync that failed may have left pages in memory that can be read, are taken for clean, and
  // were never written; the sync of recover_hot() says nothing about them. So the blocks that no
  // later one vouches for, those of the last group, are written once more, as they are.
  Result<void> write_again(const RecoveredHot& hot) {
    const auto file = disk_.open(hot.path, OpenMode::read_write);
    if (!file) {
      return fail(file.error());
    }
    std::vector<std::byte> bytes(copy_step_bytes);
    // What is damaged at the end may have been cut off.
    const FileOffset end(std::min(hot.scan.end.value, hot.scan.file_bytes));
    for (FileOffset at = hot.scan.durable_end; at < end;) {
      const auto step = std::span(bytes).first(std::min<std::uint64_t>(bytes.size(), end - at));
      DOCKET_TRY((*file)->read_at(at, step));
      const std::span<const std::byte> part(step);
      DOCKET_TRY((*file)->write_at(at, std::span(&part, 1)));
      at += step.size();
    }
    return (*file)->sync_data();
  }

  // A hot file whose events the manifest says are sealed. Where that sealed file is lost, this may
  // be the only copy of them.
  Result<void> remove_sealed_hot(SegmentId id, std::optional<Seq> first_seq) {
    changed_ = true;
    const std::string file = segment_file_name(id, "hot");
    const std::string kept = segment_file_name(id, "hot.damaged");
    const bool is_needless = is_listed(id) || (first_seq && *first_seq < manifest_.retired_below);
    if (is_needless) {
      // Sealing keeps a file in which it has met damage; it may not have come so far.
      DOCKET_ASSIGN(const bool is_evidence, is_recorded(file, kept));
      return is_evidence ? disk_.rename(path_of(id, "hot"), path_of(id, "hot.damaged"))
                         : disk_.unlink(path_of(id, "hot"));
    }
    DOCKET_ASSIGN(const std::uint64_t bytes, bytes_of(path_of(id, "hot")));
    DOCKET_TRY(
        record_file(file, kept, bytes, Seq(1), Seq(0), "the manifest says that it is sealed"));
    return disk_.rename(path_of(id, "hot"), path_of(id, "hot.damaged"));
  }

  // The last hot segment goes on being written to when nothing is wrong with it; the others wait to
  // be sealed.
  Result<void> place_hot(RecoveredHot hot, bool may_go_on, bool clean) {
    const bool sound = clean && hot.scan.damage.empty() && !hot.scan.header_damaged;
    const std::uint64_t bytes = hot.scan.data_end.value;
    if (may_go_on && sound && bytes < log_.options_.segment_bytes &&
        hot.blocks.rows() < log_.options_.segment_rows &&
        hot.scan.strings_bytes < limits::segment_strings_bytes_max) {
      DOCKET_ASSIGN(log_.active_, ActiveSegment::resume(disk_, log_.directory_, hot.id, hot.scan));
      log_.active_since_ = std::chrono::steady_clock::now();
      log_.active_bytes_ = bytes;
      log_.active_strings_bytes_ = hot.scan.strings_bytes;
      log_.active_blocks_.emplace(std::move(hot.blocks));
      if (hot.scan.durable_seq + 1 < hot.scan.next_seq) {
        log_.mark_due_ = log_.active_since_;
      }
      return {};
    }
    auto reader = hot.blocks.reader(bytes);
    log_.frozen_.push_back({hot.id, std::move(hot.blocks), std::move(reader), log_.producers_,
                            bytes, hot.scan.next_seq, !sound});
    return {};
  }

  // On a full disk it is learnt again at the next start, or saved with the next edit.
  Result<void> save_what_is_learnt() {
    if (!learnt_) {
      return {};
    }
    const auto saved = save_manifest(disk_, log_.directory_, manifest_);
    learnt_ = !saved;
    return saved || saved.error().code == ErrorCode::no_space ? Result<void>() : saved;
  }

  Result<void> finish() {
    if (changed_) {
      DOCKET_TRY(disk_.sync_directory(log_.directory_));
    }
    DOCKET_TRY(save_what_is_learnt());
    log_.is_manifest_saved_ = !learnt_;
    for (const std::string& path : learnt_ ? std::vector<std::string>() : needless_) {
      DOCKET_TRY(disk_.unlink(path));
    }
    for (const SegmentInfo& info : manifest_.segments) {
      log_.sealed_.push_back(
          std::make_shared<const SealedSegment>(disk_, *log_.context_.cache, info));
    }
    log_.gaps_ = manifest_.gaps;
    log_.last_seq_ = log_.next_seq_ - 1;
    log_.manifest_ = std::move(manifest_);
    return {};
  }

  WritableLog& log_;
  Disk& disk_;
  const ListedLog* const listed_;
  LogFiles files_;
  Manifest manifest_;
  std::vector<RecoveryNotice> notices_;
  std::vector<std::string> needless_;  // prepared files
  bool learnt_ = false;                // the manifest has news to save
  bool changed_ = false;               // names in the directory have changed
};

Result<std::unique_ptr<WritableLog>> WritableLog::open(const LogContext& context,
                                                       const std::string& name,
                                                       const std::string& directory,
                                                       const LogOptions& options,
                                                       const ListedLog* listed) {
  std::unique_ptr<WritableLog> log(new WritableLog(context, name, directory, options));
  DOCKET_TRY(Recovery(*log, listed).run());
  log->committer_ = std::thread([raw = log.get()] { raw->run_committer(); });
  return log;
}

}  // namespace docket
