// Threads, locks, clocks and dice of the C library, as a machine has them. Calls of threads that
// belong to no machine go through to the library.
//
// An executable's definition of a function comes before a shared library's, for calls from other
// libraries as well: so std::thread, std::mutex and std::chrono end up here, and so does Asio.
#include <dlfcn.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <random>

#include "tests/simulation/machine.hpp"
#include "tests/simulation/real_calls.hpp"

namespace docket::simulation {
namespace {

// Clocks that count from the start of the machine would begin at a suspicious zero.
constexpr Time monotonic_start = 3600 * second;

template <typename Function>
void find(Function& function, const char* name, const char* version = nullptr) {
  void* const address =
      version == nullptr ? dlsym(RTLD_NEXT, name) : dlvsym(RTLD_NEXT, name, version);
  if (address == nullptr) {
    std::abort();
  }
  function = reinterpret_cast<Function>(address);
}

RealCalls find_all() {
  RealCalls calls{};
  find(calls.pthread_create, "pthread_create");
  find(calls.pthread_join, "pthread_join");
  find(calls.pthread_detach, "pthread_detach");
  find(calls.pthread_mutex_lock, "pthread_mutex_lock");
  find(calls.pthread_mutex_trylock, "pthread_mutex_trylock");
  find(calls.pthread_mutex_unlock, "pthread_mutex_unlock");
  // Without a version the oldest would be found, which knows another pthread_cond_t.
  find(calls.pthread_cond_wait, "pthread_cond_wait", "GLIBC_2.3.2");
  find(calls.pthread_cond_timedwait, "pthread_cond_timedwait", "GLIBC_2.3.2");
  find(calls.pthread_cond_clockwait, "pthread_cond_clockwait");
  find(calls.pthread_cond_signal, "pthread_cond_signal", "GLIBC_2.3.2");
  find(calls.pthread_cond_broadcast, "pthread_cond_broadcast", "GLIBC_2.3.2");
  find(calls.clock_gettime, "clock_gettime");
  find(calls.nanosleep, "nanosleep");
  find(calls.clock_nanosleep, "clock_nanosleep");
  find(calls.sched_yield, "sched_yield");
  find(calls.syscall, "syscall");
  find(calls.close, "close");
  find(calls.read, "read");
  find(calls.write, "write");
  find(calls.fcntl, "fcntl");
  find(calls.ioctl, "ioctl");
  find(calls.poll, "poll");
  return calls;
}

Time span_of(const timespec& time) {
  return time.tv_sec > 1'000'000'000 ? INT64_MAX / 4
                                     : static_cast<Time>(time.tv_sec) * second + time.tv_nsec;
}

// When a clock of the machine will show that time.
Time moment_of(const Machine& machine, clockid_t clock, const timespec& time) {
  if (clock == CLOCK_REALTIME) {
    return time.tv_sec > 100'000'000'000
               ? INT64_MAX / 4
               : machine.now() +
                     (static_cast<Time>(time.tv_sec) * second + time.tv_nsec - machine.wall());
  }
  return span_of(time) - monotonic_start;
}

int lock(Machine& machine, pthread_mutex_t* mutex) {
  int error = real().pthread_mutex_trylock(mutex);
  while (error == EBUSY) {
    machine.wait(mutex);
    error = real().pthread_mutex_trylock(mutex);
  }
  return error;
}

int unlock(Machine& machine, pthread_mutex_t* mutex) {
  const int error = real().pthread_mutex_unlock(mutex);
  machine.wake_one(mutex);
  return error;
}

int wait(Machine& machine, pthread_cond_t* condition, pthread_mutex_t* mutex,
         std::optional<Time> until) {
  unlock(machine, mutex);
  const bool woken = machine.wait(condition, until);
  const int error = lock(machine, mutex);
  return error != 0 ? error : woken ? 0 : ETIMEDOUT;
}

long futex(Machine& machine, const std::uint32_t* word, int operation, std::uint32_t value,
           const timespec* timeout) {
  const int command = operation & FUTEX_CMD_MASK;
  machine.yield();
  if (command == FUTEX_WAKE) {
    if (value == 1) {
      machine.wake_one(word);
    } else {
      machine.wake_all(word);
    }
    return 0;
  }
  if (command != FUTEX_WAIT && command != FUTEX_WAIT_BITSET) {
    std::abort();
  }
  if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != value) {
    errno = EAGAIN;
    return -1;
  }
  std::optional<Time> until;
  if (timeout != nullptr) {
    const bool is_wall = (operation & FUTEX_CLOCK_REALTIME) != 0;
    until = command == FUTEX_WAIT
                ? machine.now() + span_of(*timeout)
                : moment_of(machine, is_wall ? CLOCK_REALTIME : CLOCK_MONOTONIC, *timeout);
  }
  if (!machine.wait(word, until)) {
    errno = ETIMEDOUT;
    return -1;
  }
  return 0;
}

}  // namespace

const RealCalls& real() {
  // No guarded static: its guard may end in the calls that are looked up here.
  static RealCalls calls;
  if (calls.syscall == nullptr) {
    calls = find_all();
  }
  return calls;
}

}  // namespace docket::simulation

using docket::simulation::Machine;
using docket::simulation::real;

extern "C" {

int pthread_create(pthread_t* id, const pthread_attr_t* attributes, void* (*body)(void*),
                   void* argument) noexcept {
  Machine* const machine = Machine::current();
  return machine == nullptr ? real().pthread_create(id, attributes, body, argument)
                            : machine->start_thread(id, attributes, body, argument);
}

int pthread_join(pthread_t id, void** result) {
  Machine* const machine = Machine::current();
  return machine == nullptr ? real().pthread_join(id, result) : machine->join_thread(id, result);
}

int pthread_detach(pthread_t id) noexcept {
  Machine* const machine = Machine::current();
  return machine == nullptr ? real().pthread_detach(id) : machine->detach_thread(id);
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  Machine* const machine = Machine::current();
  if (machine == nullptr) {
    return real().pthread_mutex_lock(mutex);
  }
  machine->yield();
  return docket::simulation::lock(*machine, mutex);
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  Machine* const machine = Machine::current();
  return machine == nullptr ? real().pthread_mutex_unlock(mutex)
                            : docket::simulation::unlock(*machine, mutex);
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  Machine* const machine = Machine::current();
  return machine == nullptr ? real().pthread_cond_wait(condition, mutex)
                            : docket::simulation::wait(*machine, condition, mutex, std::nullopt);
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* until) {
  Machine* const machine = Machine::current();
  return machine == nullptr ? real().pthread_cond_timedwait(condition, mutex, until)
                            : docket::simulation::wait(
                                  *machine, condition, mutex,
                                  docket::simulation::moment_of(*machine, CLOCK_REALTIME, *until));
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* until) {
  Machine* const machine = Machine::current();
  return machine == nullptr
             ? real().pthread_cond_clockwait(condition, mutex, clock, until)
             : docket::simulation::wait(*machine, condition, mutex,
                                        docket::simulation::moment_of(*machine, clock, *until));
}

int pthread_cond_signal(pthread_cond_t* condition) noexcept {
  Machine* const machine = Machine::current();
  if (machine == nullptr) {
    return real().pthread_cond_signal(condition);
  }
  machine->wake_one(condition);
  return 0;
}

int pthread_cond_broadcast(pthread_cond_t* condition) noexcept {
  Machine* const machine = Machine::current();
  if (machine == nullptr) {
    return real().pthread_cond_broadcast(condition);
  }
  machine->wake_all(condition);
  return 0;
}

long syscall(long number, ...) noexcept {
  va_list list;
  va_start(list, number);
  long arguments[6];
  for (long& argument : arguments) {
    argument = va_arg(list, long);
  }
  va_end(list);
  Machine* const machine = Machine::current();
  if (machine != nullptr && number == SYS_futex) {
    return docket::simulation::futex(*machine, reinterpret_cast<const std::uint32_t*>(arguments[0]),
                                     static_cast<int>(arguments[1]),
                                     static_cast<std::uint32_t>(arguments[2]),
                                     reinterpret_cast<const timespec*>(arguments[3]));
  }
  return real().syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
                        arguments[4], arguments[5]);
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const Machine* const machine = Machine::current();
  const bool is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
  const bool is_steady = clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
                         clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
  if (machine == nullptr || !(is_wall || is_steady)) {
    return real().clock_gettime(clock, time);
  }
  const std::int64_t ns =
      is_wall ? machine->wall() : machine->now() + docket::simulation::monotonic_start;
  time->tv_sec = ns / docket::simulation::second;
  time->tv_nsec = ns % docket::simulation::second;
  return 0;
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* duration, timespec* left) {
  Machine* const machine = Machine::current();
  if (machine == nullptr) {
    return real().clock_nanosleep(clock, flags, duration, left);
  }
  machine->sleep((flags & TIMER_ABSTIME) != 0
                     ? docket::simulation::moment_of(*machine, clock, *duration) - machine->now()
                     : docket::simulation::span_of(*duration));
  return 0;
}

int nanosleep(const timespec* duration, timespec* left) {
  Machine* const machine = Machine::current();
  if (machine == nullptr) {
    return real().nanosleep(duration, left);
  }
  machine->sleep(docket::simulation::span_of(*duration));
  return 0;
}

int sched_yield() noexcept {
  Machine* const machine = Machine::current();
  if (machine == nullptr) {
    return real().sched_yield();
  }
  machine->yield();
  return 0;
}

}  // extern "C"

// The salt of a segment, and the jitter of a client, come from here.
std::random_device::result_type std::random_device::_M_getval() {
  if (Machine* const machine = Machine::current()) {
    return static_cast<result_type>(machine->below(std::uint64_t{1} << 32));
  }
  result_type value = 0;
  if (getrandom(&value, sizeof value, 0) != static_cast<ssize_t>(sizeof value)) {
    std::abort();
  }
  return value;
}
