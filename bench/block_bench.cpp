// What a row costs on its way through the engine: encoded by the sender, admitted by the server,
// taken apart, sealed.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/sample_events.hpp"
#include "engine/batch.hpp"
#include "engine/block.hpp"
#include "engine/body.hpp"
#include "engine/bytes.hpp"
#include "engine/hot_segment.hpp"
#include "engine/limits.hpp"
#include "engine/memory_file.hpp"
#include "engine/sealer.hpp"
#include "engine/section_cache.hpp"
#include "engine/segment_file.hpp"

namespace docket {
namespace {

constexpr Nanos received = 1'900'000'000'000'000'000;
constexpr std::size_t sample_size = 131'072;

const std::vector<Event>& sample() {
  static const std::vector<Event> events = bench::sample_events(sample_size);
  return events;
}

// The `n`-th batch of that many rows; they repeat when the sample is used up.
EncodedBatch encode(BatchBuilder& builder, std::size_t n, std::size_t rows) {
  std::vector<TargetView> related;
  for (std::size_t i = 0; i < rows; ++i) {
    builder.add(view_of(sample()[(n * rows + i) % sample().size()], related));
  }
  return builder.finish();
}

std::vector<std::vector<std::byte>> batches(std::size_t rows) {
  BatchBuilder builder;
  std::vector<std::vector<std::byte>> all;
  for (std::size_t n = 0; n < 16; ++n) {
    all.push_back(encode(builder, n, rows).bytes);
  }
  return all;
}

void count_rows(benchmark::State& state, std::size_t rows_each, std::size_t bytes_each) {
  const auto iterations = static_cast<std::size_t>(state.iterations());
  state.SetItemsProcessed(static_cast<std::int64_t>(iterations * rows_each));
  state.SetBytesProcessed(static_cast<std::int64_t>(iterations * bytes_each));
}

void BM_Encode(benchmark::State& state) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  BatchBuilder builder;
  std::size_t n = 0;
  std::size_t bytes = 0;
  for (auto _ : state) {
    bytes = encode(builder, n++, rows).bytes.size();
  }
  count_rows(state, rows, bytes);
  state.counters["bytes_per_row"] = static_cast<double>(bytes) / static_cast<double>(rows);
}
BENCHMARK(BM_Encode)->Arg(1)->Arg(64)->Arg(limits::block_rows_max);

void BM_Admit(benchmark::State& state) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const auto wire = batches(rows);
  std::size_t n = 0;
  for (auto _ : state) {
    // Whether a payload is JSON is the decoder's business: ndjson_bench.
    auto admitted =
        admit_batch(wire[n++ % wire.size()], {}, received, [](std::string_view) { return true; });
    if (!admitted || !admitted->rejected.empty()) {
      state.SkipWithError("not admitted");
      break;
    }
    benchmark::DoNotOptimize(admitted->batch.bytes.data());
  }
  count_rows(state, rows, wire[0].size());
}
BENCHMARK(BM_Admit)->Arg(1)->Arg(64)->Arg(limits::block_rows_max);

void BM_DecodeBody(benchmark::State& state) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  auto padded = batches(rows);
  const std::size_t bytes = padded[0].size();
  for (auto& body : padded) {
    body.resize(body.size() + section_padding);
  }
  std::size_t n = 0;
  for (auto _ : state) {
    const auto& body = padded[n++ % padded.size()];
    auto decoded = decode_body(std::span(body).first(body.size() - section_padding));
    benchmark::DoNotOptimize(decoded);
  }
  count_rows(state, rows, bytes);
}
BENCHMARK(BM_DecodeBody)->Arg(1)->Arg(64)->Arg(limits::block_rows_max);

void BM_MakeHotBlock(benchmark::State& state) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  BatchBuilder builder;
  const EncodedBatch batch = encode(builder, 0, rows);
  for (auto _ : state) {
    auto block = make_hot_block(batch, "node-1", 1, 1, received);
    benchmark::DoNotOptimize(block);
  }
  count_rows(state, rows, batch.bytes.size());
}
BENCHMARK(BM_MakeHotBlock)->Arg(1)->Arg(limits::block_rows_max);

// A hot segment in memory, in blocks of that many rows.
std::shared_ptr<const SegmentBase> hot_segment(std::size_t rows_each, SectionCache& cache) {
  auto file = std::make_unique<MemoryFile>();
  MemoryFile& to = *file;
  auto source =
      std::make_shared<const SegmentSource>(std::move(file), cache, SegmentId(1), "memory");
  HotBlocks blocks(source, "bench", Seq(1));
  BatchBuilder builder;
  FileOffset at(segment_header_bytes);
  for (std::size_t n = 0; n * rows_each < sample_size; ++n) {
    HotBlock block = make_hot_block(encode(builder, n, rows_each), "node-1", 0, 0, received);
    block.header.segment = SegmentId(1);
    block.header.offset = at;
    block.header.first_seq = Seq(n * rows_each + 1);
    encode_block_header(block.header, block.head);
    const std::span<const std::byte> parts[] = {block.head, block.sections};
    static_cast<void>(to.write_at(at, parts));
    at += block.header.block_bytes();
    blocks.append(block.header);
  }
  return blocks.reader(at.value, source);
}

// Sealing into a directory of the real disk, its fdatasync included.
void BM_Seal(benchmark::State& state) {
  const auto directory = std::filesystem::temp_directory_path() / "docket-block-bench";
  std::filesystem::create_directories(directory);
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    SectionCache cache(std::uint64_t{32} << 20);
    const auto source = hot_segment(static_cast<std::size_t>(state.range(0)), cache);
    state.ResumeTiming();
    const auto sealed = seal_segment(posix_disk(), {source.get(), directory.string(), {}});
    if (!sealed || sealed->info.rows != sample_size) {
      state.SkipWithError("not sealed");
      break;
    }
    bytes = sealed->info.bytes;
  }
  std::filesystem::remove_all(directory);
  count_rows(state, sample_size, bytes);
  state.counters["bytes_per_row"] = static_cast<double>(bytes) / sample_size;
}
BENCHMARK(BM_Seal)->Arg(16)->Arg(1024)->Arg(limits::block_rows_max)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace docket

BENCHMARK_MAIN();
