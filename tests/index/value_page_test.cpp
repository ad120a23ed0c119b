#include "index/value_page.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace docket::index {
namespace {

struct Value {
  std::uint32_t rows = 0;
  std::vector<std::uint32_t> blocks;
};

std::vector<std::byte> encoded(const std::vector<Value>& values, const PageShape& shape) {
  std::vector<ValuePostings> postings;
  for (const Value& value : values) {
    postings.push_back(ValuePostings{value.rows, value.blocks});
  }
  std::vector<std::byte> bytes;
  ValuePage::encode(postings, shape, bytes);
  return bytes;
}

std::vector<Value> random_values(const PageShape& shape, std::uint32_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Value> values;
  for (std::uint32_t i = 0; i < count; ++i) {
    Value value;
    switch (random() % 5) {
      case 0:
        break;
      case 1:
        value.rows = shape.bitmap_rows_min + static_cast<std::uint32_t>(random() % 100);
        break;
      default: {
        const std::uint64_t most = random() % 3 == 0 ? shape.blocks : std::min(3U, shape.blocks);
        std::set<std::uint32_t> blocks;
        const std::uint64_t wanted = 1 + random() % most;
        while (blocks.size() < std::min<std::uint64_t>(wanted, shape.bitmap_rows_min - 1)) {
          blocks.insert(static_cast<std::uint32_t>(random() % shape.blocks));
        }
        value.blocks.assign(blocks.begin(), blocks.end());
        value.rows = static_cast<std::uint32_t>(blocks.size() +
                                                random() % (shape.bitmap_rows_min - blocks.size()));
      }
    }
    values.push_back(value);
  }
  return values;
}

TEST(ValuePage, GivesBackRowsAndBlocks) {
  for (const std::uint32_t blocks : {1U, 2U, 3U, 64U, 65U, 512U}) {
    const PageShape shape{blocks, blocks * 8192, 600};
    const std::vector<Value> values = random_values(shape, 700, blocks);
    auto page = ValuePage::parse(encoded(values, shape), 700, shape);
    ASSERT_TRUE(page) << page.error().message;
    for (std::uint32_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(page->rows(i), values[i].rows);
      EXPECT_EQ(page->frequent(i), values[i].rows >= 600);
      std::vector<std::uint32_t> found;
      page->blocks(i, found);
      EXPECT_EQ(found, values[i].blocks);
    }
  }
}

TEST(ValuePage, AValueOfOneRowCostsItsBlockAndThreeBits) {
  const PageShape shape{128, 1'000'000, 1000};
  const std::vector<Value> values(4096, Value{1, {77}});
  EXPECT_EQ(encoded(values, shape).size(), 4096U * (7 + 3) / 8);
}

TEST(ValuePage, RefusesEveryCutAndEveryExtension) {
  const PageShape shape{100, 800'000, 800};
  auto bytes = encoded(random_values(shape, 300, 1), shape);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(
        ValuePage::parse({bytes.begin(), bytes.begin() + static_cast<long>(size)}, 300, shape));
  }
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(ValuePage::parse(bytes, 300, shape));
}

TEST(ValuePage, RefusesBlocksBeyondTheSegment) {
  const PageShape wide{128, 1'000'000, 1000};
  const auto bytes = encoded({Value{2, {3, 120}}}, wide);
  // As many bits a block, but only 100 of them.
  EXPECT_FALSE(ValuePage::parse(bytes, 1, PageShape{100, 1'000'000, 1000}));
}

TEST(ValuePage, FlippedBitsNeverLeadOutside) {
  const PageShape shape{100, 800'000, 800};
  const auto bytes = encoded(random_values(shape, 300, 2), shape);
  std::mt19937_64 random(3);
  for (int i = 0; i < 3000; ++i) {
    auto flipped = bytes;
    flipped[random() % flipped.size()] ^= std::byte{1} << (random() % 8);
    auto page = ValuePage::parse(flipped, 300, shape);
    if (!page) {
      continue;
    }
    for (std::uint32_t value = 0; value < 300; ++value) {
      std::vector<std::uint32_t> blocks;
      page->blocks(value, blocks);
      EXPECT_TRUE(std::is_sorted(blocks.begin(), blocks.end()));
      EXPECT_TRUE(blocks.empty() || blocks.back() < shape.blocks);
      EXPECT_LE(page->rows(value), shape.rows);
    }
  }
}

}  // namespace
}  // namespace docket::index
