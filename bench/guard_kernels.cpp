// The kernels whose instructions are counted by bench/guard.py, under callgrind:
//
//   guard_kernels KERNEL
//
// does the work of one once, inside of guard_measured(), to which the counting is confined. What
// stands before it, making the input, is not counted. Input is the same on every machine.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "bench/sample_events.hpp"
#include "engine/batch.hpp"
#include "engine/body.hpp"
#include "engine/limits.hpp"
#include "engine/packed_ints.hpp"
#include "index/row_bitmap.hpp"
#include "index/row_bits.hpp"
#include "ingest/event_json.hpp"
#include "query/column_scan.hpp"
#include "query/id_set.hpp"

// By its plain name for callgrind's --toggle-collect.
extern "C" __attribute__((noinline)) void guard_measured(const std::function<bool()>& work,
                                                         bool* done) {
  *done = work();
}

namespace {

using namespace docket;

constexpr std::size_t rows = 4096;
constexpr std::size_t lines = 1000;
constexpr Nanos received = 1'900'000'000'000'000'000;

// What is to be done once; false when its result is not what it must be.
using Work = std::function<bool()>;

EncodedBatch encode(const std::vector<Event>& events) {
  BatchBuilder builder;
  std::vector<TargetView> related;
  for (const Event& event : events) {
    builder.add(view_of(event, related));
  }
  return builder.finish();
}

Work encode_batch() {
  const auto events = std::make_shared<std::vector<Event>>(bench::sample_events(rows));
  return [events] { return encode(*events).rows == rows; };
}

Work admit() {
  const auto wire = std::make_shared<EncodedBatch>(encode(bench::sample_events(rows)));
  return [wire] {
    // Whether a payload is JSON is the last kernel's business.
    const auto admitted =
        admit_batch(wire->bytes, {}, received, [](std::string_view) { return true; });
    return admitted && admitted->rejected.empty();
  };
}

Work decode_columns() {
  const auto body = std::make_shared<EncodedBatch>(encode(bench::sample_events(rows)));
  const std::size_t bytes = body->bytes.size();
  body->bytes.resize(bytes + section_padding);
  return [body, bytes] {
    const auto decoded = decode_body(std::span(body->bytes).first(bytes));
    return decoded && decoded->rows == rows;
  };
}

// A block of 8,192 ids of 13 bits, for a set of twenty, fifty times.
Work scan_column() {
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
  for (std::uint32_t i = 0; i < 20; ++i) {
    set.add(100 * i + 7);
  }
  set.close(5000);
  return [column, set] {
    const std::vector<std::uint64_t> candidates(128, ~std::uint64_t{0});
    std::vector<std::uint64_t> words(128);
    std::uint32_t found = 0;
    for (int i = 0; i < 50; ++i) {
      query::match_column(column, set, limits::block_rows_max, candidates.data(), words.data());
      found += index::count_bits(words.data(), 128);
    }
    return found > 0;
  };
}

// Two frequent values of a million rows: spread, intersected and counted chunk by chunk.
Work and_bitmaps() {
  constexpr std::uint32_t all = 1U << 20;
  const auto bitmap = [](std::uint32_t n) {
    std::mt19937 random(n);
    std::vector<std::uint32_t> found;
    for (std::uint32_t row = 0; row < all; ++row) {
      if (random() % n == 0) {
        found.push_back(row);
      }
    }
    std::vector<std::byte> bytes;
    index::RowBitmap::encode(found, all, bytes);
    return std::make_shared<index::RowBitmap>(
        index::RowBitmap::parse(std::move(bytes), all).value());
  };
  const auto left = bitmap(3);
  const auto right = bitmap(30);
  const auto a = std::make_shared<index::RowBits>();
  const auto b = std::make_shared<index::RowBits>();
  return [left, right, a, b] {
    std::uint64_t count = 0;
    for (std::uint32_t chunk = 0; chunk < left->chunks(); ++chunk) {
      a->clear({});
      b->clear({});
      left->add_to(chunk, *a, {});
      right->add_to(chunk, *b, {});
      a->and_with(*b, {});
      count += a->count({});
    }
    return count > 0;
  };
}

Work decode_ndjson() {
  const auto sample = std::make_shared<std::vector<std::string>>(bench::sample_ndjson_lines(lines));
  const auto decoder = std::make_shared<ingest::EventDecoder>();
  return [sample, decoder] {
    const EventRules rules;
    for (const std::string& line : *sample) {
      if (!decoder->decode(line, rules, received)) {
        return false;
      }
    }
    return true;
  };
}

const std::map<std::string, Work (*)()> kernels{
    {"encode_batch", encode_batch},     {"admit_batch", admit},
    {"decode_columns", decode_columns}, {"scan_column", scan_column},
    {"and_bitmaps", and_bitmaps},       {"decode_ndjson", decode_ndjson},
};

}  // namespace

int main(int argc, char** argv) {
  const auto kernel = argc == 2 ? kernels.find(argv[1]) : kernels.end();
  if (kernel == kernels.end()) {
    for (const auto& [name, make] : kernels) {
      std::puts(name.c_str());
    }
    return argc == 1 ? 0 : 2;
  }
  const Work work = kernel->second();
  bool done = false;
  guard_measured(work, &done);
  if (!done) {
    static_cast<void>(std::fprintf(stderr, "guard_kernels: %s did not do its work\n", argv[1]));
    return 1;
  }
  return 0;
}
