#include "query/case_fold.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace docket::query {
namespace {

std::string fold(std::string_view text) {
  std::string out;
  append_folded(out, text);
  return out;
}

TEST(CaseFold, LettersOfEveryScriptThatHasCasesLoseTheirs) {
  EXPECT_EQ(fold("JÜRGEN Çelik"), "jürgen çelik");
  EXPECT_EQ(fold("ΩMEGA ΣΟΦΟΣ σοφος σοφός"), "ωmega σοφοσ σοφοσ σοφόσ");
  EXPECT_EQ(fold("ЩЁКА Ђ"), "щёка ђ");
  EXPECT_EQ(fold("ԱՐԱՄ Ꭰ 𐐀"), "արամ ꭰ 𐐨");
  EXPECT_EQ(fold("ẞ"), fold("ß"));
  EXPECT_EQ(fold("Ⱥ"), "ⱥ");  // two bytes and three
  EXPECT_EQ(fold("山田 ニュース 😀"), "山田 ニュース 😀");
}

TEST(CaseFold, NoLetterBeyondAsciiBecomesAnAsciiOne) {
  for (const char* letter : {"İ", "ı", "ſ", "\u212A"}) {
    EXPECT_EQ(fold(letter), letter);
  }
}

TEST(CaseFold, BytesThatAreNoUtf8Stay) {
  EXPECT_EQ(fold("A\xff\xc3"), "a\xff\xc3");
  EXPECT_EQ(fold("\xed\xa0\x80Z"), "\xed\xa0\x80z");
}

TEST(CaseFold, FoldingTwiceChangesNothingMore) {
  std::string all;
  for (char32_t code = 0x80; code < 0x20000; ++code) {
    if (code < 0xD800 || code > 0xDFFF) {
      all += code < 0x800     ? std::string{static_cast<char>(0xC0 | code >> 6),
                                        static_cast<char>(0x80 | (code & 0x3F))}
             : code < 0x10000 ? std::string{static_cast<char>(0xE0 | code >> 12),
                                            static_cast<char>(0x80 | (code >> 6 & 0x3F)),
                                            static_cast<char>(0x80 | (code & 0x3F))}
                              : std::string{static_cast<char>(0xF0 | code >> 18),
                                            static_cast<char>(0x80 | (code >> 12 & 0x3F)),
                                            static_cast<char>(0x80 | (code >> 6 & 0x3F)),
                                            static_cast<char>(0x80 | (code & 0x3F))};
    }
  }
  const std::string once = fold(all);
  EXPECT_EQ(fold(once), once);
  EXPECT_FALSE(std::any_of(once.begin(), once.end(),
                           [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
}

}  // namespace
}  // namespace docket::query
