// Finding out what is in a hot segment's file: recovery, and readers of another process's
// directory.
//
// The rules (engine/FORMAT.md, "Recovery"):
//   A block is valid when header, directory and every section match their checksums, it names this
//   segment, its salt and its own offset, its writer epoch is not older than that of a block before
//   it, and its seqs go on from the block before it.
//   Where a block behind an invalid place, of which at least header and directory are valid, says
//   that the place or the expected seq was durable, or the caller knows it of the seq, acknowledged
//   data is damaged there: the range is quarantined and reading goes on at the next valid block.
//   Otherwise what follows was never acknowledged: a torn tail.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/block.hpp"
#include "engine/disk.hpp"
#include "engine/result.hpp"
#include "engine/segment_file.hpp"

namespace docket {

struct DamagedRange {
  FileOffset begin;
  FileOffset end;
  Seq first_seq;  // of the events that stood there; none when first_seq > last_seq
  Seq last_seq;
  std::string reason;
};

struct HotScan {
  bool header_damaged = false;
  std::uint32_t salt = 0;
  Seq next_seq;                                  // behind the last valid block
  Seq durable_seq;                               // the highest that a valid block calls durable
  FileOffset durable_end{segment_header_bytes};  // the highest that a valid block calls durable
  WriterEpoch epoch;                             // the highest seen
  FileOffset end{segment_header_bytes};          // where the next block belongs
  FileOffset data_end{segment_header_bytes};     // behind the last block that is no mark
  std::uint64_t file_bytes = 0;
  std::uint64_t strings_bytes = 0;  // of the blocks' dictionaries, decompressed
  FileOffset torn_end;              // behind the last non-zero byte after `end`; `end` when none
  std::vector<DamagedRange> damage;
};

// Who has sent a block, and who its rows say has, where that is another; else empty.
struct BlockSender {
  std::string node;
  std::string shown;
};

// Called for each valid block, in order. Blocks without rows, too.
using HotBlockVisitor = std::function<void(const BlockHeader& header, const BlockSender& sender)>;

// Scans segment `id` of `log` from `from` (a block boundary; segment_header_bytes for all of the
// file). `expected` is the seq that the first block should have; every seq up to `proven` is known
// to have been synced into this file. Errors: io, newer_format; damage is part of the result.
[[nodiscard]] Result<HotScan> scan_hot_segment(const File& file, std::string_view log, SegmentId id,
                                               FileOffset from, Seq expected, Seq proven,
                                               const HotBlockVisitor& visit);

}  // namespace docket
