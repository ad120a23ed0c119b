// The C library's own calls, for those that this program stands in for.
#pragma once

#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>

namespace docket::simulation {

struct RealCalls {
  decltype(&::pthread_create) pthread_create;
  decltype(&::pthread_join) pthread_join;
  decltype(&::pthread_detach) pthread_detach;
  decltype(&::pthread_mutex_lock) pthread_mutex_lock;
  decltype(&::pthread_mutex_trylock) pthread_mutex_trylock;
  decltype(&::pthread_mutex_unlock) pthread_mutex_unlock;
  decltype(&::pthread_cond_wait) pthread_cond_wait;
  decltype(&::pthread_cond_timedwait) pthread_cond_timedwait;
  decltype(&::pthread_cond_clockwait) pthread_cond_clockwait;
  decltype(&::pthread_cond_signal) pthread_cond_signal;
  decltype(&::pthread_cond_broadcast) pthread_cond_broadcast;
  decltype(&::clock_gettime) clock_gettime;
  decltype(&::nanosleep) nanosleep;
  decltype(&::clock_nanosleep) clock_nanosleep;
  decltype(&::sched_yield) sched_yield;
  long (*syscall)(long, ...);
  int (*close)(int);
  ssize_t (*read)(int, void*, size_t);
  ssize_t (*write)(int, const void*, size_t);
  int (*fcntl)(int, int, ...);
  int (*ioctl)(int, unsigned long, ...);
  decltype(&::poll) poll;
};

// Usable from the first instruction of the process on.
[[nodiscard]] const RealCalls& real();

}  // namespace docket::simulation
