#include "tools/load/measured_run.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>
#include <unistd.h>

#include "tests/tools/load/stalling_server.hpp"
#include "tools/load/json_writer.hpp"

namespace docket::load {
namespace {

Result<MeasuredRun> run_against(const StallingServer& server, double rate) {
  const Generator generator({.seed = 1, .events = 500, .end = 1'780'000'000'000'000'000});
  RunOptions options;
  options.send.port = server.port();
  options.send.events = 500;
  options.send.rate = rate;
  options.watch.pid = getpid();
  options.slice = std::chrono::milliseconds(20);
  Recorder recorder;
  return measure(generator, options, recorder);
}

TEST(MeasuredRun, EverythingIsInItsJson) {
  StallingServer server(std::chrono::milliseconds(60));
  const auto run = run_against(server, 10'000);
  ASSERT_TRUE(run) << run.error().describe();
  std::string text;
  JsonWriter json(text);
  write_json(json, *run);
  simdjson::dom::parser parser;
  const simdjson::dom::object read = parser.parse(text);
  EXPECT_EQ(read["rate"].get_double().value(), 10'000);
  EXPECT_EQ(read["durable"].get_uint64().value(), 500U);
  EXPECT_GT(read["events_per_second"].get_double().value(), 0);
  EXPECT_GT(read["ack_latency_ms"]["p99"].get_double().value(), 0);
  EXPECT_GE(read["send_lag_ms"]["max"].get_double().value(), 0);
  EXPECT_GE(read["server"]["resident_bytes_max"].get_uint64().value(), 1U << 20);
  EXPECT_GE(read["client"]["cpu_seconds"].get_double().value(), 0);
  EXPECT_TRUE(read["store"].is_null()) << "the server was not asked";
  std::uint64_t in_slices = 0;
  for (const simdjson::dom::element point : read["timeline"]["points"].get_array()) {
    in_slices += point.at(1).get_uint64().value();
  }
  EXPECT_EQ(in_slices, 500U);
  std::uint64_t in_buckets = 0;
  for (const simdjson::dom::element bucket :
       read["ack_latency_histogram_ns"]["buckets"].get_array()) {
    in_buckets += bucket.at(1).get_uint64().value();
  }
  EXPECT_EQ(in_buckets, 500U);
}

TEST(MeasuredRun, FlatOutThereIsNoScheduleToBeBehind) {
  StallingServer server(std::chrono::milliseconds(0));
  const auto run = run_against(server, 0);
  ASSERT_TRUE(run) << run.error().describe();
  std::string text;
  JsonWriter json(text);
  write_json(json, *run);
  simdjson::dom::parser parser;
  const simdjson::dom::object read = parser.parse(text);
  EXPECT_TRUE(read["rate"].is_null());
  EXPECT_TRUE(read["send_lag_ms"].is_null());
}

TEST(MeasuredRun, AProcessThatCannotBeLookedAtIsAnErrorBeforeAnythingIsSent) {
  StallingServer server(std::chrono::milliseconds(0));
  const Generator generator({.seed = 1, .events = 10, .end = 1'780'000'000'000'000'000});
  RunOptions options;
  options.send.port = server.port();
  options.send.events = 10;
  options.watch.pid = 1 << 30;
  Recorder recorder;
  EXPECT_FALSE(measure(generator, options, recorder));
  EXPECT_EQ(server.events(), 0U);
}

}  // namespace
}  // namespace docket::load
