#include "query/text_arena.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace docket::query {
namespace {

TEST(TextArena, ViewsHoldWhateverIsAddedBehindThem) {
  TextArena arena;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::string> texts;
    std::vector<std::string_view> views;
    for (std::size_t i = 0; i < 3000; ++i) {
      texts.push_back(std::string(i % 500, static_cast<char>('a' + i % 26)));
      if (i % 1000 == 999) {
        texts.back() = std::string(1'000'000, 'x');  // more than a piece
      }
      views.push_back(arena.add(texts.back()));
    }
    EXPECT_TRUE(std::equal(texts.begin(), texts.end(), views.begin(), views.end()));
    arena.clear();
  }
}

TEST(TextArena, ManyTextsAreThoseThatWereAddedTogether) {
  TextArena arena;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 3000; ++i) {
    texts.emplace_back(i * 7 % 200, static_cast<char>('a' + i % 26));
  }
  const std::vector<std::string_view> given(texts.begin(), texts.end());
  for (int round = 0; round < 2; ++round) {
    std::vector<std::string_view> added(given.size());
    for (std::size_t first = 0; first < given.size(); first += 250) {
      arena.add_all(std::span(given).subspan(first, 250), added.data() + first);
    }
    EXPECT_EQ(added, given);
    arena.clear();
  }
}

TEST(TextArena, AnEmptyTextIsAnEmptyView) {
  TextArena arena;
  EXPECT_TRUE(arena.add("").empty());
  const std::array<std::string_view, 2> none;
  std::array<std::string_view, 2> added = {"x", "y"};
  arena.add_all(none, added.data());
  EXPECT_EQ(added, none);
}

}  // namespace
}  // namespace docket::query
