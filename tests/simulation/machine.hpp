// One machine in one process: its threads take turns as a seed decides, its clocks are virtual, and
// what was done under a seed once is done again under the same seed.
//
// The code under test is not changed and knows nothing of it: libc_calls.cpp and socket_calls.cpp
// stand in for the C library's threads, clocks and sockets. Threads are real, but one of them runs
// at a time: whoever runs holds the turn and passes it on in wait(), in sleep(), at its end, and,
// when the dice say so, in yield(), which every call that another thread could notice goes through.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace docket::simulation {

// Virtual nanoseconds since the machine was started.
using Time = std::int64_t;
inline constexpr Time microsecond = 1'000;
inline constexpr Time millisecond = 1'000'000;
inline constexpr Time second = 1'000'000'000;

struct Thread;

// A seed, and how it is run. Not thread-safe, but for current(): only the thread whose turn it is
// may call.
class Machine {
 public:
  explicit Machine(std::uint64_t seed);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // The machine that the calling thread belongs to; nullptr for the rest of the process.
  [[nodiscard]] static Machine* current();

  // Runs `main` as the machine's first thread. All others must have been joined when it returns.
  void run(const std::function<void()>& main);

  // The dice of the machine itself; what a test draws should come from a generator of its own, so
  // that one more turn does not change what it does.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return dice_() % bound; }

  [[nodiscard]] Time now() const { return now_; }
  // The wall clock, in ns since the Unix epoch.
  [[nodiscard]] std::int64_t wall() const { return wall_offset_ + now_; }
  void jump_wall_clock(Time by) { wall_offset_ += by; }

  // A moment in which another thread may get its turn.
  void yield();
  // Waits until `on` is woken or the time has come. False: it was the time.
  bool wait(const void* on, std::optional<Time> until = std::nullopt);
  void sleep(Time duration);
  // Some one of those that wait on it, as the dice say, or all of them.
  void wake_one(const void* on);
  void wake_all(const void* on);
  // Calls `what` when the time has come, from whatever thread. It must not wait.
  void at(Time when, std::function<void()> what);

  // Which machine of a network a thread runs on; threads are on that of who starts them.
  [[nodiscard]] std::uint32_t host() const;
  void set_host(std::uint32_t host);

  int start_thread(pthread_t* id, const pthread_attr_t* attributes, void* (*body)(void*),
                   void* argument);
  int join_thread(pthread_t id, void** result);
  int detach_thread(pthread_t id);

  // Sums up all turns taken so far: equal for equal runs.
  [[nodiscard]] std::uint64_t trace() const { return trace_; }
  [[nodiscard]] std::uint64_t turns() const { return turns_; }

 private:
  using Deadlines = std::multimap<Time, Thread*>;

  static void* thread_main(void* thread);
  void make_runnable(Thread& thread, bool woken);
  void pass_turn();  // to anyone else that can run; returns at the caller's next turn
  void switch_to(Thread& next);
  Thread& pick();
  void let_time_pass(Time now);
  [[noreturn]] void give_up(const std::string& why) const;

  std::mt19937_64 dice_;
  std::uint32_t patience_;  // a turn is passed on in one yield() of so many
  Time now_ = 0;
  std::int64_t wall_offset_;
  std::vector<std::unique_ptr<Thread>> threads_;  // those not yet joined, in order of their start
  std::vector<Thread*> runnable_;
  std::map<const void*, std::deque<Thread*>> waiting_;
  Deadlines deadlines_;
  std::multimap<Time, std::function<void()>> events_;
  std::uint32_t next_number_ = 0;
  std::uint64_t trace_ = 0;
  std::uint64_t turns_ = 0;
};

}  // namespace docket::simulation
