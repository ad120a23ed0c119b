// What one core does with NDJSON: decoding alone, and decoding into encoded batches.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "bench/sample_events.hpp"
#include "engine/batch.hpp"
#include "engine/timestamp.hpp"
#include "ingest/event_json.hpp"

namespace docket {
namespace {

const std::vector<std::string>& lines() {
  static const std::vector<std::string> sample = bench::sample_ndjson_lines(65536);
  return sample;
}

void count(benchmark::State& state, std::uint64_t bytes) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

void BM_DecodeLine(benchmark::State& state) {
  ingest::EventDecoder decoder;
  const EventRules rules;
  const Nanos now = now_ns();
  std::size_t i = 0;
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    const std::string& line = lines()[i++ % lines().size()];
    auto decoded = decoder.decode(line, rules, now);
    if (!decoded) {
      state.SkipWithError(decoded.error().message.c_str());
      break;
    }
    benchmark::DoNotOptimize(decoded->event);
    bytes += line.size();
  }
  count(state, bytes);
}
BENCHMARK(BM_DecodeLine);

// Everything the server does with a line but the socket and the disk.
void BM_LinesToBatches(benchmark::State& state) {
  ingest::EventDecoder decoder;
  BatchBuilder builder;
  const EventRules rules;
  const Nanos now = now_ns();
  std::size_t i = 0;
  std::uint64_t bytes = 0;
  std::uint64_t encoded_bytes = 0;
  for (auto _ : state) {
    const std::string& line = lines()[i++ % lines().size()];
    auto decoded = decoder.decode(line, rules, now);
    builder.add(decoded->event);
    if (builder.full()) {
      encoded_bytes += builder.finish().bytes.size();
    }
    bytes += line.size();
  }
  count(state, bytes);
  state.counters["encoded_per_event"] =
      static_cast<double>(encoded_bytes) / static_cast<double>(state.iterations());
}
BENCHMARK(BM_LinesToBatches);

void BM_IsJsonObject(benchmark::State& state) {
  const std::string payload = bench::sample_payload();
  for (auto _ : state) {
    benchmark::DoNotOptimize(ingest::is_json_object(payload));
  }
  count(state, state.iterations() * payload.size());
}
BENCHMARK(BM_IsJsonObject);

}  // namespace
}  // namespace docket

BENCHMARK_MAIN();
