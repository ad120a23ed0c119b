#include "tools/load/server_watch.hpp"

#include <gtest/gtest.h>

namespace docket::load {
namespace {

constexpr std::string_view text = R"(# HELP docket_build_info The running version.
# TYPE docket_build_info gauge
docket_build_info{version="0.1.0"} 1
docket_log_events{log="activity"} 600
docket_log_events{log="api"} 100
docket_log_events{log="docket"} 7
docket_log_bytes{log="activity"} 30000
docket_log_bytes{log="docket"} 999
docket_log_commits_total{log="activity"} 12
docket_log_commits_total{log="api"} 3
docket_sealed_segments_total 4
docket_retired_segments_total 2
process_cpu_seconds_total 1.25
process_resident_memory_bytes 1048576
docket_process_resident_memory_max_bytes 2097152
docket_process_written_bytes_total 4096
)";

TEST(ServerWatch, SumsTheLogsButTheSystemsOwn) {
  const auto figures = read_metrics(text);
  ASSERT_TRUE(figures) << figures.error().message;
  EXPECT_EQ(figures->events, 700U);
  EXPECT_EQ(figures->bytes, 30000U);
  EXPECT_EQ(figures->commits, 15U);
  EXPECT_EQ(figures->sealed_segments, 4U);
  EXPECT_EQ(figures->retired_segments, 2U);
  ASSERT_TRUE(figures->process);
  EXPECT_EQ(figures->process->cpu_seconds, 1.25);
  EXPECT_EQ(figures->process->resident_bytes, 1048576U);
  EXPECT_EQ(figures->process->resident_bytes_max, 2097152U);
  EXPECT_EQ(figures->process->written_bytes, 4096U);
}

TEST(ServerWatch, AServerThatTellsNothingOfItsProcessIsTakenAsItIs) {
  const auto figures = read_metrics("docket_build_info{version=\"0.1.0\"} 1\n");
  ASSERT_TRUE(figures);
  EXPECT_FALSE(figures->process);
}

TEST(ServerWatch, WhatIsNotDocketIsRefused) {
  EXPECT_FALSE(read_metrics("<html>\nnginx 1\n"));
  EXPECT_FALSE(read_metrics(""));
}

TEST(ServerWatch, WithoutAnAddressOrAProcessThereIsNothingToSee) {
  const ServerWatch nothing;
  const auto figures = nothing.figures();
  ASSERT_TRUE(figures);
  EXPECT_FALSE(*figures);
  const auto usage = nothing.usage();
  ASSERT_TRUE(usage);
  EXPECT_FALSE(*usage);
}

TEST(ServerWatch, LooksAtAProcessOfThisMachine) {
  ServerWatch self;
  self.pid = getpid();
  const auto usage = self.usage();
  ASSERT_TRUE(usage) << usage.error().message;
  ASSERT_TRUE(*usage);
  EXPECT_GT((*usage)->resident_bytes, 0U);
  self.pid = 1 << 30;
  EXPECT_FALSE(self.usage());
}

}  // namespace
}  // namespace docket::load
