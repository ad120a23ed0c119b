#include "tools/docketd/retention.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>

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
  std::span<const RetirementPlan> left(plans);
  while (!left.empty()) {
    const auto other = std::ranges::find_if(
        left, [&left](const RetirementPlan& plan) { return plan.log != left.front().log; });
    const std::size_t count =
        std::min(retirement_max, static_cast<std::size_t>(other - left.begin()));
    if (!retire(left.first(count))) {
      return;
    }
    left = left.subspan(count);
  }
}

bool Retention::retire(std::span<const RetirementPlan> plans) {
  std::vector<Event> events;
  std::ranges::transform(plans, std::back_inserter(events), retired_event);
  Result<void> done = record_(std::move(events));
  if (done) {
    done = store_.retire(plans);
    if (!done) {
      events.clear();
      for (const RetirementPlan& plan : plans) {
        events.push_back(retire_failed_event(plan, done.error().describe()));
      }
      // Best effort: the failure is in our log and in the metrics as well.
      static_cast<void>(record_(std::move(events)));
    }
  }
  const std::lock_guard lock(mutex_);
  if (done) {
    retired_ += plans.size();
  } else {
    failures_ += plans.size();
    log_line(LogLevel::error, "segments could not be retired",
             {{"log", plans.front().log},
              {"first_segment", std::to_string(plans.front().segment.value)},
              {"segments", std::to_string(plans.size())},
              {"error", done.error().describe()}});
  }
  // What has changed meanwhile (other policies, or the end) goes first; the rest is planned anew.
  return !stopping_ && !changed_;
}

}  // namespace docket::server
