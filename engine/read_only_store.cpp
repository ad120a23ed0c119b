#include "engine/read_only_store.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>

#include "engine/event.hpp"
#include "engine/log_list.hpp"
#include "engine/log_recovery.hpp"
#include "engine/retention.hpp"
#include "engine/sealed_segment.hpp"
#include "engine/store_layout.hpp"

namespace docket {

namespace {

// The owner may seal and retire between our listing and our opening; then we look again.
constexpr int attempts_max = 16;

class ReadOnlyLog : public Log {
 public:
  ReadOnlyLog(Disk& disk, SectionCache& cache, std::string name, std::string directory)
      : disk_(disk), cache_(cache), name_(std::move(name)), directory_(std::move(directory)) {}

  [[nodiscard]] const std::string& name() const override { return name_; }

  void submit(EncodedBatch, ProducerStamp, Nanos, Completion done) override {
    done(fail(ErrorCode::closed, "the store is open for reading only"));
  }
  [[nodiscard]] Result<void> seal() override {
    return fail(ErrorCode::closed, "the store is open for reading only");
  }

  [[nodiscard]] LogSnapshot snapshot() const override {
    const std::lock_guard lock(mutex_);
    return snapshot_;
  }

  [[nodiscard]] LogStats stats() const override {
    const std::lock_guard lock(mutex_);
    LogStats stats;
    stats.log = name_;
    stats.segments = snapshot_.segments.size();
    stats.first_seq = snapshot_.segments.empty() ? snapshot_.last_seq + 1
                                                 : snapshot_.segments.front()->info().first_seq;
    stats.last_seq = snapshot_.last_seq;
    stats.retired_events = manifest_.retired_events;
    for (const auto& segment : snapshot_.segments) {
      stats.events += segment->info().rows;
      stats.bytes += segment->info().sealed ? 0 : segment->info().bytes;
      stats.last_received = std::max(stats.last_received, segment->info().received_max);
    }
    for (const auto& [id, files] : sealed_file_bytes(disk_, directory_)) {
      stats.bytes += files.bytes;
      stats.index_bytes += files.index_bytes;
    }
    return stats;
  }

  [[nodiscard]] std::vector<ProducerState> producers() const override {
    const std::lock_guard lock(mutex_);
    return producers_.senders();
  }

  // Looks at the directory again. `listed` is what the store's list has said of it before; null:
  // nothing.
  Result<void> refresh(const ListedLog* listed) {
    const std::lock_guard lock(mutex_);
    for (int attempt = 1;; ++attempt) {
      auto looked = look(listed);
      const bool moved_on = !looked && looked.error().code == ErrorCode::not_found;
      if (!moved_on || attempt == attempts_max) {
        return looked;
      }
    }
  }

  [[nodiscard]] std::vector<RetentionCandidate> candidates() const {
    const std::lock_guard lock(mutex_);
    auto files = sealed_file_bytes(disk_, directory_);
    std::vector<RetentionCandidate> all;
    for (const auto& [id, segment] : sealed_) {
      all.push_back({name_, segment->info(), files[id].bytes});
    }
    return all;
  }

 private:
  // A hot file followed as it grows.
  struct Followed {
    Seq first_seq;
    HotBlocks blocks;
    HotScan scan;
    ProducerTable producers;  // as of its last block
  };

  Result<void> look(const ListedLog* listed) {
    auto listing = list_log_files(disk_, directory_);
    if (!listing && (listed == nullptr || listing.error().code != ErrorCode::not_found)) {
      return fail(listing.error());
    }
    const LogFiles files = listing ? *std::move(listing) : LogFiles{};
    std::vector<RecoveryNotice> notices;
    DOCKET_ASSIGN(LoadedManifest loaded,
                  load_or_rebuild_manifest(disk_, directory_, name_, files, notices));
    Manifest& manifest = loaded.manifest;
    if (listed != nullptr) {
      catch_up(manifest, files, *listed);
    }
    // A segment may have been prepared, begun or sealed since the listing. Only what the same
    // manifest names and a second listing does not show is missing.
    std::vector<SegmentId> missing = missing_unsealed(manifest, files);
    if ((!lists_all(files, manifest) || !missing.empty()) && missing_in_ != manifest.generation) {
      missing_in_ = manifest.generation;
      return fail(ErrorCode::not_found, directory_ + ": a segment file is not there yet");
    }
    const bool is_known = proven_in_ == manifest.generation;
    std::vector<Gap> gaps = manifest.gaps;
    LogSnapshot snapshot;
    snapshot.log = name_;
    std::map<SegmentId, std::shared_ptr<const SealedSegment>> sealed;
    for (const SegmentInfo& info : present_segments(manifest, directory_, files, gaps)) {
      const auto known = sealed_.find(info.id);
      const bool same = known != sealed_.end() && known->second->info().digest == info.digest;
      auto segment =
          same ? known->second : std::make_shared<const SealedSegment>(disk_, cache_, info);
      snapshot.segments.push_back(segment);
      sealed.emplace(info.id, std::move(segment));
    }
    ProducerTable producers = manifest.producers;
    Seq next = manifest.next_seq;
    std::map<SegmentId, Followed> followed;
    for (std::size_t i = 0; i < files.hot.size(); ++i) {
      const SegmentId id = files.hot[i];
      if (sealed.contains(id)) {
        continue;
      }
      if (!followed_.contains(id)) {
        DOCKET_ASSIGN(const auto first, first_seq_of_hot(disk_, directory_, name_, id));
        if (first && *first < manifest.next_seq) {
          continue;
        }
      }
      Seq proven = is_known ? manifest.proven : Seq(0);
      if (i + 1 < files.hot.size()) {
        DOCKET_ASSIGN(const auto first,
                      first_seq_of_hot(disk_, directory_, name_, files.hot[i + 1]));
        proven = first.value_or(Seq(1)) - 1;
      }
      proven = before_gaps(manifest.gaps, proven);
      DOCKET_TRY(follow({directory_, name_, id, next, proven}, producers, gaps, followed));
      Followed& hot = followed.at(id);
      if (!holds_nothing(hot.scan)) {
        std::erase_if(missing, [id](SegmentId each) { return each < id; });
      } else if (std::ranges::binary_search(manifest.unsealed, id)) {
        missing.push_back(id);
      }
      next = std::max(next, hot.scan.next_seq);
      if (hot.blocks.rows() != 0) {
        snapshot.segments.push_back(hot.blocks.reader(hot.scan.data_end.value));
      }
    }
    next = behind_gaps(gaps, next);
    if (const Gap gap = gap_of_missing(manifest, files, next);
        !missing.empty() && gap.first_seq <= gap.last_seq) {
      add_gap(gaps, gap);
      next = gap.last_seq + 1;
    }
    if (next <= manifest.proven) {
      // A hot file may have come, and the log been stopped, since the listing.
      if (!is_known) {
        proven_in_ = manifest.generation;
        return fail(ErrorCode::not_found, directory_ + ": a hot file is not there yet");
      }
      add_gap(gaps, {name_, next, manifest.proven, "no file holds them"});
      next = manifest.proven + 1;
    }
    snapshot.gaps = std::move(gaps);
    snapshot.last_seq = next - 1;
    sealed_ = std::move(sealed);
    followed_ = std::move(followed);
    producers_ = std::move(producers);
    manifest_ = std::move(manifest);
    snapshot_ = std::move(snapshot);
    return {};
  }

  static bool lists_all(const LogFiles& files, const Manifest& manifest) {
    return std::all_of(
        manifest.segments.begin(), manifest.segments.end(), [&files](const SegmentInfo& info) {
          return std::binary_search(files.sealed.begin(), files.sealed.end(), info.id);
        });
  }

  // Brings what is known of a hot file up to date and puts it into `into`.
  Result<void> follow(const HotFileToRecover& what, ProducerTable& producers,
                      std::vector<Gap>& gaps, std::map<SegmentId, Followed>& into) {
    if (auto known = followed_.extract(what.id);
        !known.empty() && known.mapped().scan.damage.empty()) {
      Followed& hot = known.mapped();
      DOCKET_ASSIGN(HotScan more, scan_hot_segment(hot.blocks.source()->file(), what.log, what.id,
                                                   hot.scan.end, hot.scan.next_seq, what.proven,
                                                   note_blocks(hot.blocks, hot.producers)));
      if (more.damage.empty()) {
        more.epoch = std::max(more.epoch, hot.scan.epoch);
        more.data_end = more.data_end == hot.scan.end ? hot.scan.data_end : more.data_end;
        hot.scan = std::move(more);
        DOCKET_TRY(hot.blocks.source()->file().sync_data());
        add_gap(gaps, {name_, what.next_seq, hot.first_seq - 1, "no segment holds them"});
        producers.merge(hot.producers);
        into.insert(std::move(known));
        return {};
      }
      // Damage has appeared behind what we know: start over, to name it.
    }
    DOCKET_ASSIGN(RecoveredHot hot, recover_hot(disk_, cache_, what, producers, gaps));
    // What we have just read may not be durable yet. A sync of our own makes it so before anybody
    // is shown it; it changes nothing of the file.
    DOCKET_TRY(hot.blocks.source()->file().sync_data());
    into.emplace(what.id,
                 Followed{hot.first_seq, std::move(hot.blocks), std::move(hot.scan), producers});
    return {};
  }

  Disk& disk_;
  SectionCache& cache_;
  const std::string name_;
  const std::string directory_;
  mutable std::mutex mutex_;
  std::map<SegmentId, std::shared_ptr<const SealedSegment>> sealed_;
  std::map<SegmentId, Followed> followed_;
  ProducerTable producers_;
  Manifest manifest_;
  std::optional<std::uint64_t> missing_in_;  // the generation that lists files which are not there
  std::optional<std::uint64_t> proven_in_;   // the generation that proves more than was there
  LogSnapshot snapshot_;
};

class ReadOnlyStore : public Store {
 public:
  ReadOnlyStore(Disk& disk, std::string directory, const StoreOptions& options)
      : disk_(disk), directory_(std::move(directory)), cache_(options.cache_bytes) {}

  Result<void> start() {
    DOCKET_TRY(check_store_marker(disk_, directory_));
    return refresh();
  }

  Result<Log*> log(std::string_view name) override {
    Log* const found = find_log(name);
    return found != nullptr ? Result<Log*>(found)
                            : fail(ErrorCode::not_found, "there is no log " + std::string(name));
  }
  [[nodiscard]] Log* find_log(std::string_view name) const override {
    const std::lock_guard lock(mutex_);
    const auto found = logs_.find(name);
    return found == logs_.end() ? nullptr : found->second.get();
  }
  [[nodiscard]] std::vector<Log*> logs() const override {
    const std::lock_guard lock(mutex_);
    std::vector<Log*> all;
    for (const auto& [name, log] : logs_) {
      all.push_back(log.get());
    }
    return all;
  }
  [[nodiscard]] Result<StoreSnapshot> snapshot() override {
    DOCKET_TRY(refresh());
    StoreSnapshot snapshot;
    for (const Log* log : logs()) {
      snapshot.logs.push_back(log->snapshot());
    }
    return snapshot;
  }
  [[nodiscard]] std::vector<RetirementPlan> plan_retirement(
      const std::function<RetentionPolicy(std::string_view log)>& policy,
      std::uint64_t free_floor_bytes, Nanos now) override {
    std::vector<RetentionCandidate> candidates;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [name, log] : logs_) {
        const auto more = log->candidates();
        candidates.insert(candidates.end(), more.begin(), more.end());
      }
    }
    std::uint64_t free_now = UINT64_MAX;
    if (free_floor_bytes != 0) {
      if (const auto free = disk_.free_bytes(directory_)) {
        free_now = *free;
      }
    }
    return plan_retirements(candidates, policy, free_now, free_floor_bytes, now);
  }
  [[nodiscard]] Result<void> retire(std::span<const RetirementPlan>) override {
    return fail(ErrorCode::closed, "the store is open for reading only");
  }
  [[nodiscard]] Result<void> close() override { return {}; }
  [[nodiscard]] const std::string& directory() const override { return directory_; }

 private:
  Result<void> refresh() {
    // Before the directories and manifests: whatever it names was there by then.
    DOCKET_ASSIGN(const LogList list, readable_log_list(disk_, directory_));
    const auto entries = disk_.list(logs_directory(directory_));
    // Not found: a store that has lost its logs, or one in the making.
    if (!entries && entries.error().code != ErrorCode::not_found) {
      return fail(entries.error());
    }
    const std::lock_guard lock(mutex_);
    for (const DirectoryEntry& entry : entries.value_or(std::vector<DirectoryEntry>())) {
      if (entry.is_directory && is_log_name(entry.name)) {
        add_log(entry.name);
      }
    }
    for (const ListedLog& listed : list.logs) {
      add_log(listed.log);
    }
    for (const auto& [name, log] : logs_) {
      DOCKET_TRY(log->refresh(list.find(name)));
    }
    return {};
  }

  void add_log(const std::string& name) {
    auto& log = logs_[name];
    if (!log) {
      log = std::make_unique<ReadOnlyLog>(disk_, cache_, name, log_directory(directory_, name));
    }
  }

  Disk& disk_;
  const std::string directory_;
  SectionCache cache_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<ReadOnlyLog>, std::less<>> logs_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_read_only_store(Disk& disk, const std::string& directory,
                                                    const StoreOptions& options) {
  auto store = std::make_unique<ReadOnlyStore>(disk, directory, options);
  DOCKET_TRY(store->start());
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace docket
