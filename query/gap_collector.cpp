#include "query/gap_collector.hpp"

#include <algorithm>

namespace docket::query {

std::vector<Gap> GapCollector::gaps() const {
  std::vector<Gap> merged;
  for (const Gap& gap : gaps_) {
    if (!merged.empty() && merged.back().log == gap.log && merged.back().reason == gap.reason &&
        gap.first_seq <= merged.back().last_seq + 1) {
      merged.back().last_seq = std::max(merged.back().last_seq, gap.last_seq);
    } else {
      merged.push_back(gap);
    }
  }
  return merged;
}

}  // namespace docket::query
