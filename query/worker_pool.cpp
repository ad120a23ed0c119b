#include "query/worker_pool.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <system_error>

#include "engine/read_account.hpp"

namespace docket::query {

// Stands on the stack of whoever asks, who waits until no helper looks at it any more.
struct WorkerPool::Job {
  Job(std::size_t item_count, const Work& what) : items(item_count), work(what) {}

  // Takes items until there are none.
  void take_part(std::size_t worker) noexcept {
    keep_failure([&] {
      for (;;) {
        const std::size_t item = next.fetch_add(1, std::memory_order_relaxed);
        if (item >= items) {
          return;
        }
        work(item, worker);
      }
    });
  }

  // Never throws: what `what` threw is kept, and the items that are left stay so.
  template <typename What>
  void keep_failure(const What& what) noexcept {
    try {
      what();
    } catch (...) {
      next.store(items, std::memory_order_relaxed);
      if (!failed.test_and_set()) {
        failure = std::current_exception();
      }
    }
  }

  const std::size_t items;
  const Work& work;
  std::atomic<std::size_t> next{0};
  std::atomic_flag failed;
  std::exception_ptr failure;  // written once, by whoever set `failed`

  // Under the pool's mutex.
  std::size_t helpers = 0;
  std::uint64_t bytes_read = 0;  // by helpers
};

WorkerPool::WorkerPool(std::size_t threads) {
  threads_.reserve(threads);
  try {
    while (threads_.size() < threads) {
      const std::size_t worker = threads_.size() + 1;
      threads_.emplace_back([this, worker] { help(worker); });
    }
  } catch (const std::system_error&) {
    // The system has no more: the questions take longer.
  }
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

std::size_t WorkerPool::threads_for_all_cores() {
  return std::max(1U, std::thread::hardware_concurrency()) - 1;
}

void WorkerPool::help(std::size_t worker) {
  std::unique_lock lock(mutex_);
  for (;;) {
    wanted_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) {
      return;
    }
    Job& job = *jobs_.front();
    ++job.helpers;
    // The next helper is for another question, if one has come meanwhile.
    jobs_.splice(jobs_.end(), jobs_, jobs_.begin());
    lock.unlock();
    std::uint64_t bytes = 0;
    {
      const ReadAccount account;
      job.take_part(worker);
      bytes = account.bytes();
    }
    lock.lock();
    job.bytes_read += bytes;
    jobs_.remove(&job);  // it has no items left
    if (--job.helpers == 0) {
      done_.notify_all();
    }
  }
}

void WorkerPool::run(std::size_t items, const Work& work, const std::function<void()>& beside) {
  Job job(items, work);
  const std::size_t helpers = items == 0 ? 0 : std::min(items - 1, threads_.size());
  if (helpers != 0) {
    std::list<Job*> one = {&job};
    {
      const std::lock_guard lock(mutex_);
      jobs_.splice(jobs_.end(), one);
    }
    for (std::size_t i = 0; i < helpers; ++i) {
      wanted_.notify_one();
    }
  }
  job.keep_failure(beside);
  job.take_part(0);
  if (helpers != 0) {
    std::unique_lock lock(mutex_);
    jobs_.remove(&job);
    done_.wait(lock, [&job] { return job.helpers == 0; });
  }
  ReadAccount::add(job.bytes_read);
  if (job.failure) {
    std::rethrow_exception(job.failure);
  }
}

}  // namespace docket::query
