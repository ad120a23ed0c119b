#include "query/event_readers.hpp"

#include <algorithm>

namespace docket::query {

SegmentMemo& EventReaders::memo_of(const SegmentReader& segment) {
  return memos_.try_emplace(&segment, segment).first->second;
}

Result<void> EventReaders::read(const SegmentReader& segment, std::uint32_t block,
                                std::uint32_t row, Event& event) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.segment == &segment && entry.block == block;
  });
  if (found != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, found);
  } else {
    if (entries_.size() == blocks_max_) {
      entries_.pop_back();
    }
    entries_.push_front(Entry{&segment, block, EventReader(memo_of(segment))});
  }
  return entries_.front().reader.read(row, event);
}

}  // namespace docket::query
