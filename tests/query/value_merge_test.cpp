#include "query/value_merge.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace docket::query::testing {
namespace {

using Sources = std::vector<std::unique_ptr<ValueSource>>;
using Merged = std::vector<std::pair<FieldValue, std::uint64_t>>;

Merged merged(const Sources& sources) {
  Merged values;
  EXPECT_TRUE(
      merge_values(sources, [&](std::string_view kind, std::string_view id, std::uint64_t count) {
        values.emplace_back(FieldValue{std::string(kind), std::string(id)}, count);
      }));
  return values;
}

TEST(ValueMerge, EqualValuesOfAllSourcesAreAddedUpInTheirOrder) {
  // Ids that differ only behind what is compared as numbers, by a zero byte, by nothing but length.
  const std::vector<std::string> ids = {"",
                                        "1",
                                        "10",
                                        "9",
                                        std::string(1, '\0'),
                                        std::string("1\0", 2),
                                        "12345678",
                                        "123456789",
                                        "1234567890abcdef",
                                        "1234567890abcdef0",
                                        "1234567890abcdef1",
                                        "1234567890abcdeg",
                                        "\xff"};
  std::mt19937_64 random(7);
  Sources sources;
  std::map<FieldValue, std::uint64_t> expected;
  for (std::uint32_t scan = 0; scan < 9; ++scan) {
    std::vector<CountedValue> values;
    for (std::size_t i = 0; i < 40 * scan; ++i) {
      FieldValue value{random() % 2 == 0 ? "Contact" : "List", ids[random() % ids.size()]};
      value.id += random() % 4 == 0 ? std::to_string(random() % 300) : "";
      const std::uint64_t count = random() % 5 + 1;
      expected[value] += count;
      values.push_back(CountedValue{std::move(value), count});
    }
    sources.push_back(memory_source(std::move(values), scan));
  }
  EXPECT_EQ(merged(sources), Merged(expected.begin(), expected.end()));
}

TEST(ValueMerge, NothingComesOfNothing) {
  EXPECT_TRUE(merged({}).empty());
  Sources sources;
  sources.push_back(memory_source({}, 0));
  EXPECT_TRUE(merged(sources).empty());
}

class Unreadable final : public ValueSource {
 public:
  explicit Unreadable(bool kinds) : ValueSource(5), kinds_(kinds) {}
  Result<void> keep(const ValueRange&) override { return {}; }
  Result<std::optional<FieldValue>> middle() const override { return std::optional<FieldValue>(); }
  std::size_t memory_bytes() const override { return 0; }
  Result<std::optional<std::string_view>> next_kind() override {
    if (kinds_) {
      return std::optional<std::string_view>("List");
    }
    return fail(ErrorCode::corrupt, "no kinds");
  }
  Result<void> next_ids(IdBatch&) override { return fail(ErrorCode::corrupt, "no ids"); }

 private:
  bool kinds_;
};

TEST(ValueMerge, WhatCannotBeReadIsToldWithItsSegment) {
  for (const bool kinds : {false, true}) {
    Sources sources;
    sources.push_back(memory_source({CountedValue{{"List", "1"}, 1}}, 4));
    sources.push_back(std::make_unique<Unreadable>(kinds));
    const auto done = merge_values(sources, [](auto, auto, auto) {});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().scan, 5U);
    EXPECT_EQ(done.error().error.message, kinds ? "no ids" : "no kinds");
  }
}

}  // namespace
}  // namespace docket::query::testing
