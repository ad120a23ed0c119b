#include "tools/docketd/process_usage.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <string>
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

TEST(ProcessUsage, WhatIsWrittenIntoFilesIsCountedOnceAndToTheByte) {
  const std::string path = std::filesystem::temp_directory_path() / "docket-process-usage-test";
  const std::vector<char> page(4096, 'x');
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_GE(file, 0);
  const auto before = process_usage(0);
  ASSERT_TRUE(before->written_bytes);
  for (int i = 0; i < 256; ++i) {
    // Behind one another and synced each time: a large folio would be counted 256 times.
    ASSERT_EQ(::pwrite(file, page.data(), page.size(), 4096 * i), 4096);
    ASSERT_EQ(::fdatasync(file), 0);
  }
  const auto after = process_usage(0);
  ::close(file);
  ::unlink(path.c_str());
  EXPECT_EQ(*after->written_bytes - *before->written_bytes, 256U * 4096);
}

TEST(ProcessUsage, AProcessThatIsNotThereIsAnError) {
  const auto usage = process_usage(1 << 30);
  ASSERT_FALSE(usage);
  EXPECT_EQ(usage.error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace docket::server
