#include "tools/docketd/scrub.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "tests/tools/api/store_fixture.hpp"

namespace docket::server {
namespace {

constexpr Nanos second = 1'000'000'000;

class ScrubTest : public api::StoreFixture {
 protected:
  static void wait_until(const std::function<bool()>& done) {
    for (int i = 0; i < 5000 && !done(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    EXPECT_TRUE(done());
  }
};

TEST_F(ScrubTest, WithoutAPeriodNothingIsReadUntilThereIsOne) {
  add("activity", {event(1)});
  Scrub scrub(posix_disk(), *store_, 0, [](const verify::Damage&) {});
  EXPECT_EQ(scrub.stats().bytes, 0U);
  scrub.change(second / 100);
  wait_until([&] { return scrub.stats().last_end != 0; });
  EXPECT_GT(scrub.stats().bytes, 0U);
}

TEST_F(ScrubTest, AStopDoesNotWaitForTheRound) {
  add("activity", {event(1)});
  ASSERT_TRUE(store_->find_log("activity")->seal());
  Scrub scrub(posix_disk(), *store_, 365 * 86'400 * second, [](const verify::Damage&) {});
  wait_until([&] { return scrub.stats().bytes != 0; });
  scrub.stop();
  EXPECT_EQ(scrub.stats().last_end, 0);
}

}  // namespace
}  // namespace docket::server
