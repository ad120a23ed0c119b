// The parts of an index by themselves: containers, pages, building.
#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <vector>

#include "index/row_bitmap.hpp"
#include "index/value_page.hpp"
#include "query/column_scan.hpp"

namespace {

using namespace docket;

constexpr std::uint32_t rows = 1 << 20;

std::vector<std::uint32_t> one_row_in(std::uint32_t n) {
  std::mt19937 random(n);
  std::vector<std::uint32_t> found;
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (random() % n == 0) {
      found.push_back(row);
    }
  }
  return found;
}

void encode_bitmap(benchmark::State& state) {
  const auto found = one_row_in(static_cast<std::uint32_t>(state.range(0)));
  std::vector<std::byte> bytes;
  for (auto _ : state) {
    bytes.clear();
    index::RowBitmap::encode(found, rows, bytes);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(found.size()));
  state.counters["bytes_per_row"] =
      static_cast<double>(bytes.size()) / static_cast<double>(found.size());
}
BENCHMARK(encode_bitmap)->Arg(2)->Arg(10)->Arg(30)->Arg(100)->Arg(1000);

// One chunk of 65,536 rows.
void add_chunk(benchmark::State& state) {
  const auto found = one_row_in(static_cast<std::uint32_t>(state.range(0)));
  std::vector<std::byte> bytes;
  index::RowBitmap::encode(found, rows, bytes);
  const auto bitmap = index::RowBitmap::parse(bytes, rows);
  const auto bits = std::make_unique<index::RowBits>();
  bits->clear({});
  std::uint32_t chunk = 0;
  for (auto _ : state) {
    bitmap->add_to(chunk, *bits, {});
    chunk = (chunk + 1) % bitmap->chunks();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(add_chunk)->Arg(2)->Arg(10)->Arg(30)->Arg(100)->Arg(1000);

void and_and_count_chunk(benchmark::State& state) {
  const auto a = std::make_unique<index::RowBits>();
  const auto b = std::make_unique<index::RowBits>();
  a->words.fill(0x5555555555555555);
  b->words.fill(0x3333333333333333);
  for (auto _ : state) {
    a->and_with(*b, {});
    benchmark::DoNotOptimize(a->count({}));
  }
}
BENCHMARK(and_and_count_chunk);

void parse_page(benchmark::State& state) {
  const index::PageShape shape{rows, 1049};
  std::vector<std::vector<std::uint32_t>> strips;
  std::vector<index::ValuePostings> values;
  std::mt19937 random(1);
  for (std::uint32_t i = 0; i < index::page_values; ++i) {
    strips.push_back({static_cast<std::uint32_t>(random() % 512)});
    if (random() % 3 == 0) {
      strips.back().push_back(512 + static_cast<std::uint32_t>(random() % 512));
    }
  }
  for (const auto& of_value : strips) {
    values.push_back({static_cast<std::uint32_t>(of_value.size()), of_value});
  }
  std::vector<std::byte> bytes;
  index::ValuePage::encode(values, shape, bytes);
  for (auto _ : state) {
    benchmark::DoNotOptimize(index::ValuePage::parse(bytes, index::page_values, shape));
  }
  state.SetItemsProcessed(state.iterations() * index::page_values);
  state.counters["bytes_per_value"] = static_cast<double>(bytes.size()) / index::page_values;
}
BENCHMARK(parse_page);

// A block of 8,192 ids of 13 bits: a range, and a set.
void scan_block(benchmark::State& state) {
  std::mt19937 random(1);
  std::vector<std::uint32_t> ids(limits::block_rows_max);
  for (std::uint32_t& id : ids) {
    id = static_cast<std::uint32_t>(random() % 5000);
  }
  std::vector<std::byte> bytes;
  pack_bits(std::span<const std::uint32_t>(ids), 13, bytes);
  bytes.resize(bytes.size() + 8);
  const auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  const PackedInts column(std::shared_ptr<const std::byte>(owner, owner->data()),
                          limits::block_rows_max, 13, 0, 1);
  query::IdSet set;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    set.add(static_cast<std::uint32_t>(100 * i + 7));
  }
  set.close(5000);
  const std::vector<std::uint64_t> candidates(128, ~std::uint64_t{0});
  std::vector<std::uint64_t> words(128);
  for (auto _ : state) {
    query::match_column(column, set, limits::block_rows_max, candidates.data(), words.data());
    benchmark::DoNotOptimize(words.data());
  }
  state.SetItemsProcessed(state.iterations() * limits::block_rows_max);
}
BENCHMARK(scan_block)->Arg(1)->Arg(20);

}  // namespace

BENCHMARK_MAIN();
