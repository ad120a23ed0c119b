#include "query/distinct_ids.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace docket::query {
namespace {

// Both ways of finding them: by a bit for each id, and by sorting.
TEST(DistinctIds, EachIsThereOnceAndEveryRowFindsItsOwn) {
  std::mt19937_64 random(17);
  DistinctIds distinct;
  for (const std::uint32_t limit : {1U, 3U, 100U, 4'000U, 50'000U, 4'000'000'000U}) {
    for (const std::size_t rows : {0U, 1U, 2U, 50U, 8192U}) {
      std::vector<std::uint32_t> ids(rows);
      for (std::uint32_t& id : ids) {
        id = static_cast<std::uint32_t>(random() % limit);
      }
      distinct.take(ids, limit);
      const std::set<std::uint32_t> expected(ids.begin(), ids.end());
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(), distinct.ids().begin(),
                             distinct.ids().end()))
          << limit << " " << rows;
      for (std::size_t i = 0; i < rows; ++i) {
        ASSERT_EQ(distinct.ids()[distinct.place(i)], ids[i]) << limit << " " << rows;
      }
    }
  }
}

}  // namespace
}  // namespace docket::query
