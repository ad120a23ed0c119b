#include "tools/docketd/store_watch.hpp"

#include <fmt/format.h>

#include <utility>

#include "engine/out_of_memory.hpp"
#include "tools/docketd/logger.hpp"
#include "tools/docketd/system_events.hpp"

namespace docket::server {

namespace {

// A store with more damage than this shows it in its gaps; the first notices are enough for a log.
constexpr std::size_t early_max = 1024;
constexpr std::size_t met_max = 4096;

}  // namespace

void StoreWatch::segment_sealed(const std::string& log,
                                const std::shared_ptr<const SegmentReader>& segment,
                                const std::string& directory) {
  ++sealed_;
  const std::string id = std::to_string(segment->info().id.value);
  const auto built = within_memory([&] { return catalog_.build(segment); });
  if (!built) {
    // Answers stay exact: the index is built in memory when it is asked for.
    ++index_failures_;
    log_line(LogLevel::error, "an index could not be built",
             {{"log", log}, {"segment", id}, {"error", built.error().describe()}});
    return;
  }
  log_line(LogLevel::info, "segment sealed",
           {{"log", log},
            {"segment", id},
            {"events", std::to_string(segment->info().rows)},
            {"bytes", std::to_string(segment->info().bytes)},
            {"directory", directory}});
}

void StoreWatch::events_visible(const std::string& /*log*/, Seq /*last*/) {
  ++visible_;
}

void StoreWatch::notice(const std::string& log, const std::string& kind,
                        const std::string& detail) {
  // Retirement was recorded before it was done.
  const bool is_record = kind == "segment_retired";
  log_line(is_record ? LogLevel::info : LogLevel::warning, kind,
           {{"log", log}, {"detail", detail}});
  if (is_record) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (sink_) {
    sink_(notice_event(log, kind, detail));
  } else if (early_.size() < early_max) {
    early_.push_back(notice_event(log, kind, detail));
  }
}

void StoreWatch::gaps_met(const std::vector<Gap>& gaps) {
  for (const Gap& gap : gaps) {
    {
      const std::lock_guard lock(mutex_);
      if (met_.size() >= met_max || !met_.insert(gap).second) {
        continue;
      }
    }
    notice(gap.log, "damage_met",
           fmt::format("{}:{} to {}:{} cannot be read: {}", gap.log, gap.first_seq.value, gap.log,
                       gap.last_seq.value, gap.reason));
  }
}

void StoreWatch::send_events_to(std::function<void(Event)> sink) {
  const std::lock_guard lock(mutex_);
  sink_ = std::move(sink);
  if (sink_) {
    for (Event& event : std::exchange(early_, {})) {
      sink_(std::move(event));
    }
  }
}

}  // namespace docket::server
