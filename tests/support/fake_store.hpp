// A store in memory for tests of what stands before it: sessions, clients, requests. It keeps the
// contract of engine/log.hpp (order, duplicates, gaps, completions on a thread of its own) and can
// be told to be slow or to refuse. It holds no files and answers no queries.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/log.hpp"

namespace docket::testing {

class FakeLog;

// Thread-safe.
class FakeStore final : public Store {
 public:
  FakeStore();
  ~FakeStore() override;  // completes everything first

  // Nothing is committed until release().
  void hold();
  void release();
  // The next `count` submissions are refused with this code from within submit().
  void refuse_submissions(ErrorCode code, std::uint32_t count);
  // The next `count` commits fail with this code, after having waited in the queue.
  void refuse_commits(ErrorCode code, std::uint32_t count);
  // Creating logs fails with this code from now on.
  void refuse_logs(ErrorCode code);
  // submit() does not come back until release_submissions(), which no store may do to its callers.
  void hold_submissions();
  void release_submissions();
  // log() of a name that is new does not come back until release_logs(), and holds up everybody who
  // asks for a log meanwhile, as a store does that recovers one.
  void hold_new_logs();
  void release_logs();
  // Forgets events and producers of all logs, as if another disk had been put in.
  void lose_everything();

  // Committed events, by seq, with log, seq, received and node set.
  [[nodiscard]] std::vector<Event> events(std::string_view log) const;
  // Waits until the log has at least `count` events; false after ten seconds.
  [[nodiscard]] bool wait_for_events(std::string_view log, std::size_t count) const;
  // Waits until `count` batches wait in the queue; false after ten seconds.
  [[nodiscard]] bool wait_for_queued(std::size_t count) const;
  [[nodiscard]] std::size_t commits() const;  // batches committed, duplicates left out

  Result<Log*> log(std::string_view name) override;
  Log* find_log(std::string_view name) const override;
  std::vector<Log*> logs() const override;
  Result<StoreSnapshot> snapshot() override { return StoreSnapshot{}; }
  std::vector<RetirementPlan> plan_retirement(
      const std::function<RetentionPolicy(std::string_view)>&, std::uint64_t, Nanos) override {
    return {};
  }
  Result<void> retire(std::span<const RetirementPlan>) override { return {}; }
  Result<void> close() override { return {}; }
  const std::string& directory() const override { return directory_; }

 private:
  friend class FakeLog;
  struct Queued {
    FakeLog* log;
    EncodedBatch batch;
    ProducerStamp stamp;
    Nanos received;
    Completion done;
  };

  void submit(Queued queued);
  void commit_loop();
  // With the mutex held.
  [[nodiscard]] Result<Receipt> commit(Queued& queued);

  const std::string directory_ = "memory";
  mutable std::mutex logs_mutex_;  // before mutex_
  bool new_logs_held_ = false;     // guarded by mutex_
  bool submissions_held_ = false;  // the same
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::string, std::unique_ptr<FakeLog>, std::less<>> logs_;
  std::deque<Queued> queue_;
  bool held_ = false;
  bool closing_ = false;
  std::size_t commits_ = 0;
  std::optional<ErrorCode> log_refusal_;
  ErrorCode submit_refusal_ = ErrorCode::overloaded;
  std::uint32_t submit_refusals_ = 0;
  ErrorCode commit_refusal_ = ErrorCode::no_space;
  std::uint32_t commit_refusals_ = 0;
  std::thread committer_;
};

}  // namespace docket::testing
