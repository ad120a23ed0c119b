#include <gtest/gtest.h>

#include "tests/tools/load/stalling_server.hpp"
#include "tools/load/sender.hpp"

namespace docket::load {
namespace {

SendOptions options_to(const StallingServer& server, std::uint64_t events) {
  SendOptions options;
  options.port = server.port();
  options.events = events;
  return options;
}

Result<SendReport> send(const SendOptions& options, Recorder& recorder) {
  const Generator generator({.seed = 1, .events = 1000, .end = 1'780'000'000'000'000'000});
  return send_bare(generator, options, recorder);
}

TEST(BareSender, SendsTheEventsOfItsRangeAloneOnAllConnections) {
  StallingServer server(std::chrono::milliseconds(0));
  for (const std::uint32_t rows : {1U, 7U, 8192U}) {
    SendOptions options = options_to(server, 300);
    options.first = 650;
    options.connections = 5;
    options.batch_rows = rows;
    Recorder recorder;
    const std::uint64_t before = server.events();
    const auto report = send(options, recorder);
    ASSERT_TRUE(report) << report.error().describe();
    EXPECT_EQ(report->sent, 300U);
    EXPECT_EQ(report->durable, 300U);
    EXPECT_EQ(report->rejected, 0U);
    EXPECT_EQ(server.events() - before, 300U);
    EXPECT_EQ(recorder.settled(), 300U);
    EXPECT_EQ(report->latency.count(), 300U);
  }
}

TEST(BareSender, MoreConnectionsThanEventsEnd) {
  StallingServer server(std::chrono::milliseconds(0));
  SendOptions options = options_to(server, 2);
  options.connections = 9;
  Recorder recorder;
  const auto report = send(options, recorder);
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_EQ(report->durable, 2U);
}

TEST(BareSender, AServerThatDoesNotAnswerIsGivenUp) {
  StallingServer server(std::chrono::seconds(1));
  SendOptions options = options_to(server, 1);
  options.patience_ms = 50;
  Recorder recorder;
  const auto report = send(options, recorder);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::overloaded);
}

TEST(BareSender, AServerThatIsNotThereIsAnError) {
  SendOptions options;
  options.port = 1;
  options.events = 1;
  Recorder recorder;
  EXPECT_FALSE(send(options, recorder));
}

}  // namespace
}  // namespace docket::load
