#include "index/changed_fields.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace docket::index {
namespace {

std::vector<std::byte> encoded(const std::vector<std::string>& names) {
  std::vector<std::byte> bytes;
  ChangedNames::encode(names, bytes);
  return bytes;
}

TEST(ChangedNames, AreFoundWholeAndByPrefix) {
  const std::vector<std::string> names = {"",     "limit",   "limits", "limits.hourly",
                                          "tags", "\xC3\xA9"};
  const ChangedNames parsed =
      ChangedNames::parse(encoded(names), static_cast<std::uint32_t>(names.size())).value();
  ASSERT_EQ(parsed.size(), names.size());
  for (std::uint32_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(parsed.name(i), names[i]);
    EXPECT_EQ(parsed.values(names[i], false), (IdRange{i + 1, i + 2}));
  }
  EXPECT_EQ(parsed.values("limit", true), (IdRange{2, 5}));
  EXPECT_EQ(parsed.values("", true), (IdRange{1, 7}));
  EXPECT_TRUE(parsed.values("limits.", false).empty());
  EXPECT_TRUE(parsed.values("zz", true).empty());
  EXPECT_TRUE(ChangedNames::parse({}, 0).value().values("", true).empty());
}

TEST(ChangedNames, BytesThatAreNoListAreRefused) {
  const std::vector<std::byte> good = encoded({"a", "b"});
  EXPECT_TRUE(ChangedNames::parse(good, 2));
  EXPECT_FALSE(ChangedNames::parse(good, 1));
  EXPECT_FALSE(ChangedNames::parse(good, 3));
  EXPECT_FALSE(ChangedNames::parse(good, UINT32_MAX));
  for (std::size_t bytes = 0; bytes < good.size(); ++bytes) {
    EXPECT_FALSE(ChangedNames::parse({good.begin(), good.begin() + static_cast<long>(bytes)}, 2));
  }
  EXPECT_FALSE(ChangedNames::parse(encoded({"b", "a"}), 2));
  EXPECT_FALSE(ChangedNames::parse(encoded({"a", "a"}), 2));
}

TEST(ChangedFields, RowsHaveEachOfTheirNamesOnceOrNone) {
  ChangedFieldsCollector collector(3);
  collector.add_row(0, R"({"changes":[{"field":"b"},{"field":"a"},{"field":"b"}]})");
  collector.add_row(1, "");
  collector.add_row(2, R"({"before":{"a":{"x":1}},"after":{"a":{"x":2}}})");
  const ChangedFields fields = collector.finish();
  EXPECT_EQ(fields.names, (std::vector<std::string>{"a", "a.x", "b"}));
  EXPECT_EQ(fields.entries.universe, 4U);
  EXPECT_EQ(fields.entries.rows, (std::vector<std::uint32_t>{0, 0, 1, 2, 2}));
  EXPECT_EQ(fields.entries.values, (std::vector<std::uint32_t>{3, 1, 0, 1, 2}));
}

}  // namespace
}  // namespace docket::index
