// Whole events of found rows. Neighbours in time need not be neighbours on disk: a few blocks are
// kept at hand, so that rows of interleaved blocks do not read each block again and again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/segment_reader.hpp"
#include "query/segment_memo.hpp"

namespace docket::query {

// Not thread-safe. The segments must outlive it.
class EventReaders {
 public:
  explicit EventReaders(std::size_t blocks_max) : blocks_max_(blocks_max) {}

  // Makes reading these rows of the segment next cheaper, and reading those announced before
  // dearer.
  void read_ahead(const SegmentReader& segment, std::vector<SegmentMemo::BlockRow> rows) {
    memo_of(segment).read_ahead(std::move(rows));
  }
  // Reads row `row` of block `block`.
  [[nodiscard]] Result<void> read(const SegmentReader& segment, std::uint32_t block,
                                  std::uint32_t row, Event& event);

 private:
  struct Entry {
    const SegmentReader* segment = nullptr;
    std::uint32_t block = 0;
    EventReader reader;
  };

  [[nodiscard]] SegmentMemo& memo_of(const SegmentReader& segment);

  std::size_t blocks_max_;
  std::unordered_map<const SegmentReader*, SegmentMemo> memos_;
  std::list<Entry> entries_;  // most recently used first
};

}  // namespace docket::query
