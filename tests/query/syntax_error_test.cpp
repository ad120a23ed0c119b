#include "query/syntax_error.hpp"

#include <gtest/gtest.h>

#include <string>

#include "query/render.hpp"

namespace docket::query {
namespace {

TEST(QuerySyntaxError, TheCaretStandsUnderTheColumn) {
  EXPECT_EQ(syntax_error_message("expected x", "abc def", 4), "expected x\nabc def\n    ^");
  EXPECT_EQ(syntax_error_message("expected x", "abc", 3), "expected x\nabc\n   ^");
  EXPECT_EQ(syntax_error_message("expected x", "", 0), "expected x\n\n^");
}

TEST(QuerySyntaxError, ColumnsAreThoseOfTheTerminal) {
  EXPECT_EQ(syntax_error_message("e", "größe x", 8), "e\ngröße x\n      ^");
  EXPECT_EQ(syntax_error_message("e", "顧客 x", 7), "e\n顧客 x\n     ^");
  EXPECT_EQ(syntax_error_message("e", "e\u0301 x", 4), "e\ne\u0301 x\n  ^");
}

TEST(QuerySyntaxError, ControlCharactersAreShownAndCounted) {
  EXPECT_EQ(syntax_error_message("e", "a\x1b[2Jb", 5), "e\na\\x1b[2Jb\n        ^");
  EXPECT_EQ(syntax_error_message("e", "a\tb\nc", 4), "e\na b c\n    ^");
  EXPECT_EQ(syntax_error_message("e", "\u202ex", 3), "e\n\\u{202e}x\n        ^");
  EXPECT_EQ(syntax_error_message("e", "a\xff", 1), "e\na\\xff\n ^");
}

TEST(QuerySyntaxError, ALongQueryIsCutAroundThePlace) {
  std::string text(1000, 'a');
  text[500] = 'X';
  const std::string message = syntax_error_message("e", text, 500);
  const std::string line = message.substr(2, message.rfind('\n') - 2);
  EXPECT_TRUE(line.starts_with("…a"));
  EXPECT_TRUE(line.ends_with("a…"));
  EXPECT_LE(display_width(line), 80U);
  const std::size_t column = message.size() - 1 - (message.rfind('\n') + 1);
  // The mark takes three bytes and one column.
  EXPECT_EQ(line[column + 2], 'X');
}

TEST(QuerySyntaxError, EveryPlaceOfALongQueryOfAnyScriptIsPointedAt) {
  std::string text;
  for (int i = 0; i < 150; ++i) {
    text += "aö顧e\u0301\x01";
  }
  for (std::size_t offset = 0; offset <= text.size(); ++offset) {
    const std::string message = syntax_error_message("e", text, offset);
    const std::string line = message.substr(2, message.rfind('\n') - 2);
    const std::size_t column = message.size() - 1 - (message.rfind('\n') + 1);
    ASSERT_LE(display_width(line), 80U) << offset;
    ASSERT_LE(column, display_width(line)) << offset;
  }
}

}  // namespace
}  // namespace docket::query
