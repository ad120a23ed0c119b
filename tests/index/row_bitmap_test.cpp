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

// A container's header: 0 form, 1 low bits, 2 count - 1, 4 bytes.
TEST(RowBitmap, AHeaderThatDoesNotFitItsContainerIsRefused) {
  const auto changed = [](const Rows& rows, std::size_t at, int value) {
    auto bytes = encoded(rows, 1000);
    bytes[at] = static_cast<std::byte>(value);
    return RowBitmap::parse(bytes, 1000).has_value();
  };
  const Rows list = {1, 5, 9};
  const Rows bits = every(3, 1000);
  Rows runs;
  for (std::uint32_t row = 100; row < 900; ++row) {
    runs.push_back(row);
  }
  const auto form_of = [](const Rows& rows) {
    return std::to_integer<int>(encoded(rows, 1000)[0]);
  };
  ASSERT_EQ(form_of({}), 0);
  ASSERT_EQ(form_of(list), 1);
  ASSERT_EQ(form_of(bits), 2);
  ASSERT_EQ(form_of(runs), 3);
  EXPECT_FALSE(changed(list, 0, 4)) << "no such form";
  EXPECT_FALSE(changed({}, 1, 1)) << "low bits are a list's";
  EXPECT_FALSE(changed(bits, 1, 1));
  EXPECT_FALSE(changed(runs, 1, 1));
  EXPECT_FALSE(changed(list, 1, 17)) << "more than a row has";
  EXPECT_FALSE(changed({}, 2, 1)) << "an empty one has no rows";
  EXPECT_FALSE(changed({}, 4, 4)) << "and no bytes";
  EXPECT_FALSE(changed(list, 3, 255)) << "more than the chunk has";
  EXPECT_FALSE(changed(bits, 3, 255));
  EXPECT_FALSE(changed(runs, 3, 255));
  EXPECT_FALSE(changed(bits, 4, 8)) << "another size";
  EXPECT_FALSE(changed(runs, 4, 5)) << "not of whole runs";
  EXPECT_FALSE(changed(runs, 4, 0));
}

TEST(RowBitmap, WhatDoesNotHoldWhatItsHeaderSaysIsUnsound) {
  const auto is_sound = [](std::vector<std::byte> bytes, std::size_t at, int value) {
    bytes[at] = static_cast<std::byte>(value);
    const auto bitmap = RowBitmap::parse(bytes, 1000);
    EXPECT_TRUE(bitmap);
    return bitmap && bitmap->is_sound();
  };
  const auto bits = encoded(every(3, 1000), 1000);
  EXPECT_TRUE(is_sound(bits, 6, std::to_integer<int>(bits[6])));
  EXPECT_FALSE(is_sound(bits, 6, 0)) << "fewer rows than counted";
  EXPECT_FALSE(is_sound(bits, bits.size() - 1, 0x80)) << "a row behind the last";
  Rows rows;
  for (std::uint32_t row = 100; row < 900; ++row) {
    if (row != 400) {
      rows.push_back(row);
    }
  }
  const auto runs = encoded(rows, 1000);
  ASSERT_EQ(runs.size(), 6U + 8U) << "two runs, each its first row and its length - 1";
  EXPECT_TRUE(is_sound(runs, 10, 401 & 255));
  EXPECT_FALSE(is_sound(runs, 10, 400 & 255)) << "they touch, so they were one";
  EXPECT_FALSE(is_sound(runs, 11, 255)) << "it ends behind the chunk";
  EXPECT_FALSE(is_sound(runs, 8, 0)) << "fewer rows than counted";
}

}  // namespace
}  // namespace docket::index
