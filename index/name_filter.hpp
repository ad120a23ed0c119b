// Which names a table may hold: a Bloom filter in blocks of 64 bytes (index/FORMAT.md, "Name
// filter"). `actor:` and `target:` conditions also find whole names, which no dictionary is sorted
// by; without the filter each such query would pass over all names of every segment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/result.hpp"

namespace docket::index {

// Immutable; thread-safe.
class NameFilter {
 public:
  // Error: corrupt.
  [[nodiscard]] static Result<NameFilter> parse(std::vector<std::byte> bytes);
  // Appends the filter of the names with these hashes to `out`.
  static void encode(std::span<const std::uint64_t> hashes, std::vector<std::byte>& out);
  [[nodiscard]] static std::uint64_t hash(std::string_view name);

  // False: certainly not. True: with a chance of about one in a hundred although it is not.
  [[nodiscard]] bool may_contain(std::string_view name) const;
  [[nodiscard]] std::size_t memory_bytes() const { return bytes_.size(); }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace docket::index
