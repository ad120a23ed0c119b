#include "tools/docketd/retention.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <new>

#include "tests/tools/api/store_fixture.hpp"

namespace docket::server {
namespace {

class RetentionTest : public api::StoreFixture {
 protected:
  // Two sealed segments.
  void fill() {
    for (int i = 0; i < 2; ++i) {
      add("activity", {event(i)});
      ASSERT_TRUE(store_->find_log("activity")->seal());
    }
  }

  [[nodiscard]] std::uint64_t events() const {
    return store_->find_log("activity")->stats().events;
  }

  static void wait_until(const std::function<bool()>& done) {
    for (int i = 0; i < 5000 && !done(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    EXPECT_TRUE(done());
  }

  static RetentionSettings keep_nothing() {
    RetentionSettings settings;
    settings.otherwise.max_bytes = 1;
    return settings;
  }
};

TEST_F(RetentionTest, EverySegmentIsRecordedBeforeItGoes) {
  fill();
  std::vector<std::string> targets;
  std::vector<std::uint64_t> events_at_record;
  std::mutex mutex;
  Retention retention(*store_, keep_nothing(), [&](std::vector<Event> records) -> Result<void> {
    const std::lock_guard lock(mutex);
    for (const Event& record : records) {
      EXPECT_EQ(record.verb, "RETIRE");
      targets.push_back(record.target.id);
      events_at_record.push_back(events());
    }
    return {};
  });
  wait_until([&] { return retention.retired() == 2; });
  EXPECT_EQ(events(), 0U);
  const std::lock_guard lock(mutex);
  EXPECT_EQ(targets, (std::vector<std::string>{"activity/1", "activity/2"}));
  // In one step: the records of both, and then both.
  EXPECT_EQ(events_at_record, (std::vector<std::uint64_t>{2, 2}));
}

TEST_F(RetentionTest, EachLogIsRetiredByItself) {
  add("activity", {event(0)});
  ASSERT_TRUE(store_->find_log("activity")->seal());
  add("campaign", {event(1)});
  ASSERT_TRUE(store_->find_log("campaign")->seal());
  std::vector<std::size_t> steps;
  std::mutex mutex;
  Retention retention(*store_, keep_nothing(), [&](const std::vector<Event>& records) {
    const std::lock_guard lock(mutex);
    steps.push_back(records.size());
    return Result<void>();
  });
  wait_until([&] { return retention.retired() == 2; });
  EXPECT_EQ(events(), 0U);
  EXPECT_EQ(store_->find_log("campaign")->stats().events, 0U);
  const std::lock_guard lock(mutex);
  EXPECT_EQ(steps, (std::vector<std::size_t>{1, 1}));
}

TEST_F(RetentionTest, WithoutADurableRecordNothingIsRetired) {
  fill();
  Retention retention(*store_, keep_nothing(), [](const std::vector<Event>&) -> Result<void> {
    return fail(ErrorCode::no_space, "the disk is full");
  });
  wait_until([&] { return retention.failures() >= 2; });
  EXPECT_EQ(retention.retired(), 0U);
  EXPECT_EQ(events(), 2U);
}

TEST_F(RetentionTest, AWantOfMemoryIsAFailureAndTheNextLookRetires) {
  fill();
  std::atomic<bool> is_short = true;
  Retention retention(*store_, keep_nothing(), [&](const std::vector<Event>&) -> Result<void> {
    if (is_short) {
      throw std::bad_alloc();
    }
    return {};
  });
  wait_until([&] { return retention.failures() >= 1; });
  EXPECT_EQ(events(), 2U);
  is_short = false;
  retention.change(keep_nothing());
  wait_until([&] { return retention.retired() == 2; });
}

TEST_F(RetentionTest, ChangedSettingsAreLookedAtAtOnce) {
  fill();
  Retention retention(*store_, RetentionSettings{},
                      [](const std::vector<Event>&) -> Result<void> { return {}; });
  EXPECT_EQ(events(), 2U);
  retention.change(keep_nothing());
  wait_until([&] { return events() == 0; });
}

}  // namespace
}  // namespace docket::server
