#include <gtest/gtest.h>

#include "tests/tools/load/stalling_server.hpp"
#include "tools/load/sender.hpp"

namespace docket::load {
namespace {

constexpr std::int64_t ms = 1'000'000;

SendOptions options_to(const StallingServer& server, std::uint64_t events) {
  SendOptions options;
  options.port = server.port();
  options.events = events;
  return options;
}

// The server answers nothing for 500 ms from the first batch on, and all events are due within 200:
// each of them waits 300 at least, also those that the sender could only send after the stall.
void expect_that_all_waited(SendOptions options) {
  const Generator generator(
      {.seed = 1, .events = options.events, .end = 1'780'000'000'000'000'000});
  Recorder recorder;
  const auto report = send_native(generator, options, recorder);
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_EQ(report->durable, options.events);
  EXPECT_EQ(report->latency.count(), options.events);
  EXPECT_EQ(report->latency.count_at_most(298 * ms), 0U);
  EXPECT_EQ(report->lag.count(), options.events);
}

TEST(NativeSender, AStallCountsForEveryEventThatWasDueInIt) {
  StallingServer server(std::chrono::milliseconds(500));
  SendOptions options = options_to(server, 200);
  options.rate = 1000;
  expect_that_all_waited(options);
}

TEST(NativeSender, AStallCountsAlsoForEventsThatItKeptFromBeingSent) {
  StallingServer server(std::chrono::milliseconds(500));
  SendOptions options = options_to(server, 200);
  options.rate = 1000;
  options.one_at_a_time = true;
  options.batch_rows = 1;
  expect_that_all_waited(options);
}

TEST(NativeSender, AStallCountsOnEveryConnection) {
  StallingServer server(std::chrono::milliseconds(500));
  SendOptions options = options_to(server, 200);
  options.rate = 1000;
  options.connections = 5;
  options.one_at_a_time = true;
  options.batch_rows = 1;
  expect_that_all_waited(options);
}

TEST(NativeSender, SendsTheEventsOfItsRangeAlone) {
  StallingServer server(std::chrono::milliseconds(0));
  const Generator generator({.seed = 1, .events = 1000, .end = 1'780'000'000'000'000'000});
  SendOptions options = options_to(server, 300);
  options.first = 650;
  options.connections = 3;
  Recorder recorder;
  const auto report = send_native(generator, options, recorder);
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_EQ(report->sent, 300U);
  EXPECT_EQ(server.events(), 300U);
  EXPECT_EQ(recorder.settled(), 300U);
  EXPECT_EQ(report->latency.count(), 300U);
  EXPECT_EQ(report->lag.count(), 0U) << "nothing is due without a rate";
}

}  // namespace
}  // namespace docket::load
