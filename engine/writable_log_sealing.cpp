// WritableLog: freezing, sealing, retiring.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "engine/assert.hpp"
#include "engine/quarantine.hpp"
#include "engine/sealer.hpp"
#include "engine/timestamp.hpp"
#include "engine/writable_log.hpp"

namespace docket {

namespace {

// What sealing reads goes through a small cache of its own: it passes once.
constexpr std::uint64_t sealing_cache_bytes = std::uint64_t{32} << 20;

}  // namespace

// The active segment stands still from here on; the next batch begins a new one. Held back while
// too many wait to be sealed.
bool WritableLog::freeze_active() {
  mark_active();
  const auto moved = within_memory([this]() -> Result<bool> { return move_to_frozen(); });
  if (!moved || !*moved) {
    return false;
  }
  active_.reset();
  mark_due_.reset();
  context_.wake_maintenance();
  return true;
}

bool WritableLog::move_to_frozen() {
  ProducerTable producers;
  {
    const std::lock_guard lock(producers_mutex_);
    producers_.expire(now_ns() - one_off_lifetime);
    producers = producers_;
  }
  const std::lock_guard lock(state_mutex_);
  if (!active_blocks_ || frozen_.size() >= frozen_max) {
    return false;
  }
  // A copy, which shares the arrays: the active ones go only once it is in its place.
  frozen_.push_back({active_->id(), *active_blocks_, active_blocks_->reader(active_bytes_),
                     std::move(producers), active_bytes_, next_seq_, false});
  active_blocks_.reset();
  active_reader_.reset();
  active_bytes_ = 0;
  return true;
}

std::size_t WritableLog::frozen_count() const {
  const std::lock_guard lock(state_mutex_);
  return frozen_.size();
}

Result<void> WritableLog::seal_oldest() {
  const Frozen* frozen = nullptr;
  std::uint64_t attempt = 0;
  {
    const std::lock_guard lock(state_mutex_);
    if (frozen_.empty()) {
      return {};
    }
    attempt = ++seal_attempts_;
    frozen = &frozen_.front();  // only this thread takes from the front
  }
  auto sealed = within_memory([&] { return seal_frozen(*frozen); });
  if (!sealed) {
    tell([&](StoreObserver& observer) {
      observer.notice(name_, "seal_failed", sealed.error().describe());
    });
    const std::lock_guard lock(state_mutex_);
    failed_seal_attempt_ = attempt;
    seal_error_ = told(sealed.error());
    frozen_changed_.notify_all();
  }
  return sealed;
}

Result<void> WritableLog::seal_frozen(const Frozen& frozen) {
  if (frozen.reader->info().rows == 0) {
    return replace_frozen(frozen, {}, {});
  }
  SectionCache cache(sealing_cache_bytes);
  const std::string& path = frozen.reader->info().path;
  DOCKET_ASSIGN(auto file, context_.disk->open(path, OpenMode::read));
  const auto reader = frozen.blocks.reader(
      frozen.bytes, std::make_shared<const SegmentSource>(std::move(file), cache, frozen.id, path));
  DOCKET_ASSIGN(SealResult sealed,
                seal_segment(*context_.disk, {reader.get(), directory_, frozen.producers}));
  std::vector<Gap> losses;
  for (SealLoss& loss : sealed.losses) {
    const auto recorded = record_quarantine(*context_.disk, directory_,
                                            {.time = now_ns(),
                                             .file = segment_file_name(frozen.id, "hot"),
                                             .kept = segment_file_name(frozen.id, "hot.damaged"),
                                             .offset = loss.range.at.value,
                                             .bytes = loss.range.bytes,
                                             .first_seq = loss.first_seq,
                                             .last_seq = loss.last_seq,
                                             .reason = loss.reason});
    if (!recorded && recorded.error().code != ErrorCode::overloaded) {
      return recorded;
    }
    tell([&](StoreObserver& observer) {
      observer.notice(name_, "damage_quarantined",
                      "seqs " + std::to_string(loss.first_seq.value) + " to " +
                          std::to_string(loss.last_seq.value) + ": " + loss.reason);
    });
    losses.push_back({name_, loss.first_seq, loss.last_seq, std::move(loss.reason)});
  }
  return replace_frozen(frozen, std::move(sealed.info), std::move(losses));
}

Result<void> WritableLog::replace_frozen(const Frozen& frozen, SegmentInfo info,
                                         std::vector<Gap> losses) {
  // What it takes to finish is there before the manifest lists the new segment: stopped half way it
  // would be listed once more by the next attempt.
  const std::string hot_path = frozen.reader->info().path;
  const std::string damaged_path = hot_path + ".damaged";
  const bool keep = frozen.keep_file || !losses.empty();
  const bool any_rows = info.rows != 0;
  std::shared_ptr<const SealedSegment> segment;
  if (any_rows) {
    segment = std::make_shared<const SealedSegment>(*context_.disk, *context_.cache, info);
  }
  {
    const std::lock_guard lock(state_mutex_);
    sealed_.reserve(sealed_.size() + 1);
    gaps_.reserve(gaps_.size() + losses.size());
  }
  {
    const std::lock_guard lock(manifest_mutex_);
    Manifest edited = manifest_;
    if (any_rows) {
      edited.segments.push_back(info);
    }
    edited.gaps.insert(edited.gaps.end(), losses.begin(), losses.end());
    std::sort(edited.gaps.begin(), edited.gaps.end());
    std::erase(edited.unsealed, frozen.id);
    edited.next_seq = frozen.next_seq;
    edited.next_segment = SegmentId(std::max(edited.next_segment.value, frozen.id.value + 1));
    edited.producers = frozen.producers;
    DOCKET_TRY(save_manifest(*context_.disk, directory_, edited));
    manifest_ = std::move(edited);
  }
  // Readers have the file open. What cannot be removed now is removed at the next start: the
  // manifest lists its successor.
  static_cast<void>(within_memory([&] {
    static_cast<void>(keep ? context_.disk->rename(hot_path, damaged_path)
                           : context_.disk->unlink(hot_path));
    return context_.disk->sync_directory(directory_);
  }));
  if (segment) {
    tell([&](StoreObserver& observer) { observer.segment_sealed(name_, segment, directory_); });
  }
  {
    const std::lock_guard lock(state_mutex_);
    if (segment) {
      sealed_.push_back(std::move(segment));
    }
    gaps_.insert(gaps_.end(), std::move_iterator(losses.begin()), std::move_iterator(losses.end()));
    std::sort(gaps_.begin(), gaps_.end());
    frozen_.pop_front();
  }
  frozen_changed_.notify_all();
  return {};
}

void WritableLog::merge_small_blocks() {
  SmallBlockMerge run;
  std::shared_ptr<const SegmentSource> file;
  std::shared_ptr<const SegmentSource> memory;
  {
    const std::lock_guard lock(state_mutex_);
    if (!merge_wanted_) {
      return;
    }
    merge_wanted_ = false;
    if (!active_blocks_ || !active_blocks_->has_small_run()) {
      return;
    }
    run = active_blocks_->small_run();
    file = active_blocks_->source();
    memory = active_blocks_->memory();
  }
  const auto merged = within_memory([&] { return HotBlocks::merge(*file, *memory, run); });
  if (!merged) {
    return;  // whoever reads the blocks one by one will meet the error, and name its place
  }
  const std::lock_guard lock(state_mutex_);
  if (active_blocks_ && active_blocks_->memory() == memory &&
      active_blocks_->replace(run, *merged)) {
    active_reader_.reset();
  }
}

std::vector<std::shared_ptr<const SealedSegment>> WritableLog::sealed() const {
  const std::lock_guard lock(state_mutex_);
  return sealed_;
}

Result<void> WritableLog::retire(std::span<const RetirementPlan> plans) {
  // There before the edit, behind which nothing may stop half way.
  std::vector<std::shared_ptr<const SealedSegment>> retired;
  std::vector<std::vector<std::string>> files;
  retired.reserve(plans.size());
  files.reserve(plans.size());
  const auto removal = std::make_shared<const SegmentRemoval>(*context_.disk, directory_);
  {
    const std::lock_guard lock(manifest_mutex_);
    const auto is_planned = [this](const SegmentInfo& info, const RetirementPlan& plan) {
      return info.id == plan.segment && plan.log == name_;
    };
    const auto end = manifest_.segments.begin() +
                     static_cast<std::ptrdiff_t>(std::min(plans.size(), manifest_.segments.size()));
    if (!std::equal(manifest_.segments.begin(), end, plans.begin(), plans.end(), is_planned)) {
      return fail(
          ErrorCode::invalid_argument,
          fmt::format("segment {} and the {} planned behind it are not the oldest of log {}",
                      plans.front().segment.value, plans.size() - 1, name_));
    }
    Manifest edited = manifest_;
    const auto edited_end = edited.segments.begin() + static_cast<std::ptrdiff_t>(plans.size());
    for (auto info = edited.segments.begin(); info != edited_end; ++info) {
      const std::string index = directory_ + "/" + segment_file_name(info->id, "idx");
      std::vector<std::string>& of_segment = files.emplace_back();
      of_segment.push_back(info->path);
      if (const auto exists = context_.disk->exists(index); exists && *exists) {
        of_segment.push_back(index);
      }
      edited.retired_events += info->rows;
      edited.retired_below = info->last_seq + 1;
    }
    edited.segments.erase(edited.segments.begin(), edited_end);
    const auto is_retired = [below = edited.retired_below](const Gap& gap) {
      return gap.last_seq < below;
    };
    std::erase_if(edited.gaps, is_retired);
    DOCKET_TRY(save_manifest(*context_.disk, directory_, edited));
    manifest_ = std::move(edited);
    const std::lock_guard state(state_mutex_);
    const auto sealed_end = sealed_.begin() + static_cast<std::ptrdiff_t>(plans.size());
    DOCKET_ASSERT(sealed_.size() >= plans.size() &&
                  (sealed_end - 1)->get()->info().id == plans.back().segment);
    std::move(sealed_.begin(), sealed_end, std::back_inserter(retired));
    sealed_.erase(sealed_.begin(), sealed_end);
    std::erase_if(gaps_, is_retired);
  }
  for (std::size_t i = 0; i < retired.size(); ++i) {
    retired[i]->remove_when_released(std::move(files[i]), removal);
  }
  return {};
}

}  // namespace docket
