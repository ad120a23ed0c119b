#include "engine/coded_ints.hpp"

#include <gtest/gtest.h>

#include <random>

#include "engine/bytes.hpp"
#include "engine/packed_ints.hpp"
#include "engine/section.hpp"

namespace docket {
namespace {

using Values = std::vector<std::uint64_t>;

std::uint32_t width_of(const Values& values) {
  std::uint64_t all = 0;
  for (const std::uint64_t value : values) {
    all |= value;
  }
  return bits_for(all);
}

// Empty where coding takes more than `bytes_max`.
std::vector<std::byte> coded(const Values& values, const ColumnTraits& traits = {},
                             std::size_t bytes_max = SIZE_MAX) {
  std::vector<std::byte> out;
  const bool done = encode_coded_ints(values, traits, bytes_max, out);
  EXPECT_EQ(done, !out.empty());
  return out;
}

Result<Values> decoded(std::vector<std::byte> stored, std::size_t items, std::uint32_t width,
                       std::span<const std::uint32_t> order = {}) {
  const std::size_t bytes = stored.size();
  stored.resize(bytes + section_padding, std::byte{0xff});
  Values values;
  DOCKET_TRY(decode_coded_ints(std::span<const std::byte>(stored).first(bytes), width, order,
                               static_cast<std::uint32_t>(items),
                               [&values](std::span<const std::uint64_t> piece) {
                                 values.insert(values.end(), piece.begin(), piece.end());
                               }));
  return values;
}

void expect_same(const Values& values, const ColumnTraits& traits) {
  std::vector<std::uint32_t> order;
  if (traits.order != nullptr) {
    order = traits.order->ids();
  }
  const auto again = decoded(coded(values, traits), values.size(), width_of(values), order);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, values);
}

std::vector<Values> columns() {
  std::mt19937_64 random(3);
  std::vector<Values> columns = {{0}, {UINT64_MAX}, Values(5000, 7)};
  Values rising, mixed, skewed, rare, wide;
  std::uint64_t at = 1'777'000'000'000'000'000;
  for (int i = 0; i < 5000; ++i) {
    at += random() % 3'000'000;
    rising.push_back(random() % 100 == 0 ? at - random() % 5'000'000 : at);
    mixed.push_back(random() >> (random() % 64));
    skewed.push_back(std::min(random() % 4096, random() % 4096) / (1 + random() % 50));
    rare.push_back(random() % 40 == 0 ? random() % 50'000 : 1);
    wide.push_back(random());
  }
  for (Values* column : {&rising, &mixed, &skewed, &rare, &wide}) {
    columns.push_back(std::move(*column));
  }
  // Others alone at the borders of the pieces that a column is read in, of sizes about theirs.
  for (const std::size_t size : {1023U, 1024U, 1025U, 2048U, 4097U}) {
    columns.push_back(Values(size, 7));
    for (const std::size_t place : {0U, 1023U, 1024U, 2047U, 2048U, 4096U}) {
      if (place < size) {
        columns.back()[place] = 100 + place;
      }
    }
    columns.push_back(Values(size, 7));
    columns.back().back() = 1;
  }
  // Each place of the leading bit, with what borders on it.
  Values edges;
  for (std::uint32_t bit = 0; bit < 64; ++bit) {
    const std::uint64_t power = std::uint64_t{1} << bit;
    edges.insert(edges.end(), {power - 1, power, power + 1});
  }
  columns.push_back(std::move(edges));
  return columns;
}

TEST(CodedInts, EveryColumnReadsBackInEveryForm) {
  for (Values values : columns()) {
    expect_same(values, {});
    expect_same(values, {.is_series = true});
    std::vector<std::uint32_t> counts(4096);
    for (std::uint64_t& value : values) {
      value &= UINT32_MAX;  // only ids have ranks
      if (value < counts.size()) {
        ++counts[value];
      }
    }
    const ValueOrder order = ValueOrder::by_frequency(counts);
    expect_same(values, {.order = &order});
  }
}

TEST(CodedInts, TakeNearlyAsFewBitsAsTheValuesSay) {
  std::mt19937_64 random(4);
  Values rare(8192, 1);
  for (int i = 0; i < 80; ++i) {
    rare[random() % rare.size()] = 2 + random() % 400;
  }
  EXPECT_LT(coded(rare).size(), 300U) << "80 of 8,192: 7 bits to say where, 9 to say what";
  Values batches;
  for (std::uint64_t batch = 0; batch < 4; ++batch) {
    batches.insert(batches.end(), 2048, 1'000'000'007 * batch);
  }
  EXPECT_LT(coded(batches, {.is_series = true}).size(), 64U);
}

TEST(CodedInts, ValuesBeyondTheirBoundAreLeftToPacking) {
  std::mt19937_64 random(5);
  Values values(1000);
  for (std::uint64_t& value : values) {
    value = random() % 65536;
  }
  EXPECT_TRUE(coded(values, {}, packed_bytes(values.size(), 16)).empty());
}

TEST(CodedInts, TheMostFrequentIdsHaveTheLowestRanks) {
  const std::vector<std::uint32_t> counts = {9, 0, 4, 100, 3, 9};
  const ValueOrder order = ValueOrder::by_frequency(counts);
  EXPECT_EQ(order.ids(), (std::vector<std::uint32_t>{3, 0, 5, 2}));
  EXPECT_EQ(order.rank_of(3), 0U);
  EXPECT_EQ(order.rank_of(2), 3U);
  EXPECT_EQ(order.rank_of(4), 4U + 4);
  EXPECT_EQ(order.rank_of(77), 4U + 77);
}

TEST(CodedInts, WhatIsNoColumnIsRefused) {
  Values values(300);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = i * i % 97;
  }
  const auto stored = coded(values);
  EXPECT_TRUE(decoded(stored, values.size(), 7));
  EXPECT_FALSE(decoded(stored, values.size(), 5)) << "a value does not fit";
  EXPECT_FALSE(decoded(stored, values.size() + 20, 7)) << "more values than there are";
  EXPECT_FALSE(decoded(stored, values.size() - 20, 7)) << "fewer";
  EXPECT_FALSE(decoded({}, 1, 7));
  auto form = stored;
  form[0] = std::byte{8};
  EXPECT_FALSE(decoded(form, values.size(), 7)) << "an unknown form";
  form[0] = std::byte{5};
  EXPECT_FALSE(decoded(form, values.size(), 7)) << "differences of ranks";
  for (std::size_t cut = 0; cut < stored.size(); ++cut) {
    EXPECT_FALSE(
        decoded({stored.begin(), stored.begin() + static_cast<long>(cut)}, values.size(), 7))
        << cut;
  }
}

TEST(CodedInts, ARunThatIsLongerThanTheColumnIsRefused) {
  Values values(500, 3);
  values[400] = 9;
  const auto stored = coded(values);
  EXPECT_TRUE(decoded(stored, values.size(), 4));
  EXPECT_TRUE(decoded(stored, 401, 4));
  EXPECT_FALSE(decoded(stored, 400, 4));
}

TEST(CodedInts, ChangedBytesNeverLeaveTheirs) {
  std::mt19937_64 random(6);
  for (const Values& values : columns()) {
    for (const bool is_series : {false, true}) {
      const auto stored = coded(values, {.is_series = is_series});
      for (int i = 0; i < 200; ++i) {
        auto changed = stored;
        changed[random() % changed.size()] ^= static_cast<std::byte>(1U << (random() % 8));
        static_cast<void>(decoded(changed, values.size(), width_of(values)));
      }
    }
  }
}

}  // namespace
}  // namespace docket
