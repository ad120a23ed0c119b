// A store that takes every batch, says at once that it is stored, and keeps nothing: for fuzzing
// and for measuring what stands before a store.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/log.hpp"

namespace docket::testing {

// Thread-safe. Completions run inside submit().
class AckingLog final : public Log {
 public:
  // Called with each batch before it is acknowledged; set it before the first one.
  std::function<void(const EncodedBatch&)> on_batch;
  [[nodiscard]] std::uint64_t events() const { return events_; }

  const std::string& name() const override { return name_; }
  void submit(EncodedBatch batch, ProducerStamp, Nanos, Completion done) override {
    if (on_batch) {
      on_batch(batch);
    }
    Receipt receipt;
    receipt.first_seq = Seq(events_.fetch_add(batch.rows) + 1);
    receipt.rows = batch.rows;
    done(receipt);
  }
  LogSnapshot snapshot() const override { return {}; }
  LogStats stats() const override { return {}; }
  std::vector<ProducerState> producers() const override { return {}; }
  Result<void> seal() override { return {}; }

 private:
  const std::string name_ = "acking";
  std::atomic<std::uint64_t> events_{0};
};

// One log answers to every name.
class AckingStore final : public Store {
 public:
  [[nodiscard]] AckingLog& only_log() { return log_; }

  Result<Log*> log(std::string_view) override { return &log_; }
  Log* find_log(std::string_view) const override { return &log_; }
  std::vector<Log*> logs() const override { return {&log_}; }
  Result<StoreSnapshot> snapshot() override { return StoreSnapshot{}; }
  std::vector<RetirementPlan> plan_retirement(
      const std::function<RetentionPolicy(std::string_view)>&, std::uint64_t, Nanos) override {
    return {};
  }
  Result<void> retire(std::span<const RetirementPlan>) override { return {}; }
  Result<void> close() override { return {}; }
  const std::string& directory() const override { return directory_; }

 private:
  mutable AckingLog log_;  // a const store hands out logs to write to
  const std::string directory_ = "nowhere";
};

}  // namespace docket::testing
