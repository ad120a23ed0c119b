#include "query/id_set.hpp"

#include <algorithm>

namespace docket::query {

void IdSet::add(IdRange range) {
  if (range.empty()) {
    return;
  }
  // Passes over a dictionary add ids in ascending order: extend the last range.
  if (!ranges_.empty() && ranges_.back().end == range.begin) {
    ranges_.back().end = range.end;
    return;
  }
  ranges_.push_back(range);
}

void IdSet::close(std::uint32_t universe) {
  std::sort(ranges_.begin(), ranges_.end(),
            [](const IdRange& a, const IdRange& b) { return a.begin < b.begin; });
  std::vector<IdRange> merged;
  for (const IdRange& range : ranges_) {
    const IdRange cut{range.begin, std::min(range.end, universe)};
    if (cut.empty()) {
      continue;
    }
    if (!merged.empty() && cut.begin <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, cut.end);
    } else {
      merged.push_back(cut);
    }
  }
  ranges_ = std::move(merged);
  size_ = 0;
  bits_.clear();
  for (const IdRange& range : ranges_) {
    size_ += range.size();
  }
  if (ranges_.size() > 1) {
    bits_.resize(ranges_.back().end / 64 + 1, 0);
    for (const IdRange& range : ranges_) {
      for (std::uint32_t id = range.begin; id < range.end; ++id) {
        bits_[id / 64] |= std::uint64_t{1} << (id % 64);
      }
    }
  }
}

}  // namespace docket::query
