// One log surface: its segments, its committer thread, its producers. And the store: all the logs
// of one data directory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/batch.hpp"
#include "engine/counts.hpp"
#include "engine/disk.hpp"
#include "engine/duration_counts.hpp"
#include "engine/result.hpp"
#include "engine/snapshot.hpp"

namespace docket {

// Names a batch for exactly-once delivery. Numbers count from 1 within (node, epoch) *of one log*.
struct ProducerStamp {
  std::string node;         // who sends; 1..node_bytes_max bytes, valid UTF-8
  std::uint64_t epoch = 0;  // the sender's own generation; a higher one starts again at batch 1
  std::uint64_t batch = 0;  // 0: not numbered, no duplicate check
  std::string shown{};      // who the events say has sent them; empty: `node`
};

struct Receipt {
  Seq first_seq;  // of the batch's rows; 0 for an old duplicate whose receipt is forgotten
  std::uint32_t rows = 0;
  bool duplicate = false;  // it was stored before; the seqs are the original ones
};

// Called exactly once, from the committer thread (or from submit() itself on a refusal). Must not
// block and must not throw. A value means: on stable storage. Errors:
//   out_of_order     not the next batch of its producer; nothing stored; `offset` = expected number
//   overloaded       the commit queue is full, or memory is short; nothing stored; retryable
//   no_space         the disk is full; nothing stored; retryable
//   closed           the log is shutting down; nothing stored
//   unknown_outcome  the write or the sync failed; restart and recovery will tell
using Completion = std::function<void(Result<Receipt>)>;

struct RetentionPolicy {
  std::optional<Nanos> max_age;            // by the time of receipt of a segment's newest event
  std::optional<std::uint64_t> max_bytes;  // of segment and index files of this log
  bool operator==(const RetentionPolicy&) const = default;
};

struct LogOptions {
  std::uint64_t segment_bytes = limits::segment_bytes_default;  // sealed at this size,
  std::uint64_t segment_rows = limits::segment_rows_max;        // or this many events,
  Nanos segment_age = 3600LL * 1'000'000'000;  // or this long after its first event
  bool sync = true;  // false: no fdatasync; for tests of other things, never for users' data
};

struct ProducerState {
  std::string node;
  std::uint64_t epoch = 0;
  std::uint64_t last_batch = 0;  // everything up to it is durable
  Nanos last_received = 0;
};

// One segment that retention would retire, and why.
struct RetirementPlan {
  std::string log;
  SegmentId segment;
  Seq first_seq;
  Seq last_seq;
  std::uint64_t bytes = 0;
  std::string reason;  // "older than 365d", "log over 10 GiB", "free space under the floor"
};

struct LogStats {
  std::string log;
  std::uint64_t events = 0;        // durable and not retired
  Seq first_seq, last_seq;         // last_seq = first_seq - 1 when empty
  std::uint64_t segments = 0;      // sealed and active
  std::uint64_t bytes = 0;         // segment and index files, prepared space not counted
  std::uint64_t index_bytes = 0;   // of these, in index files
  std::uint64_t batches = 0;       // since start
  std::uint64_t duplicates = 0;    // since start
  std::uint64_t commits = 0;       // fdatasyncs since start
  std::uint64_t queued_bytes = 0;  // waiting for the disk now
  std::uint64_t queued_batches = 0;
  std::uint64_t unsealed_segments = 0;  // full, and waiting to be sealed now
  std::uint64_t retired_events = 0;
  std::uint64_t gaps = 0;        // ranges of events that damage has taken
  std::uint64_t gap_events = 0;  // in them
  DurationCounts commit_time;    // of batches stored since start, from submit() until durable
  DurationCounts sync_time;      // of their syncs
  bool failed = false;           // a write or sync failed; the log refuses until restart
  Nanos last_received = 0;
};

// Thread-safe.
class Log {
 public:
  virtual ~Log() = default;

  [[nodiscard]] virtual const std::string& name() const = 0;
  // Queues a batch for the next commit group. Never blocks on the disk. Batches of one caller
  // thread are committed in the order of their submission. A stamped batch may have no rows.
  virtual void submit(EncodedBatch batch, ProducerStamp stamp, Nanos received, Completion done) = 0;
  // The same, but the commit need not begin before start_commit(): what one thread has at hand then
  // becomes one group, with one sync, and wakes the committer once. The caller must call it soon.
  virtual void submit_held(EncodedBatch batch, ProducerStamp stamp, Nanos received,
                           Completion done) {
    submit(std::move(batch), std::move(stamp), received, std::move(done));
  }
  // Begins with what is held, whoever submitted it. Neither blocks nor throws; costs nothing where
  // nothing is.
  virtual void start_commit() noexcept {}
  // What is durable now.
  [[nodiscard]] virtual LogSnapshot snapshot() const = 0;
  [[nodiscard]] virtual LogStats stats() const = 0;
  // Whoever has sent something, by name; without the idempotency keys of single requests.
  [[nodiscard]] virtual std::vector<ProducerState> producers() const = 0;
  // Seals the active segment now (when it has events) and waits for it. For tests, tools, shutdown.
  [[nodiscard]] virtual Result<void> seal() = 0;
};

// What the engine tells the outside about. Called from engine threads; must not block for long.
class StoreObserver {
 public:
  virtual ~StoreObserver() = default;
  // A segment has been sealed and its manifest edit is durable. Called on the maintenance thread:
  // the index is built here. `directory` is where `<id>.idx` belongs.
  virtual void segment_sealed(const std::string& log,
                              const std::shared_ptr<const SegmentReader>& segment,
                              const std::string& directory) = 0;
  // New events of `log` up to `last` became visible.
  virtual void events_visible(const std::string& log, Seq last) = 0;
  // Something an operator must know; also recorded by the caller in log `docket`.
  // kind: "segment_retired", "damage_quarantined", "torn_tail_cut", "seal_failed", "commit_failed".
  virtual void notice(const std::string& log, const std::string& kind,
                      const std::string& detail) = 0;
};

struct StoreOptions {
  LogOptions log;
  bool read_only = false;  // for a second process: takes no lock, writes nothing, repairs nothing
  std::uint64_t cache_bytes = std::uint64_t{96} << 20;  // verified columns and dictionary pages
  std::uint64_t free_space_floor = std::uint64_t{256} << 20;  // below it, senders get no_space
  StoreObserver* observer = nullptr;                          // must outlive the store
};

// A data directory. Thread-safe. Layout: engine/FORMAT.md, "Directory".
class Store {
 public:
  virtual ~Store() = default;

  // Creates the directory where it is missing (unless read_only). Succeeds for whatever is
  // readable: damage is quarantined, told to the observer and shown in snapshots as gaps. Errors:
  // busy (another server owns it), newer_format, not_found (read_only and not a store), io.
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(Disk& disk, const std::string& directory,
                                                           const StoreOptions& options);

  // The log of that name, created on first use. invalid_argument for a bad name, overloaded when
  // there are 64 already. The pointer lives as long as the store.
  [[nodiscard]] virtual Result<Log*> log(std::string_view name) = 0;
  // nullptr when there is none.
  [[nodiscard]] virtual Log* find_log(std::string_view name) const = 0;
  [[nodiscard]] virtual std::vector<Log*> logs() const = 0;  // sorted by name
  // All logs at one time. A read_only store looks at the directory again to see what is new.
  [[nodiscard]] virtual Result<StoreSnapshot> snapshot() = 0;

  // What retire() would do now; oldest first.
  [[nodiscard]] virtual std::vector<RetirementPlan> plan_retirement(
      const std::function<RetentionPolicy(std::string_view log)>& policy,
      std::uint64_t free_floor_bytes, Nanos now) = 0;
  // Retires planned segments of one log in one step, all or none: their files go once the last
  // reader lets go. The caller makes the record of it durable first (log `docket`). Errors:
  // not_found where there is no such log; invalid_argument where they are not the oldest of one
  // log, in their order; those of writing the manifest.
  [[nodiscard]] virtual Result<void> retire(std::span<const RetirementPlan> plans) = 0;
  [[nodiscard]] Result<void> retire(const RetirementPlan& plan) { return retire({&plan, 1}); }

  // Stops accepting, commits what is queued, seals large active segments, writes the manifests.
  // Called by the destructor when it was not.
  [[nodiscard]] virtual Result<void> close() = 0;
  [[nodiscard]] virtual const std::string& directory() const = 0;
};

}  // namespace docket
