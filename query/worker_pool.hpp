// Threads that help a question where they have nothing else to do.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

namespace docket::query {

// One pool serves all questions of a process, so that many at a time have no more threads than it
// has. Thread-safe. No question may run when it is destroyed.
class WorkerPool {
 public:
  // As many threads as there could be made. 0: whoever asks does everything.
  explicit WorkerPool(std::size_t threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // A thread for each core but that of whoever asks.
  [[nodiscard]] static std::size_t threads_for_all_cores();

  // Calls that may run at a time: those of the pool's threads and the caller.
  [[nodiscard]] std::size_t workers() const { return threads_.size() + 1; }
  // Calls `work(item, worker)` once for each item below `items`, in any order, on the calling
  // thread and on threads that are idle; returns when all calls have. No two calls at a time have
  // the same `worker`, a number below workers(). What the helpers read counts as read by the
  // caller. Where a call throws, items may be left out, and one of what was thrown is thrown here.
  // `work` must not call run(). Before it takes part, the calling thread calls `beside`, which may
  // wait for others: no thread of the pool waits with it.
  using Work = std::function<void(std::size_t item, std::size_t worker)>;
  void run(std::size_t items, const Work& work, const std::function<void()>& beside = [] {});

 private:
  struct Job;
  void help(std::size_t worker);

  std::mutex mutex_;
  std::condition_variable wanted_;
  std::condition_variable done_;
  std::list<Job*> jobs_;  // that may have items left
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace docket::query
