#include "query/column_scan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace docket::query {
namespace {

std::vector<std::uint64_t> words_of(std::size_t rows, const auto& is_in) {
  std::vector<std::uint64_t> words((rows + 63) / 64, 0);
  for (std::size_t i = 0; i < rows; ++i) {
    words[i / 64] |= std::uint64_t{is_in(i) ? 1U : 0U} << (i % 64);
  }
  return words;
}

// Lengths that fill whole vectors and words, and that do not.
constexpr std::size_t lengths[] = {0, 1, 7, 63, 64, 65, 100, 128, 1000, 8192};

TEST(ColumnScan, TimesAreComparedWithBothEndsOfTheRange) {
  std::mt19937_64 random(5);
  constexpr Nanos edges[] = {INT64_MIN, INT64_MIN + 1, -100,          -1,       0,
                             1,         100,           INT64_MAX - 1, INT64_MAX};
  for (const std::size_t rows : lengths) {
    std::vector<std::uint64_t> times(rows);
    for (std::uint64_t& time : times) {
      const Nanos near = static_cast<Nanos>(random() % 400) - 200;
      time =
          static_cast<std::uint64_t>(random() % 8 == 0 ? edges[random() % std::size(edges)] : near);
    }
    for (const Nanos since : edges) {
      for (const Nanos until : edges) {
        std::vector<std::uint64_t> words((rows + 63) / 64, ~std::uint64_t{0});
        match_times(times, since, until, words.data());
        EXPECT_EQ(words, words_of(rows,
                                  [&](std::size_t i) {
                                    const auto ts = static_cast<Nanos>(times[i]);
                                    return since <= ts && (ts < until || until == INT64_MAX);
                                  }))
            << rows << " " << since << " " << until;
      }
    }
  }
}

TEST(ColumnScan, IdsAreComparedWithARangeAndWithSeveral) {
  std::mt19937_64 random(6);
  for (const std::size_t rows : lengths) {
    std::vector<std::uint32_t> ids(rows);
    for (std::uint32_t& id : ids) {
      id = random() % 8 == 0 ? UINT32_MAX - static_cast<std::uint32_t>(random() % 3)
                             : static_cast<std::uint32_t>(random() % 50);
    }
    for (int parts = 0; parts < 3; ++parts) {
      IdSet set;
      for (int part = 0; part < parts; ++part) {
        const auto begin = static_cast<std::uint32_t>(20 * part + random() % 8);
        set.add({begin, begin + static_cast<std::uint32_t>(random() % 12)});
      }
      set.close(UINT32_MAX);
      std::vector<std::uint64_t> words((rows + 63) / 64, ~std::uint64_t{0});
      match_ids(ids, set, words.data());
      EXPECT_EQ(words, words_of(rows, [&](std::size_t i) { return set.contains(ids[i]); }))
          << rows << " " << parts;
    }
  }
}

}  // namespace
}  // namespace docket::query
