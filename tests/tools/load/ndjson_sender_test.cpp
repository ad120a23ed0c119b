#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <thread>

#include "tests/tools/load/stalling_server.hpp"
#include "tools/load/sender.hpp"

namespace docket::load {
namespace {

namespace asio = boost::asio;

constexpr std::int64_t ms = 1'000'000;

// More than the sockets hold: the stall keeps the sender from writing. All is due within 100 ms and
// the first answer comes 500 after the first line at the earliest.
TEST(NdjsonSender, AStallCountsAlsoForLinesThatItKeptFromBeingSent) {
  for (const std::uint32_t connections : {1U, 4U}) {
    StallingServer server(std::chrono::milliseconds(500));
    const Generator generator({.seed = 1, .events = 60'000, .end = 1'780'000'000'000'000'000});
    SendOptions options;
    options.port = server.port();
    options.events = 60'000;
    options.rate = 600'000;
    options.connections = connections;
    Recorder recorder;
    const auto report = send_ndjson(generator, options, recorder);
    ASSERT_TRUE(report) << report.error().describe();
    EXPECT_EQ(report->durable, 60'000U);
    EXPECT_EQ(report->latency.count(), 60'000U);
    EXPECT_EQ(report->latency.count_at_most(396 * ms), 0U) << connections;
    EXPECT_EQ(report->lag.count(), 60'000U);
  }
}

// Answers once, when `lines` lines have come, and closes behind the sender.
void answer_once(asio::ip::tcp::acceptor& acceptor, std::uint64_t lines) {
  asio::ip::tcp::socket socket = acceptor.accept();
  std::array<char, 4096> bytes{};
  for (std::uint64_t seen = 0; seen < lines;) {
    const std::size_t size = socket.read_some(asio::buffer(bytes));
    seen += static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.begin() + size, '\n'));
  }
  asio::write(socket, asio::buffer("{\"durable\":" + std::to_string(lines) + "}\n"));
  boost::system::error_code ended;
  static_cast<void>(socket.read_some(asio::buffer(bytes), ended));
}

TEST(NdjsonSender, EachLineOfAnAnswerCountsFromWhenItWasDueItself) {
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), 0});
  std::thread server([&acceptor] { answer_once(acceptor, 401); });
  const Generator generator({.seed = 1, .events = 401, .end = 1'780'000'000'000'000'000});
  SendOptions options;
  options.port = acceptor.local_endpoint().port();
  options.events = 401;
  options.rate = 1000;
  Recorder recorder;
  const auto report = send_ndjson(generator, options, recorder);
  server.join();
  ASSERT_TRUE(report) << report.error().describe();
  // One answer, one moment: the first line has waited exactly 400 ms longer than the last.
  const std::int64_t longest = report->latency.max();
  EXPECT_EQ(report->latency.count_at_most(longest - 408 * ms - longest / 64), 0U);
  EXPECT_GE(report->latency.count_at_most(longest - 392 * ms + longest / 64), 1U);
}

TEST(NdjsonSender, SendsTheEventsOfItsRangeAlone) {
  StallingServer server(std::chrono::milliseconds(0));
  const Generator generator({.seed = 1, .events = 1000, .end = 1'780'000'000'000'000'000});
  SendOptions options;
  options.port = server.port();
  options.first = 650;
  options.events = 300;
  options.connections = 3;
  Recorder recorder;
  const auto report = send_ndjson(generator, options, recorder);
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_EQ(server.events(), 300U);
  EXPECT_EQ(recorder.settled(), 300U);
  EXPECT_EQ(report->latency.count(), 300U);
  EXPECT_EQ(report->lag.count(), 0U) << "nothing is due without a rate";
}

}  // namespace
}  // namespace docket::load
