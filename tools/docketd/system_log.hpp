// The writer of the system's own log.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/event.hpp"
#include "engine/log.hpp"
#include "engine/result.hpp"

namespace docket::server {

// Thread-safe. Owns one thread, which stores what was recorded in order, many events to a batch
// where they come fast. While the disk is full it keeps them and tries again, and stores only what
// somebody waits for: what makes room must not be kept out by what can wait. What finds no room in
// the queue is counted, and the count becomes an event of its own.
class SystemLog {
 public:
  // `log` must outlive it. `disk_is_full` is asked from its thread: senders are refused now.
  explicit SystemLog(Log& log, std::function<bool()> disk_is_full = [] { return false; });
  ~SystemLog();  // close()
  SystemLog(const SystemLog&) = delete;
  SystemLog& operator=(const SystemLog&) = delete;

  // Never blocks, and never throws: what there is no memory for is dropped, and counted.
  void record(Event event);
  // Blocks until the events are on stable storage; of several, some may be where it fails. Not
  // turned away by a full queue: whoever waits here comes with few events, and no more meanwhile.
  [[nodiscard]] Result<void> record_durably(std::vector<Event> events);
  // Stores what waits, trying at most once more, and ends the thread. Idempotent.
  void close();

  // Events that could not be kept, since start.
  [[nodiscard]] std::uint64_t dropped() const;

  // How many events may wait; some tens of megabytes at worst.
  static constexpr std::size_t queue_max = 16'384;

 private:
  struct Item {
    Event event;
    std::shared_ptr<std::promise<Result<void>>> done;  // null: nobody waits
  };

  void run();
  // Stores those that somebody waits for, the rest of the queue included; leaves the others.
  void store_urgent(std::vector<Item>& items);
  // Stores the items, or says why not.
  [[nodiscard]] Result<void> store(const std::vector<Item>& items);

  Log& log_;
  const std::function<bool()> disk_is_full_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Item> queue_;
  std::uint64_t dropped_ = 0;  // in all
  std::uint64_t untold_ = 0;   // of these, not yet in an event
  std::size_t urgent_ = 0;     // items of the queue that somebody waits for
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace docket::server
