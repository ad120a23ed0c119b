// Who runs a client's io_context: a thread of its own, or, while one waits for answers in flush(),
// that thread. It then sends and receives by itself, where two threads would wake each other for
// each event. Internal to the client.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

namespace docket::client {

//   own --wanted--> free --wait_until()--> lent
//    ^                | ^                    |
//    \-- the timer ---/ \--what was waited for is there--/
//
// L1  One thread at a time runs the io_context, and all that it has done the next one sees.
// L2  While it is free, what is posted is seen within `lent_for`, and at once after hurry().
// L3  Nothing is left to be done when it becomes free, or the own thread is called.
class ClientLoop {
 public:
  using Clock = std::chrono::steady_clock;

  // Both must outlive it. `mutex` guards what is waited for, too. With a `lent_for` of 0 the own
  // thread alone runs the loop.
  ClientLoop(boost::asio::io_context& io, std::mutex& mutex, std::chrono::nanoseconds lent_for);
  ~ClientLoop();
  ClientLoop(const ClientLoop&) = delete;
  ClientLoop& operator=(const ClientLoop&) = delete;

  // What the own thread does, until the io_context has no work left.
  void run() noexcept;
  // Any thread, `lock` holds the mutex. Waits until `is_done`, which is called with the mutex held,
  // or until the deadline; runs the loop meanwhile if it may. False: the deadline has passed.
  bool wait_until(std::unique_lock<std::mutex>& lock, Clock::time_point deadline,
                  const std::function<bool()>& is_done) noexcept;
  // Any thread: what is waited for may be there.
  void changed() { changed_.notify_all(); }
  // Any thread, with the mutex held: something has been posted that nobody waits for.
  void posted();
  // The same, of what somebody waits for.
  void hurry();

 private:
  enum class Runner : std::uint8_t { own, nobody, lent };

  void lend();
  void call_own(std::chrono::nanoseconds after);

  boost::asio::io_context& io_;
  std::mutex& mutex_;
  const std::chrono::nanoseconds lent_for_;
  const int timer_;  // a descriptor: setting it wakes nobody; negative: there is none
  std::condition_variable changed_;
  std::atomic<bool> is_wanted_ = false;  // set with the mutex held
  Runner runner_ = Runner::own;
  bool is_called_ = false;  // the own thread, for soon
  std::uint64_t times_lent_ = 0;
};

}  // namespace docket::client
