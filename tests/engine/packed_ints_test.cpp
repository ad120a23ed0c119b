#include "engine/packed_ints.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "engine/section.hpp"

namespace docket {
namespace {

std::uint64_t mask_of(std::uint32_t width) {
  return width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
}

// With exactly the padding that readers are promised, so that a sanitizer sees one byte too many.
PackedInts packed(const std::vector<std::byte>& bytes, std::uint32_t size, std::uint32_t width,
                  std::uint64_t base = 0, std::uint64_t scale = 1) {
  const std::shared_ptr<std::byte[]> copy(new std::byte[bytes.size() + section_padding]());
  std::copy(bytes.begin(), bytes.end(), copy.get());
  return {SectionBytes(copy, copy.get()), size, width, base, scale};
}

std::vector<std::uint64_t> random_values(std::uint32_t width, std::size_t count) {
  std::mt19937_64 random(width * 1000 + count);
  std::vector<std::uint64_t> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = random() & mask_of(width);
  }
  if (count > 2) {
    values[0] = mask_of(width);
    values[count - 1] = mask_of(width);
  }
  return values;
}

// The format's own words, one bit at a time.
std::uint64_t value_by_bits(const std::vector<std::byte>& bytes, std::size_t i,
                            std::uint32_t width) {
  std::uint64_t value = 0;
  for (std::uint32_t b = 0; b < width; ++b) {
    const std::size_t bit = i * width + b;
    const bool set = (std::to_integer<unsigned>(bytes[bit / 8]) >> (bit % 8) & 1U) != 0;
    value |= std::uint64_t{set} << b;
  }
  return value;
}

TEST(PackedInts, EveryWidthAndLengthReadsBackAsTheFormatSays) {
  for (std::uint32_t width = 0; width <= 64; ++width) {
    for (const std::size_t count : {0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 200}) {
      SCOPED_TRACE(::testing::Message() << "width " << width << ", " << count << " values");
      const auto values = random_values(width, count);
      std::vector<std::byte> bytes;
      pack_bits(std::span<const std::uint64_t>(values), width, bytes);
      ASSERT_EQ(bytes.size(), packed_bytes(count, width));
      const PackedInts ints = packed(bytes, static_cast<std::uint32_t>(count), width);
      for (std::uint32_t i = 0; i < count; ++i) {
        ASSERT_EQ(ints[i], values[i]) << i;
        ASSERT_EQ(value_by_bits(bytes, i, width), values[i]) << i;
      }
    }
  }
}

TEST(PackedInts, UnusedBitsOfTheLastByteAreZero) {
  for (std::uint32_t width = 1; width <= 64; ++width) {
    for (std::size_t count = 1; count < 10; ++count) {
      const std::vector<std::uint64_t> values(count, mask_of(width));
      std::vector<std::byte> bytes;
      pack_bits(std::span<const std::uint64_t>(values), width, bytes);
      const std::size_t used = count * width % 8;
      if (used != 0) {
        EXPECT_EQ(std::to_integer<unsigned>(bytes.back()) >> used, 0U) << width << ' ' << count;
      }
    }
  }
}

TEST(PackedInts, PackingAppendsAndLeavesWhatIsThere) {
  std::vector<std::byte> bytes = {std::byte{0xab}};
  const std::vector<std::uint32_t> values = {5, 6, 7};
  pack_bits(std::span<const std::uint32_t>(values), 3, bytes);
  ASSERT_EQ(bytes.size(), 3U);
  EXPECT_EQ(bytes[0], std::byte{0xab});
  EXPECT_EQ(bytes[1], std::byte{0xf5});  // 101, 110, and two bits of 111
  EXPECT_EQ(bytes[2], std::byte{0x01});
}

TEST(PackedInts, BaseAndScaleApplyToEveryWayOfReading) {
  for (const std::uint32_t width : {0U, 1U, 13U, 31U, 57U, 64U}) {
    const auto values = random_values(width, 100);
    std::vector<std::byte> bytes;
    pack_bits(std::span<const std::uint64_t>(values), width, bytes);
    for (const std::uint64_t base : {std::uint64_t{0}, std::uint64_t{7}, ~std::uint64_t{0} - 3}) {
      for (const std::uint64_t scale : {std::uint64_t{1}, std::uint64_t{1000}}) {
        const PackedInts ints = packed(bytes, 100, width, base, scale);
        std::vector<std::uint64_t> wide(100);
        std::vector<std::uint32_t> narrow(100);
        ints.unpack(0, 100, wide.data());
        ints.unpack(0, 100, narrow.data());
        for (std::uint32_t i = 0; i < 100; ++i) {
          const std::uint64_t expected = base + scale * values[i];
          ASSERT_EQ(ints[i], expected);
          ASSERT_EQ(wide[i], expected);
          ASSERT_EQ(narrow[i], static_cast<std::uint32_t>(expected));
        }
      }
    }
  }
}

TEST(PackedInts, UnpackTakesAnyPartOfTheArray) {
  const auto values = random_values(11, 50);
  std::vector<std::byte> bytes;
  pack_bits(std::span<const std::uint64_t>(values), 11, bytes);
  const PackedInts ints = packed(bytes, 50, 11);
  for (std::uint32_t begin = 0; begin <= 50; ++begin) {
    for (std::uint32_t end = begin; end <= 50; ++end) {
      std::vector<std::uint64_t> part(end - begin + 1, 0xdead);
      ints.unpack(begin, end, part.data());
      ASSERT_TRUE(std::equal(part.begin(), part.end() - 1, values.begin() + begin));
      ASSERT_EQ(part.back(), 0xdeadU) << "wrote behind its end";
    }
  }
}

TEST(PackedInts, CopyKeepsTheBytesAlive) {
  PackedInts copy;
  {
    std::vector<std::byte> bytes;
    const std::vector<std::uint64_t> values = {1, 2, 3};
    pack_bits(std::span<const std::uint64_t>(values), 8, bytes);
    const PackedInts original = packed(bytes, 3, 8);
    copy = original;
  }
  EXPECT_EQ(copy[2], 3U);
}

TEST(PackedIntsDeathTest, ValueThatDoesNotFitIsOurBug) {
  const std::vector<std::uint64_t> values = {4};
  std::vector<std::byte> bytes;
  EXPECT_DEATH(pack_bits(std::span<const std::uint64_t>(values), 2, bytes), "value >> width");
}

}  // namespace
}  // namespace docket
