#include "tools/docketd/scrub.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "engine/thread_priority.hpp"
#include "engine/timestamp.hpp"

namespace docket::server {

namespace {

// Of the calling thread alone, as Linux has it: the disk when nobody else wants it, the processor
// nearly so. Where it is not allowed the pace alone has to do.
void lower_priority() {
  constexpr int who_process = 1;       // IOPRIO_WHO_PROCESS; 0: the calling thread
  constexpr int idle_class = 3 << 13;  // IOPRIO_CLASS_IDLE
  static_cast<void>(::syscall(SYS_ioprio_set, who_process, 0, idle_class));
  lower_thread_priority(idle_niceness);
}

}  // namespace

Scrub::Scrub(Disk& disk, Store& store, Nanos period,
             std::function<void(const verify::Damage&)> found)
    : period_(period),
      scrubber_(disk, store,
                {[] { return now_ns(); }, [this](Nanos when) { return wait_until(when); },
                 std::move(found)}) {
  thread_ = std::thread([this] { run(); });
}

Scrub::~Scrub() {
  stop();
}

void Scrub::change(Nanos period) {
  const std::lock_guard lock(mutex_);
  changed_ = changed_ || period != period_;
  period_ = period;
  wake_.notify_one();
}

void Scrub::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

bool Scrub::wait_until(Nanos when) {
  std::unique_lock lock(mutex_);
  const auto interrupted = [this] { return stopping_ || changed_; };
  for (Nanos now = now_ns(); now < when && !interrupted(); now = now_ns()) {
    wake_.wait_for(lock, std::chrono::nanoseconds(when - now), interrupted);
  }
  return !interrupted();
}

void Scrub::run() {
  lower_priority();
  for (;;) {
    Nanos period = 0;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || period_ != 0; });
      if (stopping_) {
        return;
      }
      changed_ = false;
      period = period_;
    }
    if (wait_until(scrubber_.next_round(period))) {
      scrubber_.run(period);
    }
  }
}

}  // namespace docket::server
