#include "tools/load/recorder.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace docket::load {
namespace {

TEST(Recorder, ASliceHoldsWhatCameSinceTheLastOneAndAllHoldsEverything) {
  Recorder recorder;
  recorder.durable(3, std::int64_t{10});
  recorder.durable(2, [](std::uint64_t i) { return static_cast<std::int64_t>(20 + i); });
  Recorder::Slice slice = recorder.take_slice();
  EXPECT_EQ(slice.events, 5U);
  EXPECT_EQ(slice.p50, 10);
  EXPECT_EQ(slice.p99, 21);
  recorder.durable(1, std::int64_t{100});
  slice = recorder.take_slice();
  EXPECT_EQ(slice.events, 1U);
  EXPECT_EQ(slice.p99, 100);
  EXPECT_EQ(recorder.take_slice().events, 0U);
  EXPECT_EQ(recorder.all().count(), 6U);
  EXPECT_EQ(recorder.all().max(), 100);
}

TEST(Recorder, TakesFromManyThreads) {
  Recorder recorder;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&recorder] {
      for (int i = 0; i < 1000; ++i) {
        recorder.durable(2, std::int64_t{7});
        recorder.settled(2);
      }
    });
  }
  std::uint64_t in_slices = 0;
  for (int i = 0; i < 50; ++i) {
    in_slices += recorder.take_slice().events;
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  in_slices += recorder.take_slice().events;
  EXPECT_EQ(in_slices, 8000U);
  EXPECT_EQ(recorder.all().count(), 8000U);
  EXPECT_EQ(recorder.settled(), 8000U);
}

}  // namespace
}  // namespace docket::load
