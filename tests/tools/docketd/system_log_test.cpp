#include "tools/docketd/system_log.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <new>

#include "tests/tools/api/store_fixture.hpp"
#include "tools/docketd/system_events.hpp"

namespace docket::server {
namespace {

// A log whose answer to a batch is chosen by the test.
class ScriptedLog final : public Log {
 public:
  explicit ScriptedLog(std::function<Result<Receipt>(std::uint32_t rows)> answer)
      : answer_(std::move(answer)) {}
  [[nodiscard]] const std::string& name() const override { return name_; }
  void submit(EncodedBatch batch, ProducerStamp, Nanos, Completion done) override {
    done(answer_(batch.rows));
  }
  [[nodiscard]] LogSnapshot snapshot() const override { return {}; }
  [[nodiscard]] LogStats stats() const override { return {}; }
  [[nodiscard]] std::vector<ProducerState> producers() const override { return {}; }
  [[nodiscard]] Result<void> seal() override { return {}; }

 private:
  std::string name_ = "docket";
  std::function<Result<Receipt>(std::uint32_t rows)> answer_;
};

class SystemLogTest : public api::StoreFixture {};

TEST_F(SystemLogTest, WhatIsRecordedIsStoredInOrder) {
  {
    SystemLog log(*store_->log("docket").value());
    log.record(stopped_event("first"));
    ASSERT_TRUE(log.record_durably({stopped_event("second")}));
    EXPECT_EQ(store_->find_log("docket")->stats().events, 2U);
    log.record(stopped_event("third"));
  }
  const std::string body = get("/api/v1/search", {{"q", "log:docket"}, {"oldest", "1"}}).body;
  const std::size_t first = body.find("first");
  const std::size_t second = body.find("second");
  const std::size_t third = body.find("third");
  ASSERT_NE(third, std::string::npos);
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
}

TEST_F(SystemLogTest, ManyEventsAreStoredEachOnce) {
  constexpr std::uint64_t count = 5000;
  {
    SystemLog log(*store_->log("docket").value());
    for (std::uint64_t i = 0; i < count; ++i) {
      log.record(stopped_event("x"));
    }
    EXPECT_EQ(log.dropped(), 0U);
  }
  EXPECT_EQ(store_->find_log("docket")->stats().events, count);
}

TEST(SystemLog, AFullDiskIsTriedAgainAndAWaiterIsToldAtOnce) {
  std::atomic<int> tries{0};
  std::atomic<std::uint32_t> stored{0};
  ScriptedLog full([&](std::uint32_t rows) -> Result<Receipt> {
    if (++tries == 1) {
      return fail(ErrorCode::no_space, "full");
    }
    stored += rows;
    return Receipt{Seq(1), rows, false};
  });
  SystemLog log(full);
  const auto refused = log.record_durably({stopped_event("waiter")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::no_space);
  log.record(stopped_event("patient"));
  log.close();
  EXPECT_EQ(stored, 1U);
  EXPECT_EQ(log.dropped(), 0U);
}

TEST(SystemLog, WhileTheDiskIsFullOnlyWhatSomebodyWaitsForIsStored) {
  std::atomic<bool> is_full{true};
  std::atomic<std::uint32_t> stored{0};
  ScriptedLog scripted([&](std::uint32_t rows) -> Result<Receipt> {
    stored += rows;
    return Receipt{Seq(1), rows, false};
  });
  SystemLog log(scripted, [&] { return is_full.load(); });
  for (std::size_t i = 0; i < SystemLog::queue_max + 2000; ++i) {
    log.record(stopped_event("patient"));
  }
  // The queue is full by now, and still nobody who waits is turned away.
  ASSERT_TRUE(log.record_durably({stopped_event("waiter")}));
  ASSERT_TRUE(log.record_durably({stopped_event("waiter")}));
  EXPECT_EQ(stored, 2U);
  EXPECT_GT(log.dropped(), 0U);
  is_full = false;
  log.close();
  // The number of the dropped is an event, too.
  EXPECT_EQ(stored + log.dropped(), SystemLog::queue_max + 2000 + 2 + 1);
}

TEST(SystemLog, WithoutMemoryItIsTriedAgainAndAWaiterIsToldAtOnce) {
  std::atomic<bool> is_short = true;
  std::atomic<std::uint64_t> stored = 0;
  ScriptedLog scripted([&](std::uint32_t rows) -> Result<Receipt> {
    if (is_short) {
      throw std::bad_alloc();
    }
    stored += rows;
    return Receipt{Seq(1), rows, false};
  });
  SystemLog log(scripted);
  log.record(stopped_event("kept"));
  const auto refused = log.record_durably({stopped_event("waiter")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::overloaded);
  is_short = false;
  log.close();
  EXPECT_EQ(stored, 1U);
  EXPECT_EQ(log.dropped(), 0U);
}

TEST(SystemLog, WhatCannotBeStoredAtTheEndIsCounted) {
  ScriptedLog broken([](std::uint32_t) -> Result<Receipt> {
    return fail(ErrorCode::unknown_outcome, "the sync failed");
  });
  SystemLog log(broken);
  log.record(stopped_event("a"));
  log.close();
  EXPECT_EQ(log.dropped(), 1U);
  log.record(stopped_event("b"));
  EXPECT_EQ(log.dropped(), 2U);
  EXPECT_FALSE(log.record_durably({stopped_event("c")}));
}

}  // namespace
}  // namespace docket::server
