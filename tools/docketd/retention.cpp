#include "tools/docketd/retention.hpp"

#include <chrono>

#include "engine/out_of_memory.hpp"
#include "engine/timestamp.hpp"
#include "tools/docketd/logger.hpp"
#include "tools/docketd/system_events.hpp"

namespace docket::server {

Retention::Retention(Store& store, RetentionSettings settings, Record record)
    : store_(store), record_(std::move(record)), settings_(std::move(settings)) {
  thread_ = std::thread([this] { run(); });
}

Retention::~Retention() {
  stop();
}

void Retention::change(RetentionSettings settings) {
  const std::lock_guard lock(mutex_);
  settings_ = std::move(settings);
  changed_ = true;
  wake_.notify_one();
}

RetentionSettings Retention::settings() const {
  const std::lock_guard lock(mutex_);
  return settings_;
}

void Retention::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

std::uint64_t Retention::retired() const {
  const std::lock_guard lock(mutex_);
  return retired_;
}

std::uint64_t Retention::failures() const {
  const std::lock_guard lock(mutex_);
  return failures_;
}

void Retention::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, std::chrono::nanoseconds(settings_.interval),
                     [this] { return stopping_ || changed_; });
      if (stopping_) {
        return;
      }
      changed_ = false;
    }
    const auto looked = within_memory([this]() -> Result<void> {
      look(settings());
      return {};
    });
    if (!looked) {
      // What is left to retire is found again by the next look.
      const std::lock_guard lock(mutex_);
      ++failures_;
    }
  }
}

void Retention::look(const RetentionSettings& settings) {
  const auto plans =
      store_.plan_retirement([&settings](std::string_view log) { return settings.of(log); },
                             settings.free_space_floor, now_ns());
  for (const RetirementPlan& plan : plans) {
    Result<void> done = record_(retired_event(plan));
    if (done) {
      done = store_.retire(plan);
      if (!done) {
        // Best effort: the failure is in our log and in the metrics as well.
        static_cast<void>(record_(retire_failed_event(plan, done.error().describe())));
      }
    }
    const std::lock_guard lock(mutex_);
    if (done) {
      ++retired_;
    } else {
      ++failures_;
      log_line(LogLevel::error, "a segment could not be retired",
               {{"log", plan.log},
                {"segment", std::to_string(plan.segment.value)},
                {"error", done.error().describe()}});
    }
    // What has changed meanwhile (other policies, or the end) goes first; the rest is planned anew.
    if (stopping_ || changed_) {
      return;
    }
  }
}

}  // namespace docket::server
