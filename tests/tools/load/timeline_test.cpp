#include "tools/load/timeline.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>

namespace docket::load {
namespace {

using std::chrono::milliseconds;

TEST(Timeline, SlicesHoldEveryEventOnceAndAscend) {
  Recorder recorder;
  Timeline timeline(recorder, {}, milliseconds(10));
  for (int i = 0; i < 30; ++i) {
    recorder.durable(7, std::int64_t{3'000'000});
    std::this_thread::sleep_for(milliseconds(2));
  }
  const auto points = timeline.finish();
  ASSERT_GE(points.size(), 2U);
  std::uint64_t events = 0;
  double before = 0;
  for (const TimelinePoint& point : points) {
    EXPECT_GT(point.end_s, before);
    before = point.end_s;
    events += point.events;
    if (point.events > 0) {
      EXPECT_NEAR(point.p99_ms, 3, 0.03);
    }
  }
  EXPECT_EQ(events, 210U);
  EXPECT_TRUE(timeline.finish().empty()) << "only once";
}

TEST(Timeline, ARunThatIsShorterThanASliceHasOne) {
  Recorder recorder;
  Timeline timeline(recorder, {}, milliseconds(3'600'000));
  recorder.durable(5, std::int64_t{1});
  const auto points = timeline.finish();
  ASSERT_EQ(points.size(), 1U);
  EXPECT_EQ(points[0].events, 5U);
}

}  // namespace
}  // namespace docket::load
