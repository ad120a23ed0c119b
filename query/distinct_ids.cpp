#include "query/distinct_ids.hpp"

#include <algorithm>
#include <bit>

#include "engine/processor.hpp"

namespace docket::query {

namespace {

// Going through the bits of so many ids for each row costs less than sorting the rows.
constexpr std::uint32_t worth_going_through = 256;

// The places of ids by the bits of all. Inlined into its callers, which may count bits in one step.
[[gnu::always_inline]] inline void find_places(std::span<const std::uint32_t> ids,
                                               const std::uint64_t* bits,
                                               const std::uint32_t* ranks, std::uint32_t* places) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::uint32_t word = ids[i] / 64;
    const std::uint64_t before = bits[word] & ((std::uint64_t{1} << ids[i] % 64) - 1);
    places[i] = ranks[word] + static_cast<std::uint32_t>(std::popcount(before));
  }
}

#if defined(__x86_64__)
DOCKET_WIDE_VECTORS void find_places_wide(std::span<const std::uint32_t> ids,
                                          const std::uint64_t* bits, const std::uint32_t* ranks,
                                          std::uint32_t* places) {
  find_places(ids, bits, ranks, places);
}
#endif

}  // namespace

void DistinctIds::take(std::span<const std::uint32_t> ids, std::uint32_t limit) {
  distinct_.clear();
  places_.resize(ids.size());
  if (limit / worth_going_through <= ids.size()) {
    take_dense(ids, limit);
  } else {
    take_sparse(ids);
  }
}

void DistinctIds::take_dense(std::span<const std::uint32_t> ids, std::uint32_t limit) {
  const std::size_t words = std::size_t{limit} / 64 + 1;
  bits_.assign(words, 0);
  ranks_.resize(words);
  for (const std::uint32_t id : ids) {
    bits_[id / 64] |= std::uint64_t{1} << id % 64;
  }
  for (std::size_t word = 0; word < words; ++word) {
    ranks_[word] = static_cast<std::uint32_t>(distinct_.size());
    for (std::uint64_t rest = bits_[word]; rest != 0; rest &= rest - 1) {
      distinct_.push_back(static_cast<std::uint32_t>(word * 64) +
                          static_cast<std::uint32_t>(std::countr_zero(rest)));
    }
  }
#if defined(__x86_64__)
  if (has_wide_vectors()) {
    find_places_wide(ids, bits_.data(), ranks_.data(), places_.data());
    return;
  }
#endif
  find_places(ids, bits_.data(), ranks_.data(), places_.data());
}

void DistinctIds::take_sparse(std::span<const std::uint32_t> ids) {
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
