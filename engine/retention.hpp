// Which segments a policy would retire.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/disk.hpp"
#include "engine/log.hpp"
#include "engine/segment_reader.hpp"

namespace docket {

struct RetentionCandidate {
  std::string log;
  SegmentInfo info;
  std::uint64_t bytes = 0;  // of all its files
};

struct SealedFileBytes {
  std::uint64_t bytes = 0;        // of all files of the segment
  std::uint64_t index_bytes = 0;  // of these its index
};
// Of the segments of a log's directory that are sealed; of none where it cannot be listed. One
// look, however many segments there are.
[[nodiscard]] std::map<SegmentId, SealedFileBytes> sealed_file_bytes(Disk& disk,
                                                                     const std::string& directory);

// A pure function of what there is. `candidates`: the sealed segments, per log oldest first. Only
// whole segments go, per log oldest first:
//   age    when its newest event was *received* longer ago than max_age (the event's own time may
//          lie in the future and must not pin a segment);
//   bytes  as long as the log's segments are larger than max_bytes;
//   floor  as long as less than free_floor is free, whichever oldest segment of a log was received
//          longest ago; its bytes are counted as freed.
// The system's own log `docket` gives way to the floor last.
[[nodiscard]] std::vector<RetirementPlan> plan_retirements(
    const std::vector<RetentionCandidate>& candidates,
    const std::function<RetentionPolicy(std::string_view log)>& policy, std::uint64_t free_now,
    std::uint64_t free_floor, Nanos now);

}  // namespace docket
