// Adding up the counts of equal values of many segments, in the order of the values and without
// holding them all: a store may have millions of distinct targets.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/result.hpp"
#include "query/value_source.hpp"

namespace docket::query {

// What could not be read, and of which segment.
struct MergeFailure {
  std::uint32_t scan = 0;
  Error error;
};

// Calls `emit` for each distinct value with the sum of its counts, in the order of values. The
// views hold during the call. Takes memory for a batch of ids of each source.
[[nodiscard]] tl::expected<void, MergeFailure> merge_values(
    const std::vector<std::unique_ptr<ValueSource>>& sources,
    const std::function<void(std::string_view kind, std::string_view id, std::uint64_t count)>&
        emit);

}  // namespace docket::query
