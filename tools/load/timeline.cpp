#include "tools/load/timeline.hpp"

#include <utility>

namespace docket::load {

Timeline::Timeline(Recorder& recorder, ServerWatch watch, std::chrono::milliseconds interval)
    : recorder_(recorder),
      watch_(std::move(watch)),
      interval_(interval),
      start_(std::chrono::steady_clock::now()) {
  TimelinePoint before;
  look_at_server(before);  // what was sealed earlier is no mark of this run
  thread_ = std::thread([this] { run(); });
}

std::vector<TimelinePoint> Timeline::finish() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  ended_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
    take();
  }
  return std::exchange(points_, {});
}

void Timeline::run() {
  std::unique_lock lock(mutex_);
  // By the clock and not by pauses: slices do not drift where the server answers slowly.
  for (auto due = start_ + interval_;; due += interval_) {
    if (ended_.wait_until(lock, due, [this] { return over_; })) {
      return;
    }
    lock.unlock();
    take();
    lock.lock();
  }
}

void Timeline::take() {
  const Recorder::Slice slice = recorder_.take_slice();
  TimelinePoint point;
  point.end_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  point.events = slice.events;
  point.p50_ms = static_cast<double>(slice.p50) / 1e6;
  point.p99_ms = static_cast<double>(slice.p99) / 1e6;
  look_at_server(point);
  points_.push_back(point);
}

void Timeline::look_at_server(TimelinePoint& point) {
  const auto asked = watch_.figures();
  if (!asked || !*asked) {
    return;
  }
  point.sealed = (*asked)->sealed_segments - std::exchange(sealed_, (*asked)->sealed_segments);
  point.retired = (*asked)->retired_segments - std::exchange(retired_, (*asked)->retired_segments);
}

}  // namespace docket::load
