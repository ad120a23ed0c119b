// The thread that scrubs, with the lowest priority there is.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "engine/disk.hpp"
#include "engine/log.hpp"
#include "tools/docketd/scrubber.hpp"

namespace docket::server {

// Owns one thread. Thread-safe.
class Scrub {
 public:
  // `disk` and `store` must outlive it. Everything is read once in a `period`; 0: never. `found` is
  // called from the thread.
  Scrub(Disk& disk, Store& store, Nanos period, std::function<void(const verify::Damage&)> found);
  ~Scrub();  // stop()
  Scrub(const Scrub&) = delete;
  Scrub& operator=(const Scrub&) = delete;

  void change(Nanos period);
  // Breaks off and ends the thread. Idempotent.
  void stop();
  [[nodiscard]] ScrubStats stats() const { return scrubber_.stats(); }

 private:
  void run();
  // False: it is to stop, or the period has changed.
  bool wait_until(Nanos when);

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Nanos period_;
  bool changed_ = false;
  bool stopping_ = false;
  Scrubber scrubber_;
  std::thread thread_;
};

}  // namespace docket::server
