// Refused senders, for the system's own log: a hostile one must not fill it.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "engine/counts.hpp"
#include "engine/event.hpp"

namespace docket::server {

// The first refusal of a sender for a reason becomes an event at once; those that follow within a
// minute are counted and become one event, with their number, at the first refusal of any sender
// after it. Thread-safe.
class Rejections {
 public:
  explicit Rejections(std::function<void(Event)> record) : record_(std::move(record)) {}

  void observe(const std::string& node, const std::string& peer, const std::string& reason,
               Nanos now);
  // Records what is counted and not yet told.
  void flush();

  static constexpr Nanos window = 60LL * 1'000'000'000;
  // Different (sender, reason) pairs in one window; those beyond share one entry.
  static constexpr std::size_t pairs_max = 1024;

 private:
  struct Counted {
    std::string peer;
    std::uint64_t untold = 0;
  };
  void flush_locked();

  const std::function<void(Event)> record_;
  std::mutex mutex_;
  Nanos window_began_ = 0;
  std::map<std::pair<std::string, std::string>, Counted> counted_;
};

}  // namespace docket::server
