// Arbitrary bytes as the file of a hot segment; where blocks seem to start, their checksums are
// made to fit.
//
// Invariants:
//   H1  Scanning, reading, merging and sealing end with a value or an error.
//   H2  Blocks are visited in the order of their seqs; damaged ranges lie between them.
//   H3  Scanning on from the end finds nothing more but blocks of an earlier life of the file.
//   H4  Of what the scan has shown, sealing keeps each event as it was read, or names its loss.
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "engine/assert.hpp"
#include "engine/hot_scan.hpp"
#include "engine/hot_segment.hpp"
#include "engine/sealed_segment.hpp"
#include "engine/sealer.hpp"
#include "tests/fuzz/body_mutator.hpp"
#include "tests/fuzz/memory_disk.hpp"
#include "tests/fuzz/repair.hpp"

namespace {

using namespace docket;

// Small enough that a thousand inputs a second can be tried.
constexpr std::size_t rows_read_max = 2000;

std::vector<std::byte> repaired(std::span<const std::byte> input) {
  std::vector<std::byte> file =
      encode_segment_header({SegmentKind::active, "activity", SegmentId(1), Seq(1)});
  append_bytes(file, input);
  for (std::size_t at = segment_header_bytes; at + block_header_bytes <= file.size();
       at += block_alignment) {
    const auto block = std::span(file).subspan(at);
    const std::size_t head = block_head_bytes(block);
    if (head == 0 || head > block.size()) {
      continue;
    }
    // What is here says that it is here; seqs, epochs and sizes are the fuzzer's.
    store_le(block.data() + 16, std::uint64_t{1});
    store_le(block.data() + 32, static_cast<std::uint64_t>(at));
    testing::repair_body(block.subspan(block_header_bytes));
    testing::repair_block_header(block);
  }
  return file;
}

// The events that can be read, by seq.
std::map<std::uint64_t, Event> events_of(const SegmentReader& segment) {
  std::map<std::uint64_t, Event> events;
  EventReader reader(segment);
  for (std::uint32_t row = 0; row < segment.info().rows && row < rows_read_max; ++row) {
    Event event;
    if (reader.read(row, event)) {
      DOCKET_ASSERT(event.seq >= segment.info().first_seq && event.seq <= segment.info().last_seq);
      events[event.seq.value] = std::move(event);
    }
  }
  return events;
}

void check_scan(const HotScan& scan, const std::vector<BlockHeader>& blocks, const File& file) {
  Seq next{1};
  std::size_t range = 0;
  for (const BlockHeader& block : blocks) {
    while (range < scan.damage.size() && scan.damage[range].begin <= block.offset) {
      DOCKET_ASSERT(scan.damage[range].end <= block.offset);
      DOCKET_ASSERT(scan.damage[range].last_seq < block.first_seq);
      ++range;
    }
    DOCKET_ASSERT(block.first_seq >= next);
    next = block.end_seq();
  }
  // What the head of a torn block says was durable, and no block behind it holds.
  if (range + 1 == scan.damage.size()) {
    DOCKET_ASSERT(scan.damage[range].first_seq == next && scan.damage[range].last_seq >= next);
    DOCKET_ASSERT(scan.damage[range].end <= scan.end);
    next = scan.damage[range].last_seq + 1;
    ++range;
  }
  DOCKET_ASSERT(range == scan.damage.size());
  DOCKET_ASSERT(scan.next_seq == next && scan.torn_end >= scan.end);
  const auto more =
      scan_hot_segment(file, "activity", SegmentId(1), scan.end, scan.next_seq, Seq(0),
                       [&scan](const BlockHeader& header, const BlockSender&) {
                         DOCKET_ASSERT(header.writer_epoch < scan.epoch);
                       });
  DOCKET_ASSERT(more.has_value());
}

void check_sealing(testing::MemoryDisk& disk, const SegmentBase& hot) {
  const auto before = events_of(hot);
  const auto sealed = seal_segment(disk, {&hot, "log", {}});
  if (!sealed) {
    return;
  }
  std::map<std::uint64_t, Event> after;
  if (sealed->info.rows != 0) {
    SectionCache cache(1 << 20);
    const SealedSegment segment(disk, cache, sealed->info);
    after = events_of(segment);
    DOCKET_ASSERT(after.size() == std::min<std::size_t>(sealed->info.rows, rows_read_max));
  }
  std::uint64_t lost = 0;
  for (const SealLoss& loss : sealed->losses) {
    lost += loss.last_seq - loss.first_seq + 1;
  }
  DOCKET_ASSERT(sealed->info.rows + lost == hot.info().rows);
  for (const auto& [seq, event] : after) {
    const auto found = before.find(seq);
    DOCKET_ASSERT(found == before.end() || found->second == event);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  testing::MemoryDisk disk;
  disk.put("hot", repaired(std::as_bytes(std::span(data, size))));
  SectionCache cache(1 << 20);
  const auto source = std::make_shared<const SegmentSource>(
      disk.open("hot", OpenMode::read).value(), cache, SegmentId(1), "hot");
  HotBlocks blocks(source, "activity", Seq(1));
  std::vector<BlockHeader> visited;
  const auto scan =
      scan_hot_segment(source->file(), "activity", SegmentId(1), FileOffset(segment_header_bytes),
                       Seq(1), Seq(0), [&](const BlockHeader& header, const BlockSender&) {
                         visited.push_back(header);
                         blocks.append(header);
                       });
  DOCKET_ASSERT(scan.has_value());
  check_scan(*scan, visited, source->file());
  const auto hot = blocks.reader(size);
  static_cast<void>(events_of(*hot));
  const SmallBlockMerge run = blocks.small_run();
  static_cast<void>(HotBlocks::merge(*source, *blocks.memory(), run));
  if (hot->info().rows != 0) {
    check_sealing(disk, *hot);
  }
  return 0;
}

#ifdef DOCKET_FUZZ_ENGINE
// The input is what stands behind the segment's header.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  return testing::mutate_bodies(data, size, max_size, seed, [](std::span<const std::byte> bytes) {
    std::vector<std::size_t> bodies;
    for (std::size_t at = 0; at + block_header_bytes <= bytes.size(); at += block_alignment) {
      if (block_head_bytes(bytes.subspan(at)) != 0) {
        bodies.push_back(at + block_header_bytes);
      }
    }
    return bodies;
  });
}
#endif
