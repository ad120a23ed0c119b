#include "index/trigrams.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace docket::index {
namespace {

TEST(Trigrams, AreOfPrintableAsciiInAnyCase) {
  EXPECT_EQ(trigrams_of("Hourly"), trigrams_of("hOURLY"));
  EXPECT_EQ(trigrams_of("hourly").size(), 4U);
  EXPECT_EQ(trigrams_of("aaaaaa").size(), 1U);
  EXPECT_TRUE(trigrams_of("").empty());
  EXPECT_TRUE(trigrams_of("ab").empty());
  EXPECT_TRUE(trigrams_of("ab\tcd\xC3\xA9zz\x7F").empty());
  EXPECT_EQ(trigrams_of("\xC3\xA9"
                        "abc"),
            trigrams_of("abc"));
  EXPECT_EQ(trigrams_of("   "), std::vector<Trigram>{0});
  EXPECT_NE(trigrams_of("x-y"), trigrams_of("x_y"));
}

// Texts of every length, so that each place within those that are looked up at once is the last
// one.
TEST(TrigramSet, HasWhatItsTextsHaveEachOnceWithAnyInstructions) {
  std::mt19937_64 random(11);
  TrigramSet fastest;
  TrigramSet plain(TrigramSet::Look::plain);
  for (int turn = 0; turn < 50; ++turn) {
    std::set<Trigram> expected;
    for (std::size_t size = 0; size < 80; ++size) {
      std::string text;
      while (text.size() < size) {
        text += static_cast<char>(0x20 + random() % (turn % 2 == 0 ? 95 : 6));
      }
      fastest.add(text);
      plain.add(text);
      const std::vector<Trigram> there = trigrams_of(text);
      expected.insert(there.begin(), there.end());
      ASSERT_EQ(fastest.found(), plain.found()) << text;
      std::vector<Trigram> found = plain.found();
      std::sort(found.begin(), found.end());
      ASSERT_TRUE(std::equal(found.begin(), found.end(), expected.begin(), expected.end())) << text;
    }
    fastest.clear();
    plain.clear();
    EXPECT_TRUE(fastest.found().empty());
  }
}

TEST(TrigramSet, ATextIsFoundBetweenCharactersThatAreNeverAskedFor) {
  for (const TrigramSet::Look look : {TrigramSet::Look::fastest, TrigramSet::Look::plain}) {
    TrigramSet set(look);
    set.add("\x01\xC3\xA9Limit\x7F\xFF");
    for (const Trigram trigram : trigrams_of("limit")) {
      EXPECT_EQ(std::count(set.found().begin(), set.found().end(), trigram), 1);
    }
  }
}

}  // namespace
}  // namespace docket::index
