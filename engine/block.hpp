// The block: a header, the section directory, the sections, zeros up to the next multiple of 64.
// engine/FORMAT.md, "Block".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/batch.hpp"
#include "engine/counts.hpp"
#include "engine/result.hpp"
#include "engine/section.hpp"

namespace docket {

//   0 magic u32 · 4 flags u32 · 8 checksum u64 (of 16..128 and the directory) · 16 segment u64 ·
//  24 writer epoch u64 · 32 file offset u64 · 40 first seq u64 · 48 rows u32 · 52 body bytes u32 ·
//  56 directory bytes u32 · 60 salt u32 · 64 durable seq u64 · 72 ts min i64 · 80 ts max i64 ·
//  88 received min i64 · 96 received max i64 · 104 producer epoch u64 · 112 producer batch u64 ·
// 120 durable end u64
inline constexpr std::size_t block_header_bytes = 128;
inline constexpr std::uint32_t block_magic = 0x31424B44;  // "DKB1"
// Blocks start at multiples of this, so that recovery can look for them without trying each byte.
inline constexpr std::uint64_t block_alignment = 64;

enum BlockFlag : std::uint32_t {
  block_sealed = 1,  // ids refer to the segment's dictionaries, not the block's
  block_has_related = 2,
  block_has_payload = 4,
};

struct BlockHeader {
  std::uint32_t flags = 0;
  SegmentId segment;
  WriterEpoch writer_epoch;
  FileOffset offset;
  Seq first_seq;
  std::uint32_t rows = 0;
  std::uint32_t body_bytes = 0;  // directory and sections
  std::uint32_t directory_bytes = 0;
  std::uint32_t salt = 0;  // the segment's
  // What was synced before this block was written: every event up to the seq, every byte of the
  // file before the offset.
  Seq durable_seq;
  FileOffset durable_end;
  Nanos ts_min = 0;
  Nanos ts_max = 0;
  Nanos received_min = 0;
  Nanos received_max = 0;
  std::uint64_t producer_epoch = 0;
  std::uint64_t producer_batch = 0;  // 0: not numbered

  // Of no sender: it only tells what was durable (make_mark()).
  [[nodiscard]] bool is_mark() const { return rows == 0 && producer_batch == 0; }
  [[nodiscard]] std::uint64_t block_bytes() const;  // with header and padding
  [[nodiscard]] Seq end_seq() const { return first_seq + rows; }
};

// Writes header and checksum over the first block_header_bytes of `head`, which holds the directory
// behind them.
void encode_block_header(const BlockHeader& header, std::span<std::byte> head);

// Decodes and checks a header with its directory: `head` starts at the block and holds at least
// header and directory. Whether the block is where it should be is the caller's to check. Error:
// corrupt, without a place.
[[nodiscard]] Result<BlockHeader> decode_block_header(std::span<const std::byte> head);
// The fields alone, unchecked but for the magic: how long `head` must be to be checked. 0: no
// block.
[[nodiscard]] std::size_t block_head_bytes(std::span<const std::byte> header);

// A hot block ready for the disk but for its place: what submit() makes, so that the committer has
// little left to do.
struct HotBlock {
  BlockHeader header;               // without segment, epoch, offset, seqs
  std::vector<std::byte> head;      // header space and directory
  std::vector<std::byte> sections;  // the sender's, then the server's

  [[nodiscard]] std::uint64_t strings_bytes() const;  // of its dictionaries, decompressed
};

// Adds what the server knows (who sent it, when it came) to a batch. `shown` is who its events say
// has sent them, where that is not the producer.
[[nodiscard]] HotBlock make_hot_block(EncodedBatch batch, std::string_view node,
                                      std::uint64_t producer_epoch, std::uint64_t producer_batch,
                                      Nanos received, std::string_view shown = {});

// A block without rows that vouches for the last commit group, once nothing else comes that would.
[[nodiscard]] HotBlock make_mark();

[[nodiscard]] constexpr std::uint64_t align_block(std::uint64_t bytes) {
  return (bytes + block_alignment - 1) / block_alignment * block_alignment;
}

}  // namespace docket
