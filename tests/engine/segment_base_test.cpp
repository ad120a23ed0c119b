#include "engine/segment_base.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/section.hpp"

namespace docket {
namespace {

PackedInts packed(const std::vector<std::uint64_t>& values, std::uint32_t width,
                  std::uint64_t base = 0, std::uint64_t scale = 1) {
  const auto bytes = std::make_shared<std::vector<std::byte>>();
  pack_bits(std::span<const std::uint64_t>(values), width, *bytes);
  bytes->resize(bytes->size() + section_padding);
  return {SectionBytes(bytes, bytes->data()), static_cast<std::uint32_t>(values.size()), width,
          base, scale};
}

TEST(AreBelow, TheLargestDecidesWhereverItStands) {
  for (const std::uint32_t size : {1U, 511U, 512U, 513U, 1024U, 1300U}) {
    for (const std::uint32_t place : {0U, 510U, 511U, 512U, 1023U, 1299U}) {
      if (place >= size) {
        continue;
      }
      std::vector<std::uint64_t> values(size, 3);
      values[place] = 9;
      const PackedInts ints = packed(values, 5);
      EXPECT_TRUE(are_below(ints, 10)) << size << " " << place;
      EXPECT_FALSE(are_below(ints, 9)) << size << " " << place;
    }
  }
}

TEST(AreBelow, BaseAndScaleCount) {
  const PackedInts ints = packed({1, 3, 2}, 2, 10, 5);
  EXPECT_TRUE(are_below(ints, 26));
  EXPECT_FALSE(are_below(ints, 25));
  const PackedInts same = packed(std::vector<std::uint64_t>(700), 0, 10);
  EXPECT_TRUE(are_below(same, 11));
  EXPECT_FALSE(are_below(same, 10));
  EXPECT_TRUE(are_below(packed({}, 0, 10), 0)) << "nothing is too large";
  EXPECT_TRUE(are_below(packed({UINT64_MAX - 1}, 64), UINT64_MAX));
  EXPECT_FALSE(are_below(packed({UINT64_MAX}, 64), UINT64_MAX));
}

}  // namespace
}  // namespace docket
