// Sealing: a hot segment's blocks are rewritten into full blocks over sorted dictionaries. Every
// event keeps its seq and every byte of its fields.
#pragma once

#include <string>
#include <vector>

#include "engine/disk.hpp"
#include "engine/producers.hpp"
#include "engine/segment_base.hpp"

namespace docket {

struct SealRequest {
  const SegmentBase* source = nullptr;  // must have rows; outlives the call
  std::string directory;                // where the segment file belongs
  ProducerTable producers;              // as of the source's last event
};

// Events that could not be read while sealing: damaged blocks that follow upon each other.
struct SealLoss {
  Seq first_seq;
  Seq last_seq;
  std::string reason;
  FileRange range;  // from the first block's beginning to the last one's end, in the source's file
};

struct SealResult {
  SegmentInfo info;              // of the new file; rows is 0 when nothing could be read
  std::vector<SealLoss> losses;  // ascending
};

// Writes "<id>.seg" durably: temporary file, sync, rename, directory sync. A block that is damaged
// is left out and named; any other error leaves no file behind but a whole one. Memory: the
// distinct strings of the segment, a number for each of its actors, targets and addresses, a sample
// of its payloads (limits::token_sample_bytes_max), and a few blocks.
[[nodiscard]] Result<SealResult> seal_segment(Disk& disk, const SealRequest& request);

}  // namespace docket
