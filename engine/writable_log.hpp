// A log with its committer: the store's own implementation of Log.
//
//   submit() -> queue -> committer: a group becomes blocks, one write, one fdatasync -> published
//   -> completions.   At size or age the active segment is frozen and a new one begun; the
//   maintenance thread seals frozen segments, oldest first.
//
//   prepared --begin--> active --freeze--> frozen --seal, manifest edit durable--> sealed
//   --retire--> retired
//                          \___ any error of a write or a sync ___> failed (sticky until restart)
//
//   I1  A completion with a value is called only after the sync that covers its block.
//   I2  What a snapshot shows is durable.
//   I3  Every seq from 1 to last_seq is in exactly one segment of the snapshot, or in a gap, or
//       retired.
//   I4  Soon after the last commit, and before a segment is frozen or the log stops, a mark vouches
//       for that commit: damage to it is then known from a torn tail.
//   I5  A hot file is removed only after the manifest that lists its sealed successor is durable.
//   I6  No segment begins and no seq is given before manifest and list of logs say so, durably. The
//       maintenance thread does this one segment ahead, so that no commit waits for it; a commit
//       that finds it undone does it.
//   I7  An allocation that fails before the write of a group refuses the group and changes nothing;
//       from the write to the completions nothing needs memory. One that fails elsewhere on the
//       committer or in maintenance puts off what it was for.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/active_segment.hpp"
#include "engine/hot_segment.hpp"
#include "engine/log.hpp"
#include "engine/log_list.hpp"
#include "engine/manifest.hpp"
#include "engine/out_of_memory.hpp"
#include "engine/sealed_segment.hpp"
#include "engine/section_cache.hpp"

namespace docket {

// What a log needs of its store. All must outlive it.
struct LogContext {
  Disk* disk = nullptr;
  SectionCache* cache = nullptr;
  StoreObserver* observer = nullptr;  // may be null
  std::function<void()> wake_maintenance;
  std::uint64_t free_space_floor = 0;
  // Puts what is known of the log into the store's list of logs, durably.
  std::function<Result<void>(const ListedLog&)> remember;
};

class WritableLog : public Log {
 public:
  // Recovers the log in `directory` (made when missing) and starts its committer. `listed` is what
  // the store's list knows of it; null: nothing.
  [[nodiscard]] static Result<std::unique_ptr<WritableLog>> open(const LogContext& context,
                                                                 const std::string& name,
                                                                 const std::string& directory,
                                                                 const LogOptions& options,
                                                                 const ListedLog* listed);
  ~WritableLog() override;

  [[nodiscard]] const std::string& name() const override { return name_; }
  void submit(EncodedBatch batch, ProducerStamp stamp, Nanos received, Completion done) override;
  void submit_held(EncodedBatch batch, ProducerStamp stamp, Nanos received,
                   Completion done) override;
  void start_commit() noexcept override;
  [[nodiscard]] LogSnapshot snapshot() const override;
  [[nodiscard]] LogStats stats() const override;
  [[nodiscard]] std::vector<ProducerState> producers() const override;
  [[nodiscard]] Result<void> seal() override;

  // Stops accepting, commits what is queued, ends the committer; with `seal_large`, an active
  // segment that would take long to scan at the next start is frozen first. Idempotent.
  void stop(bool seal_large);

  // What the list of logs is to know of it; nullopt while the manifest does not say it durably.
  [[nodiscard]] std::optional<ListedLog> listed() const;

  // For the maintenance thread: prepares the next segment of a log that is in use, and reserves
  // seqs. What cannot be done now is left to the commit that needs it.
  void prepare_ahead();

  // For the maintenance thread. How many frozen segments there are to seal.
  [[nodiscard]] std::size_t frozen_count() const;
  // Seals the oldest frozen segment. An error leaves it frozen, to be tried again, and is noticed.
  [[nodiscard]] Result<void> seal_oldest();
  // No more sealing until the next start: whoever waits in seal() is told.
  void end_sealing();

  // For the maintenance thread: merges the active segment's small blocks for those who read them.
  // What cannot be merged now is read block by block.
  void merge_small_blocks();

  // For retention: the sealed segments, oldest first.
  [[nodiscard]] std::vector<std::shared_ptr<const SealedSegment>> sealed() const;
  // Retires the oldest sealed segments, which must be those planned; Store::retire().
  [[nodiscard]] Result<void> retire(std::span<const RetirementPlan> plans);

 private:
  // How many segments may wait to be sealed before senders are held back: 2 GiB of a log, some 45
  // million events of a burst, which queries scan meanwhile and a start after a crash looks at.
  static constexpr std::size_t frozen_max = 16;

  struct Pending {
    HotBlock block;
    ProducerStamp stamp;
    Nanos received = 0;
    std::chrono::steady_clock::time_point submitted;
    Completion done;
    std::uint64_t strings_bytes = 0;
    Result<Receipt> result;  // that `done` will be called with
    bool has_place = false;  // in the group about to be written
    [[nodiscard]] std::size_t bytes() const { return block.head.size() + block.sections.size(); }
  };
  struct Frozen {
    SegmentId id;
    HotBlocks blocks;
    std::shared_ptr<const SegmentBase> reader;
    ProducerTable producers;
    std::uint64_t bytes = 0;
    Seq next_seq;            // behind its last event, readable or not
    bool keep_file = false;  // damaged: kept aside as evidence rather than removed
  };
  // A list, because batches move from the queue to the committer without memory.
  using Group = std::list<Pending>;
  class Recovery;

  WritableLog(const LogContext& context, std::string name, std::string directory,
              const LogOptions& options);

  void run_committer();
  // False: refused, and `done` called with the reason.
  bool take(EncodedBatch batch, ProducerStamp stamp, Nanos received, Completion& done);
  [[nodiscard]] Result<void> enqueue(Group& one, Completion& done);
  bool wait_for_work(Group& group);
  void commit(Group& group);
  // Until one more segment may wait to be sealed. False: an attempt to seal failed meanwhile, or
  // none came to its end in time.
  [[nodiscard]] bool wait_for_sealing();
  // Refuses the batches for which there is no room above the floor of free space, and leaves the
  // others; the first may dip into the reserve, or the last bytes above it would serve nobody.
  [[nodiscard]] Result<void> make_room(Group& group);
  // Answers those from `first` on, and drops them.
  static void refuse(Group& group, Group::iterator first, const Error& error);
  // These two with producers_mutex_ held.
  [[nodiscard]] Result<Seq> place(Group& group);
  bool store(Group& group);
  void publish(const Group& group, Seq last_seq, std::chrono::nanoseconds sync_time);
  void fail_log(const Error& error);
  [[nodiscard]] bool active_has_rows() const;
  [[nodiscard]] bool should_freeze() const;
  [[nodiscard]] Result<void> begin_segment();
  // These two with prepare_mutex_ held.
  [[nodiscard]] Result<void> prepare_next();
  [[nodiscard]] Result<void> reserve_seqs(Seq next);
  // False: too many wait to be sealed, or there is no memory; nothing has changed.
  bool freeze_active();
  [[nodiscard]] bool move_to_frozen();
  void mark_active();
  [[nodiscard]] Result<void> prove_last();
  void notice(const std::string& kind, const std::string& detail) const;
  // What is told to the observer, as far as there is memory to tell it.
  template <typename Tell>
  void tell(Tell tell) const {
    if (context_.observer != nullptr) {
      static_cast<void>(within_memory([&]() -> Result<void> {
        tell(*context_.observer);
        return {};
      }));
    }
  }
  [[nodiscard]] Result<void> seal_frozen(const Frozen& frozen);
  [[nodiscard]] Result<void> replace_frozen(const Frozen& frozen, SegmentInfo info,
                                            std::vector<Gap> losses);

  const LogContext context_;
  const std::string name_;
  const std::string directory_;
  const LogOptions options_;

  // The commit queue.
  mutable std::mutex queue_mutex_;
  std::condition_variable queue_changed_;
  Group queue_;
  std::size_t queued_bytes_ = 0;
  std::atomic<bool> is_held_ = false;  // the committer has not been told of what is queued
  bool stopping_ = false;
  bool freeze_requested_ = false;
  bool freeze_at_stop_ = false;
  std::uint64_t freezes_done_ = 0;
  bool freeze_held_back_ = false;  // the last one asked for

  // The committer's own.
  std::unique_ptr<ActiveSegment> active_;
  std::chrono::steady_clock::time_point active_since_;
  std::optional<std::chrono::steady_clock::time_point>
      mark_due_;  // there is something to vouch for
  Seq next_seq_{1};

  // The segment after the active one, and what it may give. Held while it is made, and by the
  // committer when it takes it. Lock order: before manifest_mutex_.
  std::mutex prepare_mutex_;
  std::unique_ptr<ActiveSegment> prepared_;
  SegmentId next_segment_{1};
  SegmentId listed_segment_;                 // the highest that manifest and list of logs both name
  std::atomic<std::uint64_t> reserved_ = 1;  // no seq at or above it may be given

  // Held by the committer for the length of a commit, so that what producers() shows is durable.
  mutable std::mutex producers_mutex_;
  ProducerTable producers_;

  // What is published. Lock order: manifest_mutex_ before state_mutex_.
  mutable std::mutex state_mutex_;
  std::condition_variable frozen_changed_;
  // For those who wait in seal().
  std::uint64_t seal_attempts_ = 0;        // begun
  std::uint64_t failed_seal_attempt_ = 0;  // the last that failed, and
  Error seal_error_;                       // how
  bool sealing_ended_ = false;
  std::vector<std::shared_ptr<const SealedSegment>> sealed_;
  std::deque<Frozen> frozen_;
  std::optional<HotBlocks> active_blocks_;
  std::uint64_t active_strings_bytes_ = 0;
  std::uint64_t active_bytes_ = 0;                            // up to the last block of a sender
  mutable bool merge_wanted_ = false;                         // a reader has met many small blocks
  mutable std::shared_ptr<const SegmentBase> active_reader_;  // made when asked for
  std::vector<Gap> gaps_;
  Seq last_seq_;
  LogStats counters_;

  // Edits of the manifest, by maintenance and retention.
  mutable std::mutex manifest_mutex_;
  Manifest manifest_;
  bool is_manifest_saved_ = true;  // else a full disk has kept recovery from saying what it learnt

  std::atomic<bool> failed_ = false;
  std::thread committer_;
};

}  // namespace docket
