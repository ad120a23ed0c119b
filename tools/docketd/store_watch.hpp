// What the engine tells the outside: builds the index of each sealed segment, wakes followers, and
// passes notices on to the operator and the system's own log.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "engine/event.hpp"
#include "engine/log.hpp"
#include "index/catalog.hpp"

namespace docket::server {

// Thread-safe. The catalog must outlive it, and it must outlive the store.
class StoreWatch final : public StoreObserver {
 public:
  explicit StoreWatch(index::Catalog& catalog) : catalog_(catalog) {}

  void segment_sealed(const std::string& log, const std::shared_ptr<const SegmentReader>& segment,
                      const std::string& directory) override;
  void events_visible(const std::string& log, Seq last) override;
  void notice(const std::string& log, const std::string& kind, const std::string& detail) override;

  // What an answer could not be given from. Each is told once, however many answers lack it.
  void gaps_met(const std::vector<Gap>& gaps);

  // Where events for the system's own log go from now on, those kept since the store was opened
  // first. Empty: nowhere.
  void send_events_to(std::function<void(Event)> sink);

  // Rises with every change of what is visible.
  [[nodiscard]] const std::atomic<std::uint64_t>& visible() const { return visible_; }
  // Segments that were sealed, since start.
  [[nodiscard]] std::uint64_t sealed() const { return sealed_; }
  // Indexes that could not be built, since start.
  [[nodiscard]] std::uint64_t index_failures() const { return index_failures_; }

 private:
  index::Catalog& catalog_;
  std::atomic<std::uint64_t> visible_{0};
  std::atomic<std::uint64_t> sealed_{0};
  std::atomic<std::uint64_t> index_failures_{0};
  std::mutex mutex_;
  std::function<void(Event)> sink_;
  std::set<Gap> met_;
  std::vector<Event> early_;  // notices of the store's opening, before there is a sink
};

}  // namespace docket::server
