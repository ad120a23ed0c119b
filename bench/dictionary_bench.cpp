// Giving strings their ids: within a batch, where dictionaries are small and stay in the cache, and
// over a segment, where they do not.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/sample_events.hpp"
#include "engine/batch.hpp"
#include "engine/block.hpp"
#include "engine/dictionary_merge.hpp"
#include "engine/hot_segment.hpp"
#include "engine/interner.hpp"
#include "engine/limits.hpp"
#include "engine/memory_file.hpp"
#include "engine/segment_file.hpp"

namespace docket {
namespace {

// Ids of contacts, `distinct` different ones in a random order with repetitions.
std::vector<std::string> ids(std::size_t distinct, std::size_t count) {
  std::mt19937_64 random(distinct);
  std::vector<std::string> all(count);
  for (std::string& id : all) {
    id = fmt::format("contact-{}", random() % distinct);
  }
  return all;
}

// Clearing every `distinct * 4` look-ups, as a builder does from batch to batch: one look-up in
// four finds a new string.
void BM_InternBatch(benchmark::State& state) {
  const auto distinct = static_cast<std::size_t>(state.range(0));
  const auto strings = ids(distinct, distinct * 4);
  Interner interner;
  std::size_t i = 0;
  for (auto _ : state) {
    if (i == strings.size()) {
      interner.clear();
      i = 0;
    }
    benchmark::DoNotOptimize(interner.intern(strings[i++]));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_InternBatch)->Arg(16)->Arg(512)->Arg(8192);

// Look-ups of what is known already, in a dictionary of that many strings.
void BM_InternKnown(benchmark::State& state) {
  const auto strings = ids(static_cast<std::size_t>(state.range(0)), 1 << 20);
  Interner interner;
  for (const std::string& text : strings) {
    interner.intern(text);
  }
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(interner.intern(strings[i++ & ((1U << 20) - 1)]));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
  state.counters["entries"] = interner.size();
}
BENCHMARK(BM_InternKnown)->Arg(16)->Arg(8192)->Arg(1 << 20);

// A large dictionary from nothing, growing and all.
void BM_InternSegment(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const auto strings = ids(count, count);
  for (auto _ : state) {
    Interner interner;
    for (const std::string& text : strings) {
      interner.intern(text);
    }
    benchmark::DoNotOptimize(interner.size());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(count));
}
BENCHMARK(BM_InternSegment)->Arg(1 << 20)->Unit(benchmark::kMillisecond);

// The dictionaries of 16 blocks of 8,192 rows become one sorted set.
void BM_MergeAndSort(benchmark::State& state) {
  constexpr std::uint32_t block_count = 16;
  const auto events = bench::sample_events(block_count * limits::block_rows_max);
  auto file = std::make_unique<MemoryFile>();
  MemoryFile& to = *file;
  SectionCache cache(std::uint64_t{256} << 20);
  auto source =
      std::make_shared<const SegmentSource>(std::move(file), cache, SegmentId(1), "memory");
  HotBlocks blocks(source, "bench", Seq(1));
  FileOffset at(segment_header_bytes);
  BatchBuilder builder;
  std::vector<TargetView> related;
  for (std::size_t i = 0; i < events.size(); ++i) {
    builder.add(view_of(events[i], related));
    if (builder.full()) {
      HotBlock block = make_hot_block(builder.finish(), "node-1", 0, 0, 1);
      block.header.segment = SegmentId(1);
      block.header.offset = at;
      block.header.first_seq = Seq(i + 2 - block.header.rows);
      encode_block_header(block.header, block.head);
      const std::span<const std::byte> parts[] = {block.head, block.sections};
      static_cast<void>(to.write_at(at, parts));
      at += block.header.block_bytes();
      blocks.append(block.header);
    }
  }
  const auto segment = blocks.reader(at.value, source);
  std::uint32_t targets = 0;
  for (auto _ : state) {
    DictionaryMerge merge;
    std::vector<IdMaps> maps;
    for (std::uint32_t b = 0; b < segment->blocks().value().size(); ++b) {
      maps.push_back(merge.add(*segment->dictionaries(b).value()).value());
    }
    merge.sort();
    for (IdMaps& map : maps) {
      merge.finish(map);
    }
    targets = merge.target_count();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(events.size()));
  state.counters["targets"] = targets;
}
BENCHMARK(BM_MergeAndSort)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace docket

BENCHMARK_MAIN();
