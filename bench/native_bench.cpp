// What one core does with native batches: encoding, admitting, and emitting through the client.
#include <benchmark/benchmark.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/sample_events.hpp"
#include "engine/batch.hpp"
#include "engine/timestamp.hpp"
#include "ingest/client.hpp"
#include "ingest/event_json.hpp"
#include "ingest/server.hpp"
#include "tests/support/acking_store.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket {
namespace {

const std::vector<Event>& events() {
  static const std::vector<Event> sample = bench::sample_events(65536);
  return sample;
}

EncodedBatch full_batch() {
  BatchBuilder builder;
  std::vector<TargetView> scratch;
  for (std::size_t i = 0; !builder.full(); ++i) {
    builder.add(view_of(events()[i], scratch));
  }
  return builder.finish();
}

void BM_BuildAndEncode(benchmark::State& state) {
  BatchBuilder builder;
  std::vector<TargetView> scratch;
  std::size_t i = 0;
  for (auto _ : state) {
    builder.add(view_of(events()[i++ % events().size()], scratch));
    if (builder.full()) {
      benchmark::DoNotOptimize(builder.finish());
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_BuildAndEncode);

void BM_AdmitBatch(benchmark::State& state) {
  const EncodedBatch batch = full_batch();
  const Nanos now = now_ns();
  for (auto _ : state) {
    auto admitted = admit_batch(batch.bytes, EventRules{}, now, ingest::is_json_object);
    if (!admitted || !admitted->rejected.empty()) {
      state.SkipWithError("not admitted");
      break;
    }
    benchmark::DoNotOptimize(admitted->batch.bytes.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * batch.rows);
  state.counters["bytes_per_event"] =
      static_cast<double>(batch.bytes.size()) / static_cast<double>(batch.rows);
}
BENCHMARK(BM_AdmitBatch);

// The emitting thread's own work: its CPU time, not that of the client's thread and the server.
void BM_Emit(benchmark::State& state) {
  testing::AckingStore store;
  ingest::ServerOptions server_options;
  server_options.port = 0;
  const auto server = ingest::Server::start(store, server_options).value();
  client::Options options;
  options.port = server->port();
  options.node = "bench";
  const auto client = client::Client::start(options).value();
  std::vector<TargetView> scratch;
  std::size_t i = 0;
  for (auto _ : state) {
    const EventView event = view_of(events()[i++ % events().size()], scratch);
    if (!client->emit_waiting("activity", event, 10'000)) {
      state.SkipWithError("not emitted");
      break;
    }
  }
  static_cast<void>(client->flush(10'000));
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_Emit);

// The same with a spool: a write to its file an event.
void BM_EmitToSpool(benchmark::State& state) {
  testing::AckingStore store;
  ingest::ServerOptions server_options;
  server_options.port = 0;
  const auto server = ingest::Server::start(store, server_options).value();
  const testing::TemporaryDirectory directory;
  client::Options options;
  options.port = server->port();
  options.node = "bench";
  options.spool.directory = directory / "spool";
  const auto client = client::Client::start(options).value();
  std::vector<TargetView> scratch;
  std::size_t i = 0;
  for (auto _ : state) {
    const EventView event = view_of(events()[i++ % events().size()], scratch);
    if (!client->emit_waiting("activity", event, 10'000)) {
      state.SkipWithError("not emitted");
      break;
    }
  }
  static_cast<void>(client->flush(10'000));
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_EmitToSpool);

// One event at a time, from emit() to its acknowledgement, without a disk.
void BM_EmitAndFlush(benchmark::State& state) {
  testing::AckingStore store;
  ingest::ServerOptions server_options;
  server_options.port = 0;
  const auto server = ingest::Server::start(store, server_options).value();
  client::Options options;
  options.port = server->port();
  options.node = "bench";
  const auto client = client::Client::start(options).value();
  std::vector<TargetView> scratch;
  for (auto _ : state) {
    static_cast<void>(client->emit("activity", view_of(events()[0], scratch)));
    if (!client->flush(10'000)) {
      state.SkipWithError("not flushed");
      break;
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_EmitAndFlush)->UseRealTime();

}  // namespace
}  // namespace docket

BENCHMARK_MAIN();
