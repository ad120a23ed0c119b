#include "tools/load/progress_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <utility>

#include "tools/load/command_line.hpp"

namespace docket::load {

ProgressLine::ProgressLine(const Recorder& recorder, std::uint64_t events, std::string what)
    : what_(std::move(what)) {
  if (isatty(STDERR_FILENO) == 1) {
    thread_ = std::thread([this, &recorder, events] { show(recorder, events); });
  }
}

ProgressLine::~ProgressLine() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  ended_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
    fmt::print(stderr, "\r\x1b[K");
  }
}

void ProgressLine::show(const Recorder& recorder, std::uint64_t events) {
  std::unique_lock lock(mutex_);
  std::uint64_t before = 0;
  while (!ended_.wait_for(lock, std::chrono::seconds(1), [this] { return over_; })) {
    const std::uint64_t now = recorder.settled();
    fmt::print(stderr, "\r\x1b[K{}{} of {} events settled, {} events/s", what_, grouped(now),
               grouped(events), grouped(now - before));
    before = now;
  }
}

}  // namespace docket::load
