// What building the index of a sealed segment costs a row, and its parts: docket-load's events of
// the activity log, in a segment of full blocks.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "engine/batch.hpp"
#include "engine/log.hpp"
#include "index/dimension_entries.hpp"
#include "index/index_builder.hpp"
#include "index/payload_terms.hpp"
#include "tools/load/generator.hpp"

namespace docket {
namespace {

constexpr std::uint64_t event_count = 524'288;
constexpr Nanos end_of_events = 1'777'593'600'000'000'000;  // 2026-05-01

template <typename T>
T require(Result<T> result) {
  if (!result) {
    fmt::print(stderr, "index_bench: {}\n", result.error().describe());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) {
    return std::move(*result);
  }
}

// A store in a temporary directory, with one sealed segment of one log.
class SealedStore {
 public:
  SealedStore() : path_(std::filesystem::temp_directory_path() / "docket-index-bench") {
    std::filesystem::remove_all(path_);
    StoreOptions options;
    options.log.sync = false;
    options.free_space_floor = 0;
    store_ = require(Store::open(posix_disk(), path_.string(), options));
    fill(*require(store_->log("activity")));
    snapshot_ = require(store_->snapshot());
  }
  ~SealedStore() {
    snapshot_ = {};
    store_.reset();
    std::filesystem::remove_all(path_);
  }
  SealedStore(const SealedStore&) = delete;
  SealedStore& operator=(const SealedStore&) = delete;

  [[nodiscard]] const SegmentReader& segment() const {
    for (const LogSnapshot& log : snapshot_.logs) {
      if (log.log == "activity") {
        return *log.segments.at(0);
      }
    }
    std::abort();
  }

 private:
  static void fill(Log& log) {
    load::GeneratorOptions options;
    options.events = event_count;
    options.end = end_of_events;
    options.mix = {1, 0, 0, 0};
    const load::Generator generator(options);
    std::atomic<int> waiting{0};
    BatchBuilder builder;
    load::GeneratedEvent event;
    const auto submit = [&] {
      ++waiting;
      log.submit(builder.finish(), ProducerStamp{"bench", 0, 0}, end_of_events,
                 [&](Result<Receipt> done) {
                   static_cast<void>(require(std::move(done)));
                   --waiting;
                 });
      while (waiting.load() > 8) {
        std::this_thread::yield();
      }
    };
    for (std::uint64_t i = 0; i < event_count; ++i) {
      generator.make(i, event);
      builder.add(event.event);
      if (builder.full()) {
        submit();
      }
    }
    if (builder.rows() > 0) {
      submit();
    }
    while (waiting.load() > 0) {
      std::this_thread::yield();
    }
    require(log.seal());
  }

  std::filesystem::path path_;
  std::unique_ptr<Store> store_;
  StoreSnapshot snapshot_;
};

const SegmentReader& segment() {
  static const SealedStore store;
  return store.segment();
}

void count_rows(benchmark::State& state) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * segment().info().rows);
}

// Payloads read and decompressed, and nothing else.
void BM_ReadPayloads(benchmark::State& state) {
  PayloadBuffer buffer;
  for (auto _ : state) {
    for (std::uint32_t block = 0; block < segment().blocks().value().size(); ++block) {
      const auto runs = require(segment().payload_runs(block));
      for (std::size_t run = 0; run + 1 < runs->first_rows().size(); ++run) {
        benchmark::DoNotOptimize(require(runs->read(run, buffer)));
      }
    }
  }
  count_rows(state);
}
BENCHMARK(BM_ReadPayloads)->Unit(benchmark::kMillisecond);

// Changed fields and text filter, reading included.
void BM_PayloadTerms(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(require(index::payload_terms_of(segment())));
  }
  count_rows(state);
}
BENCHMARK(BM_PayloadTerms)->Unit(benchmark::kMillisecond);

// Columns taken apart into the values of each row.
void BM_DimensionEntries(benchmark::State& state) {
  for (auto _ : state) {
    require(index::for_each_dimension(
        segment(), [](index::Dimension, const index::DimensionEntries& entries) -> Result<void> {
          benchmark::DoNotOptimize(entries.values.data());
          return {};
        }));
  }
  count_rows(state);
}
BENCHMARK(BM_DimensionEntries)->Unit(benchmark::kMillisecond);

void BM_BuildIndex(benchmark::State& state) {
  std::size_t bytes = 0;
  for (auto _ : state) {
    bytes = require(index::build_index(segment())).size();
  }
  count_rows(state);
  state.counters["bytes_per_row"] = static_cast<double>(bytes) / segment().info().rows;
}
BENCHMARK(BM_BuildIndex)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace docket

BENCHMARK_MAIN();
