// Refused senders and askers, for the system's own log: a hostile one must not fill it.
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
  // Makes the event of `times` refusals of `who` for one reason, the first from `peer`.
  using MakeEvent = std::function<Event(const std::string& who, const std::string& peer,
                                        const std::string& reason, std::uint64_t times)>;

  Rejections(std::function<void(Event)> record, MakeEvent make_event)
      : record_(std::move(record)), make_event_(std::move(make_event)) {}

  void observe(const std::string& who, const std::string& peer, const std::string& reason,
               Nanos now);
  // Records what is counted and not yet told.
  void flush();

  static constexpr Nanos window = 60LL * 1'000'000'000;
  // Different (who, reason) pairs in one window; those beyond share one entry.
  static constexpr std::size_t pairs_max = 1024;

 private:
  struct Counted {
    std::string peer;
    std::uint64_t untold = 0;
  };
  void flush_locked();

  const std::function<void(Event)> record_;
  const MakeEvent make_event_;
  std::mutex mutex_;
  Nanos window_began_ = 0;
  std::map<std::pair<std::string, std::string>, Counted> counted_;
};

}  // namespace docket::server
