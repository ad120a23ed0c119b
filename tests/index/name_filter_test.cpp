#include "index/name_filter.hpp"

#include <gtest/gtest.h>

#include <string>

namespace docket::index {
namespace {

NameFilter filter_of(std::size_t names) {
  std::vector<std::uint64_t> hashes;
  for (std::size_t i = 0; i < names; ++i) {
    hashes.push_back(NameFilter::hash("name " + std::to_string(i)));
  }
  std::vector<std::byte> bytes;
  NameFilter::encode(hashes, bytes);
  return *NameFilter::parse(bytes);
}

TEST(NameFilter, MissesNoNameItHolds) {
  const NameFilter filter = filter_of(20'000);
  for (std::size_t i = 0; i < 20'000; ++i) {
    EXPECT_TRUE(filter.may_contain("name " + std::to_string(i)));
  }
}

TEST(NameFilter, IsWrongAboutFewOthers) {
  const NameFilter filter = filter_of(20'000);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 20'000; ++i) {
    wrong += filter.may_contain("other " + std::to_string(i)) ? 1 : 0;
  }
  EXPECT_LT(wrong, 20'000U * 2 / 100);
}

TEST(NameFilter, OfNoNamesHoldsNone) {
  EXPECT_FALSE(filter_of(0).may_contain("Ann"));
}

TEST(NameFilter, RefusesAPartOfABlock) {
  EXPECT_FALSE(NameFilter::parse({}));
  EXPECT_FALSE(NameFilter::parse(std::vector<std::byte>(63)));
  EXPECT_FALSE(NameFilter::parse(std::vector<std::byte>(65)));
}

}  // namespace
}  // namespace docket::index
