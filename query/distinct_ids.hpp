// The ids of many rows, each once, and which of them each row has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace docket::query {

// Keeps its memory between uses. Not thread-safe.
class DistinctIds {
 public:
  // `ids` are below `limit`. Time: linear, unless `limit` is far larger than they are many; then
  // that of sorting them.
  void take(std::span<const std::uint32_t> ids, std::uint32_t limit);
  // Ascending.
  [[nodiscard]] std::span<const std::uint32_t> ids() const { return distinct_; }
  // The place among ids() of the i-th id that was taken.
  [[nodiscard]] std::uint32_t place(std::size_t i) const { return places_[i]; }
  [[nodiscard]] std::span<const std::uint32_t> places() const { return places_; }

 private:
  void take_dense(std::span<const std::uint32_t> ids, std::uint32_t limit);
  void take_sparse(std::span<const std::uint32_t> ids);

  std::vector<std::uint32_t> distinct_;
  std::vector<std::uint32_t> places_;
  // A bit for each id below the limit, and how many are set in front of each word of them.
  std::vector<std::uint64_t> bits_;
  std::vector<std::uint32_t> ranks_;
  std::vector<std::uint64_t> sorted_;  // id and place, of few ids among many
};

}  // namespace docket::query
