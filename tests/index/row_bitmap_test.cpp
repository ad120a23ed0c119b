#include "index/row_bitmap.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace docket::index {
namespace {

using Rows = std::vector<std::uint32_t>;

std::vector<std::byte> encoded(const Rows& rows, std::uint32_t universe) {
  std::vector<std::byte> bytes;
  RowBitmap::encode(rows, universe, bytes);
  return bytes;
}

Rows decoded(const RowBitmap& bitmap) {
  Rows rows;
  RowBits bits;
  for (std::uint32_t chunk = 0; chunk < bitmap.chunks(); ++chunk) {
    bits.clear(WordRange{});
    bitmap.add_to(chunk, bits, WordRange{});
    std::uint32_t count = 0;
    bits.for_each(WordRange{}, [&](std::uint32_t bit) {
      rows.push_back(chunk * limits::chunk_rows + bit);
      ++count;
    });
    EXPECT_EQ(bitmap.count(chunk), count);
  }
  return rows;
}

Rows every(std::uint32_t step, std::uint32_t universe) {
  Rows rows;
  for (std::uint32_t row = step / 2; row < universe; row += step) {
    rows.push_back(row);
  }
  return rows;
}

Rows random_rows(std::uint32_t one_in, std::uint32_t universe, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Rows rows;
  for (std::uint32_t row = 0; row < universe; ++row) {
    if (random() % one_in == 0) {
      rows.push_back(row);
    }
  }
  return rows;
}

TEST(RowBitmap, GivesBackTheRowsItWasMadeFrom) {
  for (const std::uint32_t universe :
       {1U, 63U, 64U, 65U, 8192U, 65535U, 65536U, 65537U, 200'001U}) {
    for (const std::uint32_t one_in : {1U, 2U, 3U, 10U, 40U, 300U, 5000U, 1'000'000U}) {
      const Rows rows = random_rows(one_in, universe, universe + one_in);
      auto bitmap = RowBitmap::parse(encoded(rows, universe), universe);
      ASSERT_TRUE(bitmap) << bitmap.error().message << " " << universe << " " << one_in;
      EXPECT_EQ(decoded(*bitmap), rows) << universe << " " << one_in;
      EXPECT_EQ(bitmap->total(), rows.size());
      EXPECT_TRUE(bitmap->is_sound());
    }
  }
}

TEST(RowBitmap, RunsCostFourBytesEach) {
  Rows rows;
  for (std::uint32_t row = 100; row < 60'000; ++row) {
    rows.push_back(row);
  }
  const auto bytes = encoded(rows, 65'536);
  EXPECT_EQ(bytes.size(), 6U + 4U);
  auto bitmap = RowBitmap::parse(bytes, 65'536);
  ASSERT_TRUE(bitmap);
  EXPECT_EQ(decoded(*bitmap), rows);
}

TEST(RowBitmap, SparseRowsCostLessThanTwoBytesEach) {
  const Rows rows = every(100, 65'536);
  EXPECT_LT(encoded(rows, 65'536).size(), rows.size() * 5 / 4);
}

TEST(RowBitmap, AddsOnlyWhatLiesInTheRange) {
  for (const std::uint32_t step : {1U, 2U, 7U, 200U}) {
    const Rows rows = every(step, 65'536);
    auto bitmap = RowBitmap::parse(encoded(rows, 65'536), 65'536);
    ASSERT_TRUE(bitmap);
    RowBits bits;
    bits.clear(WordRange{});
    bitmap->add_to(0, bits, WordRange{128, 256});
    Rows found;
    bits.for_each(WordRange{}, [&](std::uint32_t bit) { found.push_back(bit); });
    Rows expected;
    for (const std::uint32_t row : rows) {
      if (row >= 128 * 64 && row < 256 * 64) {
        expected.push_back(row);
      }
    }
    EXPECT_EQ(found, expected) << step;
  }
}

TEST(RowBitmap, RefusesEveryCutAndEveryExtension) {
  auto bytes = encoded(random_rows(50, 100'000, 1), 100'000);
  for (std::size_t size = 0; size < bytes.size(); size += size < 16 ? 1 : 97) {
    EXPECT_FALSE(
        RowBitmap::parse({bytes.begin(), bytes.begin() + static_cast<long>(size)}, 100'000));
  }
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(RowBitmap::parse(bytes, 100'000));
}

TEST(RowBitmap, RefusesAContainerLargerThanItsChunk) {
  auto bytes = encoded({1, 5, 9}, 100);
  bytes[2] = std::byte{100};  // 101 of 100 rows
  EXPECT_FALSE(RowBitmap::parse(bytes, 100));
}

TEST(RowBitmap, FlippedBitsAreRefusedOrUnsoundOrStayWithinTheChunk) {
  for (const std::uint32_t one_in : {2U, 30U, 900U}) {
    const auto bytes = encoded(random_rows(one_in, 70'000, 3), 70'000);
    std::mt19937_64 random(4);
    for (int i = 0; i < 400; ++i) {
      auto flipped = bytes;
      flipped[random() % flipped.size()] ^= std::byte{1} << (random() % 8);
      auto bitmap = RowBitmap::parse(flipped, 70'000);
      if (!bitmap) {
        continue;
      }
      RowBits bits;
      bits.clear(WordRange{});
      bitmap->add_to(1, bits, WordRange{});
      bits.for_each(WordRange{}, [](std::uint32_t bit) { EXPECT_LT(bit, limits::chunk_rows); });
      static_cast<void>(bitmap->is_sound());
    }
  }
}

TEST(RowBitmap, AListThatDoesNotAscendIsUnsound) {
  auto bytes = encoded({1, 5, 9}, 100);
  ASSERT_TRUE(RowBitmap::parse(bytes, 100));
  // Three rows of 100 keep five low bits each; the first and the second change places.
  ASSERT_EQ(std::to_integer<int>(bytes[0]), 1);
  ASSERT_EQ(std::to_integer<int>(bytes[1]), 5);
  bytes[6] = std::byte{5 | 1 << 5};
  auto bitmap = RowBitmap::parse(bytes, 100);
  ASSERT_TRUE(bitmap);
  EXPECT_FALSE(bitmap->is_sound());
}

}  // namespace
}  // namespace docket::index
