#include "query/text_match.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace docket::query {
namespace {

TEST(Needle, AsciiIsFoundInAnyCaseAtEveryPlace) {
  for (std::size_t before = 0; before < 200; ++before) {
    for (std::size_t after = 0; after < 80; ++after) {
      const std::string text = std::string(before, '-') + "Welcome" + std::string(after, 'e');
      EXPECT_TRUE(Needle("wELCOME").in(text));
      EXPECT_FALSE(Needle("welcomed").in(text));
    }
  }
  EXPECT_TRUE(Needle("").in(""));
  EXPECT_FALSE(Needle("a").in(""));
}

TEST(Needle, PlacesAreThoseOfAPlainLook) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 300, 'x');
    for (char& c : text) {
      c = "aAbB_"[random() % 5];
    }
    std::string word(1 + random() % 4, 'x');
    for (char& c : word) {
      c = "aAbB_"[random() % 5];
    }
    const std::string plain = folded(text);
    const Needle needle(word);
    for (std::size_t from = 0; from <= text.size(); ++from) {
      ASSERT_EQ(needle.find(text, from), plain.find(folded(word), from)) << text << " " << word;
    }
  }
}

TEST(Needle, EveryPlaceIsFoundInTurn) {
  const Needle needle("a_B");
  ASSERT_TRUE(needle.is_ascii());
  const std::string text = "a_b" + std::string(30, '_') + "A_Ba_bA_" + std::string(15, 'b') + "a_b";
  std::vector<std::size_t> places;
  for (std::size_t at = needle.find(text, 0); at != std::string::npos;
       at = needle.find(text, at + 1)) {
    places.push_back(at);
  }
  EXPECT_EQ(places, (std::vector<std::size_t>{0, 33, 36, 39, 56}));
  EXPECT_EQ(needle.find(text, text.size()), std::string::npos);
  // A byte and the one that differs in the bit of case are two where they are no letters.
  EXPECT_FALSE(Needle("x[y").in("x{y"));
  EXPECT_FALSE(Needle("@").in("`"));
  EXPECT_FALSE(Needle("_").in("\x7F"));
}

TEST(Needle, LettersBeyondAsciiAreFoundInAnyCase) {
  EXPECT_TRUE(Needle("JÜRGEN").in("Dr. Jürgen Groß"));
  EXPECT_TRUE(Needle("jürgen").in("JÜRGEN"));
  EXPECT_TRUE(Needle("ωmega").in("Project Ωmega"));
  EXPECT_TRUE(Needle("çelik").in("Çelik A.Ş."));
  EXPECT_TRUE(Needle("ⱥ").in("xȺx"));
  EXPECT_TRUE(Needle("ΣΟΦΟΣ").in("σοφος"));
  EXPECT_FALSE(Needle("jürgen").in("jurgen"));
  EXPECT_FALSE(Needle("jurgen").in("Jürgen"));
  EXPECT_FALSE(Needle("ü").in("only ascii"));
}

TEST(TextMatch, WholesAndPrefixesIgnoreCase) {
  EXPECT_TRUE(equal_ignoring_case("Contact", "CONTACT"));
  EXPECT_TRUE(equal_ignoring_case("Überprüfung", "ÜBERPRÜFUNG"));
  EXPECT_FALSE(equal_ignoring_case("k", "\u212A"));
  EXPECT_FALSE(equal_ignoring_case("\u212A", "k"));
  EXPECT_TRUE(starts_with_ignoring_case("ÜBERnehmen", "über"));
  EXPECT_TRUE(starts_with_ignoring_case("Über", ""));
  EXPECT_FALSE(starts_with_ignoring_case("Uber", "ü"));
  EXPECT_FALSE(starts_with_ignoring_case("Ü", "üb"));
}

}  // namespace
}  // namespace docket::query
