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
  // `ids` are below `limit`. Time: linear, where `limit` is small; else that of sorting them.
  void take(std::span<const std::uint32_t> ids, std::uint32_t limit);
  // Ascending.
  [[nodiscard]] std::span<const std::uint32_t> ids() const { return distinct_; }
  // The place among ids() of the i-th id that was taken.
  [[nodiscard]] std::uint32_t place(std::size_t i) const { return places_[i]; }

 private:
  void take_few(std::span<const std::uint32_t> ids, std::uint32_t limit);
  void take_many(std::span<const std::uint32_t> ids);

  std::vector<std::uint32_t> distinct_;
  std::vector<std::uint32_t> places_;
  std::vector<std::uint32_t> place_of_;  // by id, for small limits
  std::vector<std::uint64_t> sorted_;    // id and place, for large ones
};

}  // namespace docket::query
