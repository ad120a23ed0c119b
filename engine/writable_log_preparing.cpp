// WritableLog: preparing segments and reserving seqs, one segment ahead.
//
// In this order, so that a crash at any point leaves no event that would not be missed:
//   1  "ID.next" is made, durable
//   2  the manifest names ID as unsealed and reserves seqs, durable in both copies
//   3  the store's list of logs says the same
//   4  when the segment before it is full: "ID.next" gets its first seq and becomes "ID.hot"
//   5  only now an event can come to stand in it
#include <algorithm>
#include <random>

#include "engine/limits.hpp"
#include "engine/writable_log.hpp"

namespace docket {

namespace {

// Enough for a segment and the one after it, so that what is written to while the next one is
// prepared never waits. Less than half of it left: it is renewed.
constexpr std::uint64_t seqs_ahead_min = limits::segment_rows_limit;
constexpr std::uint64_t seqs_ahead = 2 * seqs_ahead_min;

}  // namespace

void WritableLog::prepare_ahead() {
  const std::lock_guard lock(prepare_mutex_);
  {
    const std::lock_guard queue(queue_mutex_);
    if (stopping_ || failed_) {
      return;
    }
  }
  Seq next;
  {
    const std::lock_guard state(state_mutex_);
    next = last_seq_ + 1;
    if (!active_blocks_ && !prepared_) {
      return;  // a log that nobody has ever used takes no space
    }
  }
  static_cast<void>(within_memory([&]() -> Result<void> {
    DOCKET_TRY(prepare_next());
    return reserve_seqs(next);
  }));
}

Result<void> WritableLog::prepare_next() {
  if (!prepared_) {
    const SegmentFileHeader header{SegmentKind::active, name_, next_segment_, Seq(0),
                                   std::random_device()()};
    DOCKET_ASSIGN(prepared_, ActiveSegment::prepare_file(*context_.disk, directory_, header));
    next_segment_ += 1;
  }
  return {};
}

// `next` is the seq to be given next, or one that has been given a short time ago.
Result<void> WritableLog::reserve_seqs(Seq next) {
  const bool is_named = !prepared_ || prepared_->id() <= listed_segment_;
  if (is_named && next.value + seqs_ahead_min <= reserved_) {
    return {};
  }
  {
    const std::lock_guard lock(manifest_mutex_);
    Manifest edited = manifest_;
    if (prepared_ && std::ranges::find(edited.unsealed, prepared_->id()) == edited.unsealed.end()) {
      edited.unsealed.push_back(prepared_->id());
    }
    edited.next_segment = next_segment_;
    edited.reserved = std::max(edited.reserved, next + seqs_ahead);
    DOCKET_TRY(save_manifest(*context_.disk, directory_, edited));
    manifest_ = std::move(edited);
    is_manifest_saved_ = true;
  }
  const ListedLog known = *listed();
  DOCKET_TRY(context_.remember(known));
  listed_segment_ = known.begun;
  reserved_ = known.reserved.value;
  return {};
}

Result<void> WritableLog::begin_segment() {
  {
    const std::lock_guard lock(prepare_mutex_);
    DOCKET_TRY(prepare_next());
    DOCKET_TRY(reserve_seqs(next_seq_));
    // Until all is done it stays what it is: whoever comes next begins it another time.
    DOCKET_TRY(prepared_->begin(*context_.disk, directory_, next_seq_));
    DOCKET_ASSIGN(auto file, context_.disk->open(prepared_->path(), OpenMode::read));
    HotBlocks blocks(std::make_shared<const SegmentSource>(std::move(file), *context_.cache,
                                                           prepared_->id(), prepared_->path()),
                     name_, next_seq_);
    const std::lock_guard state(state_mutex_);
    active_blocks_.emplace(std::move(blocks));
    active_ = std::move(prepared_);
    active_bytes_ = active_->end().value;
    active_strings_bytes_ = 0;
    active_reader_.reset();
  }
  context_.wake_maintenance();  // for the one after it
  return {};
}

std::optional<ListedLog> WritableLog::listed() const {
  const std::lock_guard lock(manifest_mutex_);
  if (!is_manifest_saved_) {
    return std::nullopt;
  }
  const Seq reserved = std::max({manifest_.reserved, manifest_.next_seq, manifest_.retired_below});
  return ListedLog{name_, manifest_.next_segment - 1, manifest_.retired_below, reserved};
}

}  // namespace docket
