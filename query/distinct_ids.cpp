#include "query/distinct_ids.hpp"

#include <algorithm>

namespace docket::query {

namespace {

// A table of as many ids as rows, and so many more, is small enough to be gone through for them.
constexpr std::uint32_t worth_going_through = 4;

}  // namespace

void DistinctIds::take(std::span<const std::uint32_t> ids, std::uint32_t limit) {
  distinct_.clear();
  places_.resize(ids.size());
  if (limit / worth_going_through <= ids.size()) {
    take_few(ids, limit);
  } else {
    take_many(ids);
  }
}

void DistinctIds::take_few(std::span<const std::uint32_t> ids, std::uint32_t limit) {
  place_of_.assign(limit, 0);
  for (const std::uint32_t id : ids) {
    place_of_[id] = 1;
  }
  for (std::uint32_t id = 0; id < limit; ++id) {
    if (place_of_[id] != 0) {
      place_of_[id] = static_cast<std::uint32_t>(distinct_.size());
      distinct_.push_back(id);
    }
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    places_[i] = place_of_[ids[i]];
  }
}

void DistinctIds::take_many(std::span<const std::uint32_t> ids) {
  sorted_.resize(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    sorted_[i] = std::uint64_t{ids[i]} << 32 | i;
  }
  std::sort(sorted_.begin(), sorted_.end());
  for (const std::uint64_t entry : sorted_) {
    const auto id = static_cast<std::uint32_t>(entry >> 32);
    if (distinct_.empty() || distinct_.back() != id) {
      distinct_.push_back(id);
    }
    places_[static_cast<std::uint32_t>(entry)] = static_cast<std::uint32_t>(distinct_.size() - 1);
  }
}

}  // namespace docket::query
