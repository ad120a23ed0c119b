#include "tests/support/fake_store.hpp"

#include <utility>

#include "engine/assert.hpp"
#include "engine/producers.hpp"

namespace docket::testing {

using namespace std::chrono_literals;

class FakeLog final : public Log {
 public:
  FakeLog(FakeStore& store, std::string name) : store_(store), name_(std::move(name)) {}

  const std::string& name() const override { return name_; }
  void submit(EncodedBatch batch, ProducerStamp stamp, Nanos received, Completion done) override {
    store_.submit({this, std::move(batch), std::move(stamp), received, std::move(done)});
  }
  LogSnapshot snapshot() const override { return {}; }
  LogStats stats() const override { return {}; }
  std::vector<ProducerState> producers() const override { return {}; }
  Result<void> seal() override { return {}; }

  // Guarded by the store's mutex.
  std::vector<Event> events;
  ProducerTable known;

 private:
  FakeStore& store_;
  const std::string name_;
};

FakeStore::FakeStore() : committer_([this] { commit_loop(); }) {}

FakeStore::~FakeStore() {
  {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
    held_ = false;
    changed_.notify_all();
  }
  committer_.join();
}

void FakeStore::hold() {
  const std::scoped_lock lock(mutex_);
  held_ = true;
}

void FakeStore::release() {
  const std::scoped_lock lock(mutex_);
  held_ = false;
  changed_.notify_all();
}

void FakeStore::refuse_submissions(ErrorCode code, std::uint32_t count) {
  const std::scoped_lock lock(mutex_);
  submit_refusal_ = code;
  submit_refusals_ = count;
}

void FakeStore::refuse_commits(ErrorCode code, std::uint32_t count) {
  const std::scoped_lock lock(mutex_);
  commit_refusal_ = code;
  commit_refusals_ = count;
}

void FakeStore::refuse_logs(ErrorCode code) {
  const std::scoped_lock lock(mutex_);
  log_refusal_ = code;
}

void FakeStore::hold_submissions() {
  const std::scoped_lock lock(mutex_);
  submissions_held_ = true;
}

void FakeStore::release_submissions() {
  const std::scoped_lock lock(mutex_);
  submissions_held_ = false;
  changed_.notify_all();
}

void FakeStore::hold_new_logs() {
  const std::scoped_lock lock(mutex_);
  new_logs_held_ = true;
}

void FakeStore::release_logs() {
  const std::scoped_lock lock(mutex_);
  new_logs_held_ = false;
  changed_.notify_all();
}

void FakeStore::lose_everything() {
  const std::scoped_lock lock(mutex_);
  for (auto& [name, log] : logs_) {
    log->events.clear();
    log->known = {};
  }
}

std::vector<Event> FakeStore::events(std::string_view log) const {
  const std::scoped_lock lock(mutex_);
  const auto found = logs_.find(log);
  return found == logs_.end() ? std::vector<Event>() : found->second->events;
}

bool FakeStore::wait_for_events(std::string_view log, std::size_t count) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, 10s, [&] {
    const auto found = logs_.find(log);
    return found != logs_.end() && found->second->events.size() >= count;
  });
}

bool FakeStore::wait_for_queued(std::size_t count) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, 10s, [&] { return queue_.size() >= count; });
}

std::size_t FakeStore::commits() const {
  const std::scoped_lock lock(mutex_);
  return commits_;
}

Result<Log*> FakeStore::log(std::string_view name) {
  const std::scoped_lock one_at_a_time(logs_mutex_);
  std::unique_lock lock(mutex_);
  if (!is_log_name(name)) {
    return fail(ErrorCode::invalid_argument, "not a log's name");
  }
  auto found = logs_.find(name);
  if (found == logs_.end()) {
    changed_.wait(lock, [this] { return !new_logs_held_; });
    if (log_refusal_) {
      return fail(*log_refusal_, "the test refuses new logs");
    }
    if (logs_.size() >= limits::logs_max) {
      return fail(ErrorCode::overloaded, "there are as many logs as there may be");
    }
    found = logs_.emplace(std::string(name), nullptr).first;
    found->second = std::make_unique<FakeLog>(*this, std::string(name));
  }
  return found->second.get();
}

Log* FakeStore::find_log(std::string_view name) const {
  const std::scoped_lock one_at_a_time(logs_mutex_);
  const std::scoped_lock lock(mutex_);
  const auto found = logs_.find(name);
  return found == logs_.end() ? nullptr : found->second.get();
}

std::vector<Log*> FakeStore::logs() const {
  const std::scoped_lock one_at_a_time(logs_mutex_);
  const std::scoped_lock lock(mutex_);
  std::vector<Log*> logs;
  for (const auto& [name, log] : logs_) {
    logs.push_back(log.get());
  }
  return logs;
}

void FakeStore::submit(Queued queued) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !submissions_held_; });
  if (submit_refusals_ > 0) {
    --submit_refusals_;
    const ErrorCode code = submit_refusal_;
    lock.unlock();
    queued.done(fail(code, "the test refuses this submission"));
    return;
  }
  queue_.push_back(std::move(queued));
  changed_.notify_all();
}

Result<Receipt> FakeStore::commit(Queued& queued) {
  if (commit_refusals_ > 0) {
    --commit_refusals_;
    return fail(commit_refusal_, "the test refuses this commit");
  }
  FakeLog& log = *queued.log;
  Receipt receipt;
  DOCKET_ASSIGN(const ProducerTable::Verdict verdict,
                log.known.check(queued.stamp, queued.received, receipt));
  if (verdict == ProducerTable::Verdict::duplicate) {
    return receipt;
  }
  receipt.first_seq = Seq(log.events.size() + 1);
  receipt.rows = queued.batch.rows;
  const auto decoded = decode_batch(queued.batch.bytes, [&](const Event& event) {
    log.events.push_back(event);
    log.events.back().log = log.name();
    log.events.back().seq = Seq(log.events.size());
    log.events.back().received = queued.received;
    log.events.back().node = queued.stamp.shown.empty() ? queued.stamp.node : queued.stamp.shown;
  });
  // What reaches a store has been encoded by a builder or admitted; anything else is a fault.
  DOCKET_ASSERT(decoded.has_value());
  DOCKET_ASSERT(receipt.first_seq.value + receipt.rows == log.events.size() + 1);
  log.known.stored(queued.stamp, receipt.first_seq, receipt.rows, queued.received);
  ++commits_;
  return receipt;
}

void FakeStore::commit_loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closing_ || (!held_ && !queue_.empty()); });
    if (queue_.empty()) {
      return;
    }
    Queued queued = std::move(queue_.front());
    queue_.pop_front();
    auto result = commit(queued);
    changed_.notify_all();
    lock.unlock();
    queued.done(std::move(result));
    queued.done = {};
    lock.lock();
  }
}

}  // namespace docket::testing
