#include "index/value_page.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace docket::index {
namespace {

struct Value {
  std::uint32_t rows = 0;
  std::vector<std::uint32_t> strips;
};

std::vector<std::byte> encoded(const std::vector<Value>& values, const PageShape& shape) {
  std::vector<ValuePostings> postings;
  for (const Value& value : values) {
    postings.push_back(ValuePostings{value.rows, value.strips});
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
        const std::uint64_t most =
            random() % 3 == 0 ? shape.strips() : std::min(3U, shape.strips());
        std::set<std::uint32_t> strips;
        const std::uint64_t wanted = 1 + random() % most;
        while (strips.size() < std::min<std::uint64_t>(wanted, shape.bitmap_rows_min - 1)) {
          strips.insert(static_cast<std::uint32_t>(random() % shape.strips()));
        }
        value.strips.assign(strips.begin(), strips.end());
        value.rows = static_cast<std::uint32_t>(strips.size() +
                                                random() % (shape.bitmap_rows_min - strips.size()));
      }
    }
    values.push_back(value);
  }
  return values;
}

TEST(ValuePage, GivesBackRowsAndStrips) {
  for (const std::uint32_t strips : {1U, 2U, 3U, 64U, 65U, 512U}) {
    const PageShape shape{strips * strip_rows, 600};
    const std::vector<Value> values = random_values(shape, 700, strips);
    auto page = ValuePage::parse(encoded(values, shape), 700, shape);
    ASSERT_TRUE(page) << page.error().message;
    for (std::uint32_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(page->rows(i), values[i].rows);
      EXPECT_EQ(page->frequent(i), values[i].rows >= 600);
      std::vector<std::uint32_t> found;
      page->strips(i, found);
      EXPECT_EQ(found, values[i].strips);
    }
  }
}

TEST(ValuePage, RowsAreReadWithoutStrips) {
  for (const std::uint32_t strips : {1U, 2U, 3U, 64U, 65U, 512U}) {
    const PageShape shape{strips * strip_rows, 600};
    const std::vector<Value> values = random_values(shape, 700, strips);
    std::vector<std::uint32_t> rows = {5};
    ASSERT_TRUE(ValuePage::read_rows(encoded(values, shape), 700, shape, rows));
    ASSERT_EQ(rows.size(), 701U);
    EXPECT_EQ(rows[0], 5U);
    for (std::uint32_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(rows[i + 1], values[i].rows);
    }
  }
}

TEST(ValuePage, AValueOfOneRowCostsItsStripAndThreeBits) {
  const PageShape shape{128 * 1024, 1000};
  const std::vector<Value> values(4096, Value{1, {77}});
  EXPECT_EQ(encoded(values, shape).size(), 4096U * (7 + 3) / 8);
}

TEST(ValuePage, RefusesEveryCutAndEveryExtension) {
  const PageShape shape{100 * strip_rows, 800};
  auto bytes = encoded(random_values(shape, 300, 1), shape);
  std::vector<std::uint32_t> rows;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<long>(size));
    EXPECT_FALSE(ValuePage::parse(cut, 300, shape));
    EXPECT_FALSE(ValuePage::read_rows(cut, 300, shape, rows));
  }
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(ValuePage::parse(bytes, 300, shape));
  EXPECT_FALSE(ValuePage::read_rows(bytes, 300, shape, rows));
}

TEST(ValuePage, RefusesStripsBeyondTheSegment) {
  const PageShape wide{128 * strip_rows, 1000};
  const auto bytes = encoded({Value{2, {3, 120}}}, wide);
  // As many bits a strip, but only 100 of them.
  EXPECT_FALSE(ValuePage::parse(bytes, 1, PageShape{100 * strip_rows, 1000}));
}

TEST(ValuePage, FlippedBitsNeverLeadOutside) {
  const PageShape shape{100 * strip_rows, 800};
  const auto bytes = encoded(random_values(shape, 300, 2), shape);
  std::mt19937_64 random(3);
  for (int i = 0; i < 3000; ++i) {
    auto flipped = bytes;
    flipped[random() % flipped.size()] ^= std::byte{1} << (random() % 8);
    std::vector<std::uint32_t> rows;
    static_cast<void>(ValuePage::read_rows(flipped, 300, shape, rows));
    auto page = ValuePage::parse(flipped, 300, shape);
    if (!page) {
      continue;
    }
    for (std::uint32_t value = 0; value < 300; ++value) {
      std::vector<std::uint32_t> strips;
      page->strips(value, strips);
      EXPECT_TRUE(std::is_sorted(strips.begin(), strips.end()));
      EXPECT_TRUE(strips.empty() || strips.back() < shape.strips());
      EXPECT_LE(page->rows(value), shape.rows);
    }
  }
}

}  // namespace
}  // namespace docket::index
