#include "engine/retention.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/segment_file.hpp"

namespace docket {

namespace {

constexpr std::string_view system_log = "docket";
constexpr Nanos second = 1'000'000'000;

std::string duration_text(Nanos ns) {
  const Nanos seconds = ns / second;
  if (seconds % 86400 == 0) {
    return fmt::format("{}d", seconds / 86400);
  }
  if (seconds % 3600 == 0) {
    return fmt::format("{}h", seconds / 3600);
  }
  return fmt::format("{}s", seconds);
}

// The segments of one log that are still there, oldest at `next`.
struct LogQueue {
  std::vector<const RetentionCandidate*> segments;
  std::size_t next = 0;
  std::uint64_t bytes = 0;

  [[nodiscard]] const RetentionCandidate* oldest() const {
    return next < segments.size() ? segments[next] : nullptr;
  }
};

class Planner {
 public:
  Planner(std::uint64_t free_now, Nanos now) : free_(free_now), now_(now) {}

  void add(const RetentionCandidate& candidate) {
    LogQueue& queue = logs_[candidate.log];
    queue.segments.push_back(&candidate);
    queue.bytes += candidate.bytes;
  }

  void apply(const std::function<RetentionPolicy(std::string_view log)>& policy_of) {
    for (auto& [log, queue] : logs_) {
      const RetentionPolicy policy = policy_of(log);
      while (const RetentionCandidate* oldest = queue.oldest()) {
        if (policy.max_age && oldest->info.received_max < now_ - *policy.max_age) {
          retire(queue, "older than " + duration_text(*policy.max_age));
        } else if (policy.max_bytes && queue.bytes > *policy.max_bytes) {
          retire(queue, fmt::format("log over {} bytes", *policy.max_bytes));
        } else {
          break;
        }
      }
    }
  }

  void keep_free(std::uint64_t floor) {
    while (free_ < floor) {
      LogQueue* choice = nullptr;
      for (auto& [log, queue] : logs_) {
        if (queue.oldest() != nullptr && (choice == nullptr || goes_before(queue, *choice))) {
          choice = &queue;
        }
      }
      if (choice == nullptr) {
        return;
      }
      retire(*choice, fmt::format("free space under {} bytes", floor));
    }
  }

  std::vector<RetirementPlan> take() { return std::move(plans_); }

 private:
  static bool goes_before(const LogQueue& a, const LogQueue& b) {
    const RetentionCandidate* x = a.oldest();
    const RetentionCandidate* y = b.oldest();
    if ((x->log == system_log) != (y->log == system_log)) {
      return y->log == system_log;
    }
    return x->info.received_max < y->info.received_max;
  }

  void retire(LogQueue& queue, std::string reason) {
    const RetentionCandidate& segment = *queue.segments[queue.next++];
    queue.bytes -= segment.bytes;
    free_ += std::min(segment.bytes, UINT64_MAX - free_);
    plans_.push_back({segment.log, segment.info.id, segment.info.first_seq, segment.info.last_seq,
                      segment.bytes, std::move(reason)});
  }

  std::map<std::string, LogQueue, std::less<>> logs_;
  std::uint64_t free_;
  Nanos now_;
  std::vector<RetirementPlan> plans_;
};

}  // namespace

std::map<SegmentId, SealedFileBytes> sealed_file_bytes(Disk& disk, const std::string& directory) {
  std::map<SegmentId, SealedFileBytes> segments;
  if (const auto entries = disk.list(directory)) {
    for (const DirectoryEntry& entry : *entries) {
      const auto file = parse_segment_file_name(entry.name);
      if (file && (file->extension == "seg" || file->extension == "idx")) {
        SealedFileBytes& of = segments[file->id];
        of.bytes += entry.bytes;
        of.index_bytes += file->extension == "idx" ? entry.bytes : 0;
      }
    }
  }
  return segments;
}

std::vector<RetirementPlan> plan_retirements(
    const std::vector<RetentionCandidate>& candidates,
    const std::function<RetentionPolicy(std::string_view log)>& policy, std::uint64_t free_now,
    std::uint64_t free_floor, Nanos now) {
  Planner planner(free_now, now);
  for (const RetentionCandidate& candidate : candidates) {
    planner.add(candidate);
  }
  planner.apply(policy);
  planner.keep_free(free_floor);
  return planner.take();
}

}  // namespace docket
