// Retires what the policies no longer keep: whole sealed segments, each recorded durably in the
// system's own log before it goes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "engine/log.hpp"
#include "engine/result.hpp"
#include "tools/docketd/settings.hpp"

namespace docket::server {

// Owns one thread. Thread-safe.
class Retention {
 public:
  // Makes events durable, of retirement_max segments at most; those whose records cannot be made
  // stay.
  using Record = std::function<Result<void>(std::vector<Event>)>;

  // `store` must outlive it. Looks at once, and then at the interval of the settings.
  Retention(Store& store, RetentionSettings settings, Record record);
  ~Retention();  // stop()
  Retention(const Retention&) = delete;
  Retention& operator=(const Retention&) = delete;

  // Counts from the next look on, which is now.
  void change(RetentionSettings settings);
  [[nodiscard]] RetentionSettings settings() const;
  // Ends the thread, after the retirement at hand. Idempotent.
  void stop();

  // Segments retired and failures to do so, since start.
  [[nodiscard]] std::uint64_t retired() const;
  [[nodiscard]] std::uint64_t failures() const;

  // Segments of one log that are retired in one step.
  static constexpr std::size_t retirement_max = 64;

 private:
  void run();
  void look(const RetentionSettings& settings);
  // Those of one log. False: something else comes first.
  bool retire(std::span<const RetirementPlan> plans);

  Store& store_;
  const Record record_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  RetentionSettings settings_;
  bool changed_ = true;
  bool stopping_ = false;
  std::uint64_t retired_ = 0;
  std::uint64_t failures_ = 0;
  std::thread thread_;
};

}  // namespace docket::server
