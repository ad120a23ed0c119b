#include "ingest/client_loop.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>

#include "engine/assert.hpp"

namespace docket::client {
namespace {

// How long the loop is left to those who wait once nobody has any more; signs of life are due far
// less often.
constexpr std::chrono::nanoseconds unused_max = std::chrono::milliseconds(100);

}  // namespace

ClientLoop::ClientLoop(boost::asio::io_context& io, std::mutex& mutex,
                       std::chrono::nanoseconds lent_for)
    : io_(io),
      mutex_(mutex),
      lent_for_(lent_for),
      timer_(lent_for.count() == 0 ? -1 : ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)) {}

ClientLoop::~ClientLoop() {
  if (timer_ >= 0) {
    ::close(timer_);
  }
}

// An exception ends the process, here and below: only memory can run out, and a client that has
// stopped in silence would lose events.
void ClientLoop::run() noexcept {
  while (io_.run_one() != 0) {
    if (is_wanted_.load(std::memory_order_relaxed)) {
      lend();
    }
  }
}

// Whoever waits once does so again, mostly: the loop is left to them, without another waking, for
// as long as they come often enough.
void ClientLoop::lend() {
  std::unique_lock lock(mutex_);
  if (!is_wanted_.exchange(false)) {
    return;
  }
  runner_ = Runner::nobody;
  changed_.notify_all();
  for (bool is_mine = false; !is_mine;) {
    const std::uint64_t before = times_lent_;
    call_own(unused_max);
    is_called_ = false;
    lock.unlock();
    std::uint64_t times = 0;
    while (::read(timer_, &times, sizeof times) < 0 && errno == EINTR) {
    }
    lock.lock();
    // Where it is lent, who has it calls when there is reason to.
    is_mine = runner_ == Runner::nobody && (is_called_ || times_lent_ == before);
  }
  runner_ = Runner::own;
}

void ClientLoop::call_own(std::chrono::nanoseconds after) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(after);
  itimerspec when{};
  when.it_value.tv_sec = seconds.count();
  when.it_value.tv_nsec = (after - seconds).count();
  DOCKET_ASSERT(::timerfd_settime(timer_, 0, &when, nullptr) == 0);
}

bool ClientLoop::wait_until(std::unique_lock<std::mutex>& lock, Clock::time_point deadline,
                            const std::function<bool()>& is_done) noexcept {
  while (!is_done()) {
    if (Clock::now() >= deadline) {
      return false;
    }
    if (runner_ != Runner::nobody) {
      // Seen when the own thread has done what it does next: it need not be woken for this alone.
      is_wanted_ = runner_ == Runner::own && timer_ >= 0;
      changed_.wait_until(lock, deadline, [&] { return runner_ == Runner::nobody || is_done(); });
      continue;
    }
    runner_ = Runner::lent;
    ++times_lent_;
    if (is_called_) {
      is_called_ = false;
      call_own(unused_max);
    }
    while (!is_done() && Clock::now() < deadline) {
      lock.unlock();
      io_.run_one_until(deadline);
      lock.lock();
    }
    runner_ = Runner::nobody;
    if (!is_done()) {
      hurry();
      changed_.notify_all();  // another that waits may be the first to come
    }
  }
  return true;
}

void ClientLoop::posted() {
  if (runner_ == Runner::nobody && !is_called_) {
    is_called_ = true;
    call_own(lent_for_);
  }
}

void ClientLoop::hurry() {
  if (runner_ == Runner::nobody) {
    is_called_ = true;
    call_own(std::chrono::nanoseconds(1));
  } else if (runner_ == Runner::own) {
    is_wanted_ = false;  // it stays
  }
}

}  // namespace docket::client
