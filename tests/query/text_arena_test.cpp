#include "query/text_arena.hpp"

#include <gtest/gtest.h>

#include <string>

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

TEST(TextArena, AnEmptyTextIsAnEmptyView) {
  TextArena arena;
  EXPECT_TRUE(arena.add("").empty());
}

}  // namespace
}  // namespace docket::query
