// What a reader sees: immutable, shared by pointer. A snapshot keeps its segments' files alive
// through retirement, but not the store's cache: the store must outlive it. Readers never block the
// committer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/counts.hpp"
#include "engine/segment_reader.hpp"

namespace docket {

// Events that a query should have covered but that cannot be read.
struct Gap {
  std::string log;
  Seq first_seq;
  Seq last_seq;
  std::string reason;
  friend auto operator<=>(const Gap&, const Gap&) = default;
};

// Gaps of several answers as those of one: ascending, each once.
inline void merge_gaps(std::vector<Gap>& gaps) {
  std::sort(gaps.begin(), gaps.end());
  gaps.erase(std::unique(gaps.begin(), gaps.end()), gaps.end());
}

struct LogSnapshot {
  std::string log;
  // Ascending by first_seq; the last may be the active segment's durable part. No two overlap.
  std::vector<std::shared_ptr<const SegmentReader>> segments;
  std::vector<Gap> gaps;  // known damage, ascending
  Seq last_seq;           // the watermark: every durable event up to it is in here, or in a gap,
                          // or retired
};

struct StoreSnapshot {
  std::vector<LogSnapshot> logs;  // ascending by name
};

}  // namespace docket
