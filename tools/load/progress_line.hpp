// A line a second on a terminal: how far the sender is. Nothing where there is none.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "tools/load/recorder.hpp"

namespace docket::load {

// Shows from construction to destruction; the recorder must outlive it. `what` stands in front.
class ProgressLine {
 public:
  ProgressLine(const Recorder& recorder, std::uint64_t events, std::string what);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

 private:
  void show(const Recorder& recorder, std::uint64_t events);

  const std::string what_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace docket::load
