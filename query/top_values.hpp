// The most frequent values of a field, out of all that are counted.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "query/searcher.hpp"

namespace docket::query {

// Keeps the first `top` values by count, most first, then as they are shown. Not thread-safe.
class TopValues {
 public:
  TopValues(Field field, std::uint32_t top) : field_(field), top_(top) {}

  // Each value once.
  void add(std::string_view kind, std::string_view id, std::uint64_t count);
  // Leaves `*this` without values.
  [[nodiscard]] Facet take();

 private:
  // As a heap's order this keeps the last one, the first to go, at the front.
  [[nodiscard]] static bool before(const FacetValue& a, const FacetValue& b) {
    return a.count != b.count ? a.count > b.count : a.value < b.value;
  }

  Field field_;
  std::uint32_t top_;
  std::uint64_t distinct_ = 0;
  std::uint64_t sum_ = 0;
  std::vector<FacetValue> heap_;
};

}  // namespace docket::query
