#include "index/escaped_strings.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace docket::index {
namespace {

std::vector<std::string> strings_of(std::string_view json) {
  std::vector<std::string> found;
  EXPECT_FALSE(any_escaped_string(json, [&](const std::string& text) {
    found.push_back(text);
    return false;
  }));
  return found;
}

TEST(EscapedStrings, AreGivenWithoutTheirEscapes) {
  using Strings = std::vector<std::string>;
  EXPECT_EQ(strings_of(R"({"n":"caf\u00e9"})"), Strings{"café"});
  EXPECT_EQ(strings_of(R"({"\u20AC":1,"plain":"x","b":["a\"b\\","\ud83d\ude00"]})"),
            (Strings{"€", "a\"b\\", "😀"}));
  EXPECT_EQ(strings_of(R"({"a":"\b\f\n\r\t\/"})"), Strings{"\b\f\n\r\t/"});
  EXPECT_EQ(strings_of(R"({"a":"plain"})"), Strings{});
}

TEST(EscapedStrings, WhatStandsForNothingIsReplaced) {
  using Strings = std::vector<std::string>;
  EXPECT_EQ(strings_of(R"({"a":"x\ud800y"})"), Strings{"x\uFFFDy"});
  EXPECT_EQ(strings_of(R"({"a":"\udc00\ud800\u0041"})"), Strings{"\uFFFD\uFFFD"
                                                                 "A"});
  EXPECT_EQ(strings_of(R"({"a":"\q\u12"})"), Strings{"\uFFFD\uFFFDu12"});
}

TEST(EscapedStrings, ABackslashIsSeenAtEveryPlace) {
  for (std::size_t size = 0; size < 70; ++size) {
    std::string text(size, 'x');
    EXPECT_FALSE(has_backslash(text)) << size;
    for (char& c : text) {
      c = '\\';
      EXPECT_TRUE(has_backslash(text)) << size;
      c = 'x';
    }
  }
}

TEST(EscapedStrings, ABrokenTextEndsTheWalk) {
  for (const std::string_view text : {R"(\)", R"("\)", R"("a\")", R"("a\u)", R"("""\"")"}) {
    for (std::size_t size = 0; size <= text.size(); ++size) {
      strings_of(text.substr(0, size));
    }
  }
}

TEST(EscapedStrings, TheWalkEndsWhereAStringIsWanted) {
  int seen = 0;
  EXPECT_TRUE(any_escaped_string(R"(["\n","\t","\r"])", [&](const std::string& text) {
    ++seen;
    return text == "\t";
  }));
  EXPECT_EQ(seen, 2);
}

}  // namespace
}  // namespace docket::index
