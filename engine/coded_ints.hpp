// Columns of sealed segments in fewer bits than packing takes: by prefix codes, as differences, as
// runs, by rank. They are read whole and become packed columns in memory (engine/FORMAT.md, "Coded
// ints").
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/assert.hpp"
#include "engine/result.hpp"

namespace docket {

// The ids of a column that stand most often in a segment, the most frequent first: what is frequent
// is then a small number. Immutable.
class ValueOrder {
 public:
  ValueOrder() = default;
  // counts[id] is how often `id` stands in the segment.
  [[nodiscard]] static ValueOrder by_frequency(std::span<const std::uint32_t> counts);

  [[nodiscard]] const std::vector<std::uint32_t>& ids() const { return ids_; }
  // Its rank; behind all ranks where it has none. Precondition: it is an id, of at most 32 bits.
  [[nodiscard]] std::uint64_t rank_of(std::uint64_t id) const {
    DOCKET_ASSERT(id <= UINT32_MAX);
    const std::uint32_t rank = id < ranks_.size() ? ranks_[id] : no_rank;
    return rank == no_rank ? ids_.size() + id : rank;
  }

 private:
  static constexpr std::uint32_t no_rank = UINT32_MAX;
  std::vector<std::uint32_t> ids_;
  std::vector<std::uint32_t> ranks_;  // by id
};

// What is known of a column.
struct ColumnTraits {
  bool is_series = false;             // its values rise, or nearly so
  const ValueOrder* order = nullptr;  // null: not by rank
};

// Appends `values` coded to `out`, where that takes fewer than `bytes_max` bytes. Else it leaves
// `out` alone and returns false.
[[nodiscard]] bool encode_coded_ints(std::span<const std::uint64_t> values,
                                     const ColumnTraits& traits, std::size_t bytes_max,
                                     std::vector<std::byte>& out);
// Hands the `items` values of a column to `take`, ascending by place and 1,024 at once, the last
// call fewer; each is below 2^width. `stored` is followed by bit_source_padding readable bytes;
// `order` is the column's, empty where it has none. Error: corrupt, without a place; some values
// have been taken by then.
[[nodiscard]] Result<void> decode_coded_ints(
    std::span<const std::byte> stored, std::uint32_t width, std::span<const std::uint32_t> order,
    std::uint32_t items, const std::function<void(std::span<const std::uint64_t>)>& take);

}  // namespace docket
