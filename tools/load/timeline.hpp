// A run as it goes: events that became durable in each slice of time, how long they took, and where
// the server sealed and retired segments.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/result.hpp"
#include "tools/load/recorder.hpp"
#include "tools/load/server_watch.hpp"

namespace docket::load {

struct TimelinePoint {
  double end_s = 0;  // the slice's end, since the run's start
  std::uint64_t events = 0;
  double p50_ms = 0;
  double p99_ms = 0;
  std::uint64_t sealed = 0;  // segments, within the slice
  std::uint64_t retired = 0;
};

// Takes a slice every `interval` on a thread of its own until finish(). The recorder must outlive
// it. A server that cannot be asked for once is left out of that slice; its next answer has the
// difference.
class Timeline {
 public:
  Timeline(Recorder& recorder, ServerWatch watch, std::chrono::milliseconds interval);
  ~Timeline() { static_cast<void>(finish()); }
  Timeline(const Timeline&) = delete;
  Timeline& operator=(const Timeline&) = delete;

  // Takes the last slice, which may be shorter, and ends; once. Slices at the end in which nothing
  // happened are kept.
  [[nodiscard]] std::vector<TimelinePoint> finish();

 private:
  void run();
  void take();
  void look_at_server(TimelinePoint& point);

  Recorder& recorder_;
  const ServerWatch watch_;
  const std::chrono::milliseconds interval_;
  const std::chrono::steady_clock::time_point start_;
  std::vector<TimelinePoint> points_;  // the thread's, until it has ended
  std::uint64_t sealed_ = 0;
  std::uint64_t retired_ = 0;
  std::mutex mutex_;  // guards the next one
  bool over_ = false;
  std::condition_variable ended_;
  std::thread thread_;
};

}  // namespace docket::load
