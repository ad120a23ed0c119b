// A set of dictionary ids, made for asking about every row of a column.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/segment_reader.hpp"

namespace docket::query {

// Add ids in any order, then close(); after that it is immutable and thread-safe.
class IdSet {
 public:
  void add(std::uint32_t id) { add(IdRange{id, id + 1}); }
  void add(IdRange range);
  // Makes the ranges ascending and disjoint; ids from `universe` on are dropped.
  void close(std::uint32_t universe);

  // After close().
  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] const std::vector<IdRange>& ranges() const { return ranges_; }
  [[nodiscard]] bool contains(std::uint32_t id) const {
    if (bits_.empty()) {
      return !ranges_.empty() && id - ranges_[0].begin < ranges_[0].end - ranges_[0].begin;
    }
    return id / 64 < bits_.size() && (bits_[id / 64] >> (id % 64) & 1) != 0;
  }
  // One range (or none): a comparison does, no lookup is needed.
  [[nodiscard]] bool is_range() const { return bits_.empty(); }

 private:
  std::vector<IdRange> ranges_;
  std::vector<std::uint64_t> bits_;  // only where there is more than one range
  std::uint32_t size_ = 0;
};

}  // namespace docket::query
