#include "tools/docketd/process_usage.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <vector>

namespace docket::server {
namespace {

TEST(ProcessUsage, ThisProcessIsTheOneOfItsNumber) {
  const auto self = process_usage(0);
  const auto named = process_usage(getpid());
  ASSERT_TRUE(self) << self.error().message;
  ASSERT_TRUE(named) << named.error().message;
  EXPECT_GT(self->resident_bytes, 1U << 20);
  EXPECT_GE(named->cpu_seconds, self->cpu_seconds);
  EXPECT_GE(named->resident_bytes_max, named->resident_bytes);
}

TEST(ProcessUsage, TouchedMemoryShowsInThePeak) {
  const auto before = process_usage(0);
  constexpr std::size_t size = std::size_t{64} << 20;
  {
    std::vector<char> much(size, 'x');
    ASSERT_EQ(std::memchr(much.data(), 'y', size), nullptr);
    const auto during = process_usage(0);
    EXPECT_GT(during->resident_bytes_max, before->resident_bytes + size / 2);
  }
}

TEST(ProcessUsage, WorkShowsAsProcessorTime) {
  const auto before = process_usage(0);
  std::uint64_t sum = 0;
  auto after = before;
  // A tick is 10 ms, a round of this about as long: of two thousand one at least sees a tick.
  for (int round = 0; round < 2000 && after->cpu_seconds <= before->cpu_seconds; ++round) {
    for (std::uint64_t i = 0; i < 10'000'000; ++i) {
      sum += i * i;
      asm volatile("" : "+r"(sum));
    }
    after = process_usage(0);
  }
  EXPECT_GT(after->cpu_seconds, before->cpu_seconds);
}

TEST(ProcessUsage, AProcessThatIsNotThereIsAnError) {
  const auto usage = process_usage(1 << 30);
  ASSERT_FALSE(usage);
  EXPECT_EQ(usage.error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace docket::server
