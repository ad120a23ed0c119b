#include "engine/interner.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "engine/bytes.hpp"

namespace docket {
namespace {

using Tuple = std::tuple<std::uint32_t, std::uint32_t, std::string, std::string>;

Interner::Key key_of(const Tuple& tuple) {
  return {std::get<0>(tuple), std::get<1>(tuple), std::get<2>(tuple), std::get<3>(tuple)};
}

TEST(Interner, EntryZeroIsTheEmptyTuple) {
  Interner interner;
  EXPECT_EQ(interner.size(), 1U);
  EXPECT_EQ(interner.intern(""), 0U);
  EXPECT_EQ(interner.intern(Interner::Key{}), 0U);
  EXPECT_EQ(interner[0], Interner::Key{});
  EXPECT_EQ(interner.size(), 1U);
}

TEST(Interner, IdsAreDenseInOrderOfFirstAppearance) {
  Interner interner;
  EXPECT_EQ(interner.intern("b"), 1U);
  EXPECT_EQ(interner.intern("a"), 2U);
  EXPECT_EQ(interner.intern("b"), 1U);
  EXPECT_EQ(interner.intern("c"), 3U);
  EXPECT_EQ(interner[2].first, "a");
  EXPECT_EQ(interner.string_bytes(), 3U);
}

TEST(Interner, EveryPartOfATupleTellsItApart) {
  Interner interner;
  const std::uint32_t id = interner.intern({1, 2, "ab", "cd"});
  EXPECT_NE(interner.intern({2, 2, "ab", "cd"}), id);
  EXPECT_NE(interner.intern({1, 1, "ab", "cd"}), id);
  EXPECT_NE(interner.intern({1, 2, "abc", "d"}), id) << "the strings' border counts";
  EXPECT_NE(interner.intern({1, 2, "abcd", ""}), id);
  EXPECT_NE(interner.intern({1, 2, "", "abcd"}), id);
  EXPECT_NE(interner.intern({0, 0, "", "x"}), 0U);
  EXPECT_NE(interner.intern({1, 0, "", ""}), 0U);
  EXPECT_EQ(interner.intern({1, 2, "ab", "cd"}), id);
}

TEST(Interner, BytesOfAnyValueAreKept) {
  Interner interner;
  const std::string zeros(16, '\0');
  const std::uint32_t id = interner.intern(zeros);
  EXPECT_NE(id, 0U) << "sixteen zeros are not the empty string";
  EXPECT_EQ(interner[id].first, zeros);
  EXPECT_NE(interner.intern(std::string(15, '\0')), id);
}

TEST(Interner, AgreesWithAMapOverManyTuplesAndAfterClearing) {
  Interner interner;
  std::mt19937_64 random(1);
  for (int round = 0; round < 3; ++round) {
    interner.clear();
    std::map<Tuple, std::uint32_t> expected;
    for (int i = 0; i < 30'000; ++i) {
      const Tuple tuple{random() % 3, random() % 3, std::to_string(random() % 2000),
                        random() % 2 == 0 ? "" : std::to_string(random() % 3)};
      const auto next = static_cast<std::uint32_t>(expected.size() + 1);
      const auto [at, is_new] = expected.emplace(tuple, next);
      ASSERT_EQ(interner.intern(key_of(tuple)), at->second);
    }
    ASSERT_EQ(interner.size(), expected.size() + 1);
    for (const auto& [tuple, id] : expected) {
      ASSERT_EQ(interner[id], key_of(tuple));
    }
  }
}

TEST(Interner, ColumnsHoldEveryEntryByIdAndReplaceWhatWasThere) {
  Interner interner;
  interner.intern({7, 8, "one", "two"});
  interner.intern({9, 0, "", "three"});
  Interner::Columns columns;
  columns.first.resize(100);
  columns.a.resize(100);
  interner.columns(columns);
  EXPECT_EQ(columns.a, (std::vector<std::uint32_t>{0, 7, 9}));
  EXPECT_EQ(columns.b, (std::vector<std::uint32_t>{0, 8, 0}));
  EXPECT_EQ(columns.first_lengths, (std::vector<std::uint32_t>{0, 3, 0}));
  EXPECT_EQ(columns.second_lengths, (std::vector<std::uint32_t>{0, 3, 5}));
  EXPECT_EQ(as_text(columns.first), "one");
  EXPECT_EQ(as_text(columns.second), "twothree");
}

TEST(Interner, ClearForgetsEverythingButEntryZero) {
  Interner interner;
  for (int i = 0; i < 1000; ++i) {
    interner.intern(std::to_string(i));
  }
  interner.clear();
  EXPECT_EQ(interner.size(), 1U);
  EXPECT_EQ(interner.string_bytes(), 0U);
  EXPECT_EQ(interner.intern("999"), 1U);
}

// Large and small dictionaries in turn: the slots of many entries are let go of another way than
// those of few.
TEST(Interner, FewEntriesAfterManyAreForgottenToo) {
  Interner interner;
  std::mt19937_64 random(2);
  for (int round = 0; round < 200; ++round) {
    const std::size_t count = round % 8 == 0 ? 5000 : random() % 200;
    for (std::size_t i = 1; i <= count; ++i) {
      ASSERT_EQ(interner.intern(std::to_string(round % 2 == 0 ? i : count - i)), i);
    }
    interner.clear();
    ASSERT_EQ(interner.size(), 1U);
  }
}

TEST(Interner, ManyAtOnceGetTheIdsThatTheyWouldGetOneByOne) {
  std::mt19937_64 random(3);
  std::vector<std::string> texts(20'000);
  std::vector<Interner::Key> keys;
  for (std::string& text : texts) {
    text = random() % 50 == 0 ? "" : std::to_string(random() % 3000);
    keys.push_back({static_cast<std::uint32_t>(random() % 2), 0, text, texts[0]});
    if (random() % 50 == 0) {
      keys.back() = {};
    }
  }
  Interner one_by_one;
  Interner together;
  for (std::size_t begin = 0; begin < keys.size();) {
    const auto some =
        std::span(keys).subspan(begin, std::min<std::size_t>(random() % 100, keys.size() - begin));
    std::vector<std::uint32_t> ids(some.size());
    together.intern_all(some, ids);
    for (std::size_t i = 0; i < some.size(); ++i) {
      ASSERT_EQ(ids[i], one_by_one.intern(some[i]));
    }
    begin += some.size();
  }
  EXPECT_EQ(together.size(), one_by_one.size());
}

}  // namespace
}  // namespace docket
