#include "engine/writable_log.hpp"

#include <algorithm>

#include "engine/assert.hpp"
#include "engine/event.hpp"
#include "engine/limits.hpp"
#include "engine/retention.hpp"

namespace docket {

namespace {

constexpr auto sealing_patience = std::chrono::seconds(10);
constexpr auto overdue_pause = std::chrono::milliseconds(50);
// How long after the last commit it gets its mark, when no other commit has come.
constexpr auto mark_delay = std::chrono::seconds(1);
// At a clean stop a larger active segment is sealed, so that the next start has little to scan.
constexpr std::uint64_t scan_bytes_quick = std::uint64_t{2} << 20;

}  // namespace

WritableLog::WritableLog(const LogContext& context, std::string name, std::string directory,
                         const LogOptions& options)
    : context_(context),
      name_(std::move(name)),
      directory_(std::move(directory)),
      options_(options) {}

WritableLog::~WritableLog() {
  stop(false);
}

void WritableLog::notice(const std::string& kind, const std::string& detail) const {
  if (context_.observer != nullptr) {
    context_.observer->notice(name_, kind, detail);
  }
}

// --- the queue -----------------------------------------------------------------------------------

void WritableLog::submit(EncodedBatch batch, ProducerStamp stamp, Nanos received, Completion done) {
  if (take(std::move(batch), std::move(stamp), received, done)) {
    queue_changed_.notify_one();
  }
}

void WritableLog::submit_held(EncodedBatch batch, ProducerStamp stamp, Nanos received,
                              Completion done) {
  if (take(std::move(batch), std::move(stamp), received, done)) {
    is_held_.store(true, std::memory_order_release);
  }
}

// Whoever finds the flag set also finds the batch queued; a committer that is not asleep by now
// looks at the queue before it is.
void WritableLog::start_commit() noexcept {
  if (is_held_.load(std::memory_order_acquire) && is_held_.exchange(false)) {
    queue_changed_.notify_one();
  }
}

bool WritableLog::take(EncodedBatch batch, ProducerStamp stamp, Nanos received, Completion& done) {
  const auto queued = within_memory([&]() -> Result<void> {
    if (batch.rows == 0 && stamp.batch == 0) {
      return fail(ErrorCode::invalid_argument, "an unnumbered batch must have events");
    }
    const auto is_name = [](const std::string& name) {
      return name.size() <= limits::node_bytes_max && is_utf8(name);
    };
    if (stamp.node.empty() || !is_name(stamp.node) || !is_name(stamp.shown)) {
      return fail(ErrorCode::invalid_argument, "node: must be 1 to 128 bytes of UTF-8");
    }
    Group one;
    one.emplace_back();
    Pending& pending = one.front();
    pending.block = make_hot_block(std::move(batch), stamp.node, stamp.epoch, stamp.batch, received,
                                   stamp.shown);
    pending.strings_bytes = pending.block.strings_bytes();
    pending.stamp = std::move(stamp);
    pending.received = received;
    pending.submitted = std::chrono::steady_clock::now();
    return enqueue(one, done);
  });
  if (!queued) {
    done(fail(told(queued.error())));
    return false;
  }
  return true;
}

// `done` is taken only together with the batch.
Result<void> WritableLog::enqueue(Group& one, Completion& done) {
  const std::size_t bytes = one.front().bytes();
  const std::lock_guard lock(queue_mutex_);
  if (stopping_) {
    return fail(ErrorCode::closed, "log " + name_ + " is shutting down");
  }
  if (failed_) {
    return fail(ErrorCode::closed,
                "log " + name_ + " has failed; the server must be restarted to recover it");
  }
  if (queued_bytes_ != 0 && queued_bytes_ + bytes > limits::commit_queue_bytes_max) {
    return fail(ErrorCode::overloaded, "log " + name_ + ": the commit queue is full");
  }
  one.front().done = std::move(done);
  queued_bytes_ += bytes;
  queue_.splice(queue_.end(), one);
  return {};
}

Result<void> WritableLog::seal() {
  std::uint64_t attempts_before = 0;
  {
    // Looked at before anything is frozen, so that no failure of this request can be missed; one
    // that was under way already says nothing about it.
    const std::lock_guard lock(state_mutex_);
    attempts_before = seal_attempts_;
  }
  std::uint64_t before = 0;
  {
    const std::lock_guard lock(queue_mutex_);
    if (stopping_ || failed_) {
      return fail(ErrorCode::closed, "log " + name_ + " is not running");
    }
    freeze_requested_ = true;
    before = freezes_done_;
  }
  queue_changed_.notify_one();
  {
    std::unique_lock lock(queue_mutex_);
    queue_changed_.wait(lock, [&] { return freezes_done_ != before || stopping_ || failed_; });
    if (freezes_done_ == before) {
      return fail(ErrorCode::closed, "log " + name_ + " is not running");
    }
    if (freeze_held_back_) {
      return fail(ErrorCode::overloaded, "log " + name_ + ": sealing is behind");
    }
  }
  context_.wake_maintenance();  // what failed before is not to wait for its next turn
  std::unique_lock lock(state_mutex_);
  const auto attempt_failed = [&] { return failed_seal_attempt_ > attempts_before; };
  frozen_changed_.wait(
      lock, [&] { return frozen_.empty() || failed_ || attempt_failed() || sealing_ended_; });
  if (!frozen_.empty() && attempt_failed()) {
    return fail(seal_error_);
  }
  if (!frozen_.empty() && sealing_ended_) {
    return fail(ErrorCode::closed, "log " + name_ + " is shutting down; sealed at the next start");
  }
  return failed_ ? fail(ErrorCode::closed, "log " + name_ + " has failed") : Result<void>();
}

void WritableLog::stop(bool seal_large) {
  {
    const std::lock_guard lock(queue_mutex_);
    stopping_ = true;
    freeze_at_stop_ = seal_large;
  }
  queue_changed_.notify_all();
  if (committer_.joinable()) {
    committer_.join();
    const std::lock_guard lock(prepare_mutex_);  // nothing is reserved behind its back
    static_cast<void>(within_memory([this] { return prove_last(); }));
  }
}

// What is missing at the next start is then known to have been there, whatever befalls the files
// meanwhile, and no more than that. Where it cannot be written, the marks are what is left.
Result<void> WritableLog::prove_last() {
  const std::lock_guard lock(manifest_mutex_);
  Manifest edited = manifest_;
  if (next_seq_ > manifest_.next_seq) {
    edited.proven = next_seq_ - 1;
  }
  if (!failed_) {
    edited.reserved = next_seq_;  // else the group in doubt may be there
  }
  if (edited.proven == manifest_.proven && edited.reserved == manifest_.reserved &&
      is_manifest_saved_) {
    return {};
  }
  DOCKET_TRY(save_manifest(*context_.disk, directory_, edited));
  manifest_ = std::move(edited);
  is_manifest_saved_ = true;
  return {};
}

void WritableLog::end_sealing() {
  {
    const std::lock_guard lock(state_mutex_);
    sealing_ended_ = true;
  }
  frozen_changed_.notify_all();
}

// --- the committer -------------------------------------------------------------------------------

void WritableLog::run_committer() {
  Group group;
  while (wait_for_work(group)) {
    if (!group.empty()) {
      commit(group);
      group.clear();
    }
    bool requested = false;
    {
      const std::lock_guard lock(queue_mutex_);
      requested = freeze_requested_;
    }
    bool held_back = false;
    if (active_ && !failed_ && ((requested && active_has_rows()) || should_freeze())) {
      if (requested) {
        static_cast<void>(wait_for_sealing());
      }
      held_back = !freeze_active();
    }
    if (requested) {
      {
        const std::lock_guard lock(queue_mutex_);
        freeze_requested_ = false;
        freeze_held_back_ = held_back;
        ++freezes_done_;
      }
      queue_changed_.notify_all();
    }
    if (mark_due_ && std::chrono::steady_clock::now() >= *mark_due_) {
      mark_active();
    }
  }
  mark_active();
  const bool large = active_ && active_->end().value > scan_bytes_quick;
  if (freeze_at_stop_ && large && !failed_) {
    static_cast<void>(freeze_active());
  }
}

// Waits for batches, for a request, or until something else is due: the active segment comes of
// age, a mark. Takes a group from the queue. False: stopping, and the queue is empty.
bool WritableLog::wait_for_work(Group& group) {
  std::unique_lock lock(queue_mutex_);
  const auto ready = [this] { return !queue_.empty() || stopping_ || freeze_requested_; };
  std::optional<std::chrono::steady_clock::time_point> due = mark_due_;
  if (active_has_rows()) {
    // A segment that is overdue could not be frozen just now: sealing is behind.
    const auto of_age = std::max(active_since_ + std::chrono::nanoseconds(options_.segment_age),
                                 std::chrono::steady_clock::now() + overdue_pause);
    due = due ? std::min(*due, of_age) : of_age;
  }
  if (due) {
    queue_changed_.wait_until(lock, *due, ready);
  } else {
    queue_changed_.wait(lock, ready);
  }
  std::size_t bytes = 0;
  std::uint64_t rows = 0;
  while (!queue_.empty() && bytes < limits::commit_group_bytes_max &&
         rows < limits::commit_group_rows_max) {
    bytes += queue_.front().bytes();
    rows += queue_.front().block.header.rows;
    group.splice(group.end(), queue_, queue_.begin());
  }
  queued_bytes_ -= bytes;
  return !group.empty() || !stopping_;
}

bool WritableLog::wait_for_sealing() {
  std::unique_lock lock(state_mutex_);
  const std::uint64_t failed_before = failed_seal_attempt_;
  const auto has_room = [this] { return frozen_.size() < frozen_max; };
  frozen_changed_.wait_for(lock, sealing_patience, [&] {
    return has_room() || sealing_ended_ || failed_seal_attempt_ != failed_before;
  });
  return has_room();
}

Result<void> WritableLog::make_room(Group& group) {
  if (failed_) {
    return fail(ErrorCode::closed,
                "log " + name_ + " has failed; the server must be restarted to recover it");
  }
  if (active_ && should_freeze()) {
    // Sealing could not keep up when the segment was full. While it goes on, senders wait with it:
    // refused, they would send everything again and take the time that sealing needs.
    if (!wait_for_sealing()) {
      return fail(ErrorCode::overloaded, "log " + name_ + ": sealing is behind");
    }
    static_cast<void>(freeze_active());
  }
  const auto under_floor = [this] {
    return Error{
        ErrorCode::no_space,
        "free space is under the floor of " + std::to_string(context_.free_space_floor) + " bytes",
        0, 0, 0};
  };
  std::uint64_t spare = UINT64_MAX;  // bytes above the floor
  if (context_.free_space_floor != 0) {
    DOCKET_ASSIGN(const std::uint64_t free, context_.disk->free_bytes(directory_));
    if (free < context_.free_space_floor) {
      return fail(under_floor());
    }
    spare = free - context_.free_space_floor;
  }
  if (!active_) {
    DOCKET_TRY(begin_segment());
  }
  const std::uint64_t room = active_->prepared_bytes() + std::min(spare, UINT64_MAX / 2);
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
  auto next = group.begin();
  for (; next != group.end() && (bytes == 0 || bytes + next->bytes() <= room); ++next) {
    bytes += next->bytes();
    rows += next->block.header.rows;
  }
  if (next != group.end()) {
    refuse(group, next, under_floor());
  }
  if (next_seq_.value + rows > reserved_) {
    const std::lock_guard lock(prepare_mutex_);
    DOCKET_TRY(reserve_seqs(next_seq_));
  }
  return active_->prepare(bytes, spare);
}

void WritableLog::refuse(Group& group, Group::iterator first, const Error& error) {
  for (auto pending = first; pending != group.end(); ++pending) {
    pending->done(fail(told(error)));
  }
  group.erase(first, group.end());
}

void WritableLog::commit(Group& group) {
  if (const auto room = within_memory([&] { return make_room(group); }); !room) {
    refuse(group, group.begin(), room.error());
    return;
  }
  bool any_stored = false;
  {
    const std::lock_guard lock(producers_mutex_);
    any_stored = store(group);
  }
  if (const auto duplicates = std::ranges::count_if(
          group, [](const Pending& p) { return p.result && p.result->duplicate; })) {
    const std::lock_guard lock(state_mutex_);
    counters_.duplicates += static_cast<std::uint64_t>(duplicates);
  }
  for (Pending& pending : group) {
    pending.done(std::move(pending.result));
  }
  if (any_stored) {
    tell([this](StoreObserver& observer) { observer.events_visible(name_, next_seq_ - 1); });
  }
}

// Gives a place to every batch that is the next of its producer, an answer to every one. An
// allocation may fail; then what has a place by now must be taken back. The seq behind the last.
Result<Seq> WritableLog::place(Group& group) {
  active_->reserve(group.size());
  {
    const std::lock_guard lock(state_mutex_);
    active_blocks_->reserve(group.size());
  }
  const Seq durable = next_seq_ - 1;
  Seq next = next_seq_;
  for (Pending& pending : group) {
    Receipt receipt;
    auto verdict = producers_.check(pending.stamp, pending.received, receipt);
    if (!verdict) {
      pending.result = fail(std::move(verdict).error());
      continue;
    }
    if (*verdict == ProducerTable::Verdict::next) {
      receipt = {next, pending.block.header.rows, false};
      producers_.stored(pending.stamp, next, receipt.rows, pending.received);
      pending.has_place = true;
      active_->place(pending.block, next, durable);
      next += receipt.rows;
    }
    // A duplicate is answered after the sync, too: its original may be in this very group.
    pending.result = receipt;
  }
  return next;
}

// Sets every batch's answer. True: some have been written, are durable and can be seen.
bool WritableLog::store(Group& group) {
  const auto take_back = [&] {
    for (auto last = group.rbegin(); last != group.rend(); ++last) {
      if (last->has_place) {
        producers_.take_back(last->stamp);
      }
    }
  };
  const auto next = within_memory([&] { return place(group); });
  if (!next) {
    take_back();
    active_->take_back();
    for (Pending& pending : group) {
      pending.result = fail(told(next.error()));
    }
    return false;
  }
  if (std::none_of(group.begin(), group.end(), [](const Pending& p) { return p.has_place; })) {
    return false;
  }
  Result<void> durable_now = active_->write();
  const auto written = std::chrono::steady_clock::now();
  if (durable_now && options_.sync) {
    durable_now = active_->sync();
  }
  if (!durable_now) {
    take_back();
    fail_log(durable_now.error());
    for (Pending& pending : group) {
      // A refusal stays one; whatever could have been stored is of unknown outcome.
      if (pending.result) {
        Error unknown = told(durable_now.error());
        unknown.code = ErrorCode::unknown_outcome;
        unknown.segment = unknown.offset = 0;
        pending.result = fail(std::move(unknown));
      }
    }
    return false;
  }
  publish(group, *next - 1, std::chrono::steady_clock::now() - written);
  next_seq_ = *next;
  mark_due_ = std::chrono::steady_clock::now() + mark_delay;
  return true;
}

void WritableLog::publish(const Group& group, Seq last_seq, std::chrono::nanoseconds sync_time) {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(state_mutex_);
  if (active_blocks_->rows() == 0) {
    active_since_ = now;
  }
  for (const Pending& pending : group) {
    if (pending.has_place) {
      active_blocks_->append(pending.block.header);
      active_strings_bytes_ += pending.strings_bytes;
      counters_.last_received = std::max(counters_.last_received, pending.received);
      ++counters_.batches;
      counters_.commit_time.add(std::chrono::nanoseconds(now - pending.submitted).count());
    }
  }
  active_bytes_ = active_->end().value;
  active_reader_.reset();
  last_seq_ = last_seq;
  ++counters_.commits;
  if (options_.sync) {
    counters_.sync_time.add(sync_time.count());
  }
}

void WritableLog::fail_log(const Error& error) {
  {
    const std::lock_guard lock(state_mutex_);
    failed_ = true;
  }
  queue_changed_.notify_all();
  frozen_changed_.notify_all();
  tell([&](StoreObserver& observer) { observer.notice(name_, "commit_failed", error.describe()); });
}

void WritableLog::mark_active() {
  if (!mark_due_) {
    return;
  }
  mark_due_.reset();  // whatever comes of it: what stays due would keep the committer awake
  if (!active_ || failed_) {
    return;
  }
  if (const auto marked = active_->mark(next_seq_ - 1); !marked) {
    fail_log(marked.error());
  }
}

bool WritableLog::active_has_rows() const {
  const std::lock_guard lock(state_mutex_);
  return active_blocks_ && active_blocks_->rows() != 0;
}

bool WritableLog::should_freeze() const {
  const std::lock_guard lock(state_mutex_);
  if (!active_blocks_) {
    return false;
  }
  // Batches without events have only their numbers to keep, but they, too, take space.
  if (active_blocks_->rows() == 0) {
    return active_bytes_ >= options_.segment_bytes;
  }
  return active_bytes_ >= options_.segment_bytes ||
         active_blocks_->rows() >= options_.segment_rows ||
         active_strings_bytes_ >= limits::segment_strings_bytes_max ||
         std::chrono::steady_clock::now() - active_since_ >=
             std::chrono::nanoseconds(options_.segment_age);
}

// --- reading -------------------------------------------------------------------------------------

LogSnapshot WritableLog::snapshot() const {
  std::unique_lock lock(state_mutex_);
  LogSnapshot snapshot;
  snapshot.log = name_;
  snapshot.segments.reserve(sealed_.size() + frozen_.size() + 1);
  snapshot.segments.assign(sealed_.begin(), sealed_.end());
  for (const Frozen& frozen : frozen_) {
    snapshot.segments.push_back(frozen.reader);
  }
  if (active_blocks_ && active_blocks_->rows() != 0) {
    if (!active_reader_) {
      active_reader_ = active_blocks_->reader(active_bytes_);
    }
    snapshot.segments.push_back(active_reader_);
  }
  snapshot.gaps = gaps_;
  snapshot.last_seq = last_seq_;
  const bool want_merge = active_blocks_ && active_blocks_->has_small_run() && !merge_wanted_;
  merge_wanted_ = merge_wanted_ || want_merge;
  lock.unlock();
  if (want_merge) {
    context_.wake_maintenance();
  }
  return snapshot;
}

LogStats WritableLog::stats() const {
  LogStats stats;
  std::uint64_t retired_events = 0;
  Seq retired_below;
  {
    const std::lock_guard lock(manifest_mutex_);
    retired_events = manifest_.retired_events;
    retired_below = manifest_.retired_below;
  }
  {
    const std::lock_guard lock(state_mutex_);
    stats = counters_;
    stats.log = name_;
    stats.retired_events = retired_events;
    const auto add = [&stats](const SegmentInfo& info) {
      if (stats.segments == 0) {
        stats.first_seq = info.first_seq;
      }
      stats.events += info.rows;
      ++stats.segments;
      stats.last_received = std::max(stats.last_received, info.received_max);
    };
    for (const auto& segment : sealed_) {
      add(segment->info());
    }
    for (const Frozen& frozen : frozen_) {
      add(frozen.reader->info());
      stats.bytes += frozen.bytes;
    }
    if (active_blocks_ && active_blocks_->rows() != 0) {
      add(active_blocks_->reader(active_bytes_)->info());
      stats.bytes += active_bytes_;
    }
    stats.unsealed_segments = frozen_.size();
    stats.gaps = gaps_.size();
    for (const Gap& gap : gaps_) {
      stats.gap_events += gap.last_seq - gap.first_seq + 1;
    }
    stats.last_seq = last_seq_;
    if (stats.segments == 0) {
      stats.first_seq = last_seq_ + 1;
    }
  }
  for (const auto& [id, files] : sealed_file_bytes(*context_.disk, directory_)) {
    stats.bytes += files.bytes;
    stats.index_bytes += files.index_bytes;
  }
  const std::lock_guard lock(queue_mutex_);
  stats.queued_bytes = queued_bytes_;
  stats.queued_batches = queue_.size();
  stats.failed = failed_;
  return stats;
}

std::vector<ProducerState> WritableLog::producers() const {
  const std::lock_guard lock(producers_mutex_);
  return producers_.senders();
}

}  // namespace docket
