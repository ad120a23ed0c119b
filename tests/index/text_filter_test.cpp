#include "index/text_filter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace docket::index {
namespace {

// A filter of one text a block, each of a thousand rows.
std::vector<std::byte> encoded(const std::vector<std::string>& texts) {
  TextFilterBuilder builder;
  for (const std::string& text : texts) {
    builder.add(text);
    EXPECT_TRUE(builder.end_block(1000));
  }
  std::vector<std::byte> bytes;
  EXPECT_TRUE(builder.finish(bytes));
  return bytes;
}

TextFilter filter_of(const std::vector<std::string>& texts) {
  return TextFilter::parse(encoded(texts), static_cast<std::uint32_t>(texts.size())).value();
}

TEST(TextFilter, BlocksHaveWhatWasAddedToThem) {
  const TextFilter filter = filter_of({"the hourly limit", "",
                                       "THE LIMIT\xC3\xA9"
                                       "ab",
                                       "nothing"});
  using Blocks = std::vector<bool>;
  EXPECT_EQ(filter.possible_blocks(trigrams_of("limit")), (Blocks{true, false, true, false}));
  EXPECT_EQ(filter.possible_blocks(trigrams_of("hourly")), (Blocks{true, false, false, false}));
  EXPECT_EQ(filter.possible_blocks(trigrams_of("newsletter")), Blocks(4, false));
  EXPECT_EQ(filter.possible_blocks(trigrams_of("thi")), (Blocks{false, false, false, true}));
  EXPECT_EQ(filter.possible_blocks({}), Blocks(4, true));
  EXPECT_EQ(filter_of({"", ""}).possible_blocks(trigrams_of("abc")), Blocks(2, false));
}

// Against the plain definition: a block is possible exactly where it has every trigram. So a text
// that stands in a block is never missed.
TEST(TextFilter, NoTextIsMissedAndNoBlockIsPossibleWithoutAllTrigrams) {
  std::mt19937_64 random(5);
  const std::string letters = "aAbBcC 1 \"\\{\xC3\xA9\t";
  for (const std::size_t blocks : {1, 2, 31, 33, 200}) {
    std::vector<std::string> texts(blocks);
    for (std::string& text : texts) {
      for (std::uint64_t n = random() % 60; n > 0; --n) {
        text += letters[random() % (random() % letters.size() + 1)];
      }
    }
    const TextFilter filter = filter_of(texts);
    for (int turn = 0; turn < 300; ++turn) {
      const std::string& from = texts[random() % blocks];
      std::string needle = from.substr(random() % (from.size() + 1), random() % 8);
      if (turn % 3 == 0) {
        needle += letters[random() % letters.size()];
      }
      const std::vector<Trigram> wanted = trigrams_of(needle);
      const std::vector<bool> possible = filter.possible_blocks(wanted);
      ASSERT_EQ(possible.size(), blocks);
      for (std::size_t block = 0; block < blocks; ++block) {
        const std::vector<Trigram> there = trigrams_of(texts[block]);
        ASSERT_EQ(possible[block],
                  std::includes(there.begin(), there.end(), wanted.begin(), wanted.end()))
            << needle << " in " << texts[block];
        ASSERT_TRUE(possible[block] || texts[block].find(needle) == std::string::npos);
      }
    }
  }
}

TEST(TextFilter, TextThatIsTooDenseHasNone) {
  std::mt19937_64 random(6);
  TextFilterBuilder builder;
  std::string text;
  for (int i = 0; i < 100'000; ++i) {
    text += static_cast<char>(0x20 + random() % 95);
  }
  builder.add(text);
  EXPECT_TRUE(builder.end_block(1000));
  std::vector<std::byte> bytes(3);
  EXPECT_FALSE(builder.finish(bytes));
  EXPECT_EQ(bytes.size(), 3U);
  // Given up before there are too many to be held.
  TextFilterBuilder without_end;
  std::size_t blocks = 0;
  do {
    without_end.add(text);
  } while (without_end.end_block(1) && ++blocks < 1000);
  EXPECT_LT(blocks, 20U);
}

TEST(TextFilter, BytesThatAreNoFilterAreRefused) {
  std::vector<std::string> texts(40, "one and the same");
  texts[3] = "another";
  texts[4] = "some other one";
  const std::vector<std::byte> good = encoded(texts);
  EXPECT_TRUE(TextFilter::parse(good, 40));
  for (std::size_t bytes = 0; bytes < good.size(); ++bytes) {
    EXPECT_FALSE(TextFilter::parse({good.begin(), good.begin() + static_cast<long>(bytes)}, 40));
  }
  std::vector<std::byte> longer = good;
  longer.resize(good.size() + 1);
  EXPECT_FALSE(TextFilter::parse(longer, 40));
  EXPECT_FALSE(TextFilter::parse(good, 1));
}

}  // namespace
}  // namespace docket::index
