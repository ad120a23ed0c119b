#include <gtest/gtest.h>

#include <string>

#include "query/render.hpp"
#include "query/utf8.hpp"

namespace docket::query {
namespace {

TEST(TerminalSafe, PlainTextOfAnyScriptIsKept) {
  for (const std::string_view text : {"", "plain", "Zoë 顧客 🎉 e\u0301", "\\x1b"}) {
    EXPECT_EQ(terminal_safe(text), text);
  }
}

TEST(TerminalSafe, ControlCharactersBecomeVisible) {
  EXPECT_EQ(terminal_safe("\x1b[2J\a\r\n\t"), "\\x1b[2J\\x07\\x0d\\x0a\\x09");
  EXPECT_EQ(terminal_safe(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(terminal_safe("\x7f"), "\\x7f");
  EXPECT_EQ(terminal_safe("\u0085\u009b"), "\\u{0085}\\u{009b}");
}

TEST(TerminalSafe, SeparatorsAndMarksOfDirectionBecomeVisible) {
  EXPECT_EQ(terminal_safe("a\u2028\u2029"), "a\\u{2028}\\u{2029}");
  EXPECT_EQ(terminal_safe("\u202eabc\u202c"), "\\u{202e}abc\\u{202c}");
  EXPECT_EQ(terminal_safe("\u061c\u200e\u200f\u202a\u2066\u2069"),
            "\\u{061c}\\u{200e}\\u{200f}\\u{202a}\\u{2066}\\u{2069}");
  EXPECT_EQ(terminal_safe("\u2027\u202f\u2065"), "\u2027\u202f\u2065");
}

TEST(TerminalSafe, BytesThatAreNoUtf8BecomeVisible) {
  EXPECT_EQ(terminal_safe("a\xff\xfe"), "a\\xff\\xfe");
  EXPECT_EQ(terminal_safe("\xc3"), "\\xc3");
  EXPECT_EQ(terminal_safe("\xe2\x80"), "\\xe2\\x80");
  EXPECT_EQ(terminal_safe("\xc0\x9b"), "\\xc0\\x9b");                    // overlong escape
  EXPECT_EQ(terminal_safe("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(terminal_safe("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
}

TEST(TerminalSafe, NoByteStringLetsAControlCharacterThrough) {
  std::string all;
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      all += static_cast<char>(a);
      all += static_cast<char>(b);
    }
  }
  const std::string safe = terminal_safe(all);
  for (std::size_t at = 0; at < safe.size();) {
    const Utf8Character character = utf8_at(safe, at);
    ASSERT_TRUE(character.valid);
    ASSERT_GE(character.code, 0x20U);
    ASSERT_NE(character.code, 0x7FU);
    ASSERT_FALSE(is_hidden_mark(character.code));
    at += character.bytes;
  }
}

}  // namespace
}  // namespace docket::query
