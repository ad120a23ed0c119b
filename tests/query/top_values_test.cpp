#include "query/top_values.hpp"

#include <gtest/gtest.h>

#include <string>

namespace docket::query::testing {
namespace {

std::string told(const Facet& facet) {
  std::string text;
  for (const FacetValue& value : facet.values) {
    text += value.value + "=" + std::to_string(value.count) + " ";
  }
  return text + "distinct " + std::to_string(facet.distinct) + " other " +
         std::to_string(facet.other);
}

std::string top(std::uint32_t number) {
  TopValues values(Field::target, number);
  values.add("Contact", "", 2);
  values.add("Contact", "10", 3);
  values.add("Contact", "9", 3);
  values.add("List", "1", 7);
  values.add("List", "2", 3);
  return told(values.take());
}

TEST(TopValues, TheMostFrequentAreKeptAndTheOthersAddedUp) {
  EXPECT_EQ(top(10), "List:1=7 Contact:10=3 Contact:9=3 List:2=3 Contact=2 distinct 5 other 0");
  EXPECT_EQ(top(2), "List:1=7 Contact:10=3 distinct 5 other 8");
  EXPECT_EQ(top(0), "distinct 5 other 18");
}

TEST(TopValues, AmongEqualCountsTheOneShownFirstStays) {
  TopValues values(Field::session, 1);
  values.add("", "b", 1);
  values.add("", "a", 1);
  values.add("", "c", 1);
  EXPECT_EQ(told(values.take()), "a=1 distinct 3 other 2");
}

}  // namespace
}  // namespace docket::query::testing
