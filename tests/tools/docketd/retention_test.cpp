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
  std::vector<std::uint64_t> events_at_record;
  std::mutex mutex;
  Retention retention(*store_, keep_nothing(), [&](Event event) -> Result<void> {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(event.verb, "RETIRE");
    events_at_record.push_back(events());
    return {};
  });
  wait_until([&] { return retention.retired() == 2; });
  EXPECT_EQ(events(), 0U);
  const std::lock_guard lock(mutex);
  EXPECT_EQ(events_at_record, (std::vector<std::uint64_t>{2, 1}));
}

TEST_F(RetentionTest, WithoutADurableRecordNothingIsRetired) {
  fill();
  Retention retention(*store_, keep_nothing(), [](Event) -> Result<void> {
    return fail(ErrorCode::no_space, "the disk is full");
  });
  wait_until([&] { return retention.failures() >= 2; });
  EXPECT_EQ(retention.retired(), 0U);
  EXPECT_EQ(events(), 2U);
}

TEST_F(RetentionTest, AWantOfMemoryIsAFailureAndTheNextLookRetires) {
  fill();
  std::atomic<bool> is_short = true;
  Retention retention(*store_, keep_nothing(), [&](Event) -> Result<void> {
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
  Retention retention(*store_, RetentionSettings{}, [](Event) -> Result<void> { return {}; });
  EXPECT_EQ(events(), 2U);
  retention.change(keep_nothing());
  wait_until([&] { return events() == 0; });
}

}  // namespace
}  // namespace docket::server
