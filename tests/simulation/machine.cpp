#include "tests/simulation/machine.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tests/simulation/real_calls.hpp"

namespace docket::simulation {

struct Thread {
  Machine* machine = nullptr;
  std::uint32_t number = 0;
  std::uint32_t host = 0;
  pthread_t id{};
  std::atomic<std::uint32_t> turn{0};  // 1: it is this thread's turn
  const void* waits_on = nullptr;
  std::optional<std::multimap<Time, Thread*>::iterator> deadline;
  bool was_woken = false;
  bool ended = false;
  bool detached = false;
  void* (*body)(void*) = nullptr;
  void* argument = nullptr;
};

namespace {

thread_local Thread* this_thread = nullptr;

// 2026-05-01T00:00:00Z.
constexpr std::int64_t wall_start = 1'777'593'600'000'000'000;
// What any call takes, so that whoever asks again and again until some time sees it come.
constexpr Time call_time = 150;
// Far beyond what any course of events needs.
constexpr std::uint64_t turns_max = 50'000'000;

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  real().syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}
void futex_wake(std::atomic<std::uint32_t>& word) {
  real().syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

void give_turn(Thread& thread) {
  thread.turn.store(1, std::memory_order_release);
  futex_wake(thread.turn);
}
void await_turn(Thread& thread) {
  while (thread.turn.load(std::memory_order_acquire) == 0) {
    futex_wait(thread.turn, 0);
  }
  thread.turn.store(0, std::memory_order_relaxed);
}

}  // namespace

Machine::Machine(std::uint64_t seed)
    : dice_(seed), patience_(2U << dice_() % 7), wall_offset_(wall_start) {}

Machine::~Machine() = default;

Machine* Machine::current() {
  return this_thread == nullptr ? nullptr : this_thread->machine;
}

void Machine::run(const std::function<void()>& main) {
  threads_.push_back(std::make_unique<Thread>());
  Thread& thread = *threads_.back();
  thread.machine = this;
  thread.number = next_number_++;
  this_thread = &thread;
  main();
  if (threads_.size() != 1) {
    give_up("threads are left over");
  }
  this_thread = nullptr;
  threads_.clear();
}

std::uint32_t Machine::host() const {
  return this_thread->host;
}

void Machine::set_host(std::uint32_t host) {
  this_thread->host = host;
}

// --- turns ---------------------------------------------------------------------------------------

void Machine::yield() {
  let_time_pass(now_ + call_time);
  if (!runnable_.empty() && dice_() % patience_ == 0) {
    make_runnable(*this_thread, true);
    pass_turn();
  }
}

bool Machine::wait(const void* on, std::optional<Time> until) {
  Thread& thread = *this_thread;
  thread.waits_on = on;
  waiting_[on].push_back(&thread);
  if (until) {
    thread.deadline = deadlines_.emplace(*until, &thread);
  }
  pass_turn();
  return thread.was_woken;
}

void Machine::sleep(Time duration) {
  wait(this_thread, now_ + std::max<Time>(duration, 0));
}

void Machine::make_runnable(Thread& thread, bool woken) {
  if (thread.waits_on != nullptr) {
    const auto found = waiting_.find(thread.waits_on);
    std::erase(found->second, &thread);
    if (found->second.empty()) {
      waiting_.erase(found);
    }
    thread.waits_on = nullptr;
  }
  if (thread.deadline) {
    deadlines_.erase(*thread.deadline);
    thread.deadline.reset();
  }
  thread.was_woken = woken;
  runnable_.push_back(&thread);
}

void Machine::wake_one(const void* on) {
  if (const auto found = waiting_.find(on); found != waiting_.end()) {
    make_runnable(*found->second[below(found->second.size())], true);
  }
}

void Machine::wake_all(const void* on) {
  for (auto found = waiting_.find(on); found != waiting_.end(); found = waiting_.find(on)) {
    make_runnable(*found->second.front(), true);
  }
}

void Machine::at(Time when, std::function<void()> what) {
  events_.emplace(when, std::move(what));
}

void Machine::let_time_pass(Time now) {
  now_ = std::max(now_, now);
  while (!events_.empty() && events_.begin()->first <= now_) {
    const auto what = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    what();
  }
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_) {
    make_runnable(*deadlines_.begin()->second, false);
  }
}

Thread& Machine::pick() {
  while (runnable_.empty()) {
    if (deadlines_.empty() && events_.empty()) {
      give_up("all threads wait for one another");
    }
    Time next = INT64_MAX;
    if (!deadlines_.empty()) {
      next = deadlines_.begin()->first;
    }
    if (!events_.empty()) {
      next = std::min(next, events_.begin()->first);
    }
    let_time_pass(next);
  }
  const auto chosen = runnable_.begin() + static_cast<std::ptrdiff_t>(below(runnable_.size()));
  Thread& thread = **chosen;
  *chosen = runnable_.back();
  runnable_.pop_back();
  if (++turns_ > turns_max) {
    give_up("it does not end");
  }
  trace_ = (trace_ ^ (static_cast<std::uint64_t>(now_) + thread.number)) * 0x100000001b3;
  return thread;
}

void Machine::pass_turn() {
  switch_to(pick());
}

void Machine::switch_to(Thread& next) {
  Thread& thread = *this_thread;
  if (&next == &thread) {
    return;
  }
  give_turn(next);
  await_turn(thread);
}

void Machine::give_up(const std::string& why) const {
  std::fprintf(stderr, "the machine stops: %s (%.6f s, %llu turns)\n", why.c_str(),
               static_cast<double>(now_) / 1e9, static_cast<unsigned long long>(turns_));
  for (const auto& thread : threads_) {
    std::fprintf(stderr, "  thread %u of host %u %s\n", thread->number, thread->host,
                 thread->ended                 ? "has ended"
                 : thread.get() == this_thread ? "runs"
                 : thread->waits_on == nullptr ? "can run"
                 : thread->deadline            ? "waits for a time"
                                               : "waits");
  }
  std::abort();
}

// --- threads -------------------------------------------------------------------------------------

int Machine::start_thread(pthread_t* id, const pthread_attr_t* attributes, void* (*body)(void*),
                          void* argument) {
  auto thread = std::make_unique<Thread>();
  thread->machine = this;
  thread->number = next_number_++;
  thread->host = this_thread->host;
  thread->body = body;
  thread->argument = argument;
  const int error = real().pthread_create(&thread->id, attributes, thread_main, thread.get());
  if (error != 0) {
    return error;
  }
  *id = thread->id;
  make_runnable(*thread, true);
  threads_.push_back(std::move(thread));
  yield();
  return 0;
}

void* Machine::thread_main(void* raw) {
  Thread& thread = *static_cast<Thread*>(raw);
  Machine& machine = *thread.machine;
  await_turn(thread);
  this_thread = &thread;
  void* const result = thread.body(thread.argument);
  machine.wake_all(&thread);
  thread.ended = true;
  Thread& next = machine.pick();
  // From here on this thread is none of the machine's: what the C++ runtime still has to tidy up
  // for it happens beside the others and touches nothing of theirs.
  this_thread = nullptr;
  give_turn(next);
  return result;
}

int Machine::join_thread(pthread_t id, void** result) {
  const auto found = std::find_if(threads_.begin(), threads_.end(), [id](const auto& thread) {
    return pthread_equal(thread->id, id) != 0;
  });
  if (found == threads_.end()) {
    give_up("a thread is joined that is not there");
  }
  Thread* const thread = found->get();
  while (!thread->ended) {
    wait(thread);
  }
  const int error = real().pthread_join(id, result);
  std::erase_if(threads_, [thread](const auto& other) { return other.get() == thread; });
  return error;
}

int Machine::detach_thread(pthread_t /*id*/) {
  give_up("a thread is detached; nothing here may outlive its owner");
}

}  // namespace docket::simulation
