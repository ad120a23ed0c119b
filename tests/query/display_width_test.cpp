#include <gtest/gtest.h>

#include <string>

#include "query/render.hpp"

namespace docket::query {
namespace {

TEST(DisplayWidth, IsTwoForWideAndNoneForCombiningCharacters) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("größe"), 5U);
  EXPECT_EQ(display_width("顧客"), 4U);
  EXPECT_EQ(display_width("한국어"), 6U);
  EXPECT_EQ(display_width("ｆｕｌｌ"), 8U);
  EXPECT_EQ(display_width("🎉"), 2U);
  EXPECT_EQ(display_width("e\u0301"), 1U);
  EXPECT_EQ(display_width("a\u200bb"), 2U);
  EXPECT_EQ(display_width("क्ष"), 2U);
  EXPECT_EQ(display_width("…"), 1U);
  EXPECT_EQ(display_width("\xff"), 1U);
}

TEST(DisplayWidth, TheEndsOfRangesAreExact) {
  EXPECT_EQ(display_width("\u02ff"), 1U);
  EXPECT_EQ(display_width("\u0300"), 0U);
  EXPECT_EQ(display_width("\u036f"), 0U);
  EXPECT_EQ(display_width("\u0370"), 1U);
  EXPECT_EQ(display_width("\u10ff"), 1U);
  EXPECT_EQ(display_width("\u1100"), 2U);
  EXPECT_EQ(display_width("\U0003134a"), 2U);
  EXPECT_EQ(display_width("\U0010ffff"), 1U);
}

TEST(FitWidth, TextThatFitsIsKept) {
  EXPECT_EQ(fit_width("abc", 3), "abc");
  EXPECT_EQ(fit_width("", 0), "");
  EXPECT_EQ(fit_width("顧客", 4), "顧客");
  EXPECT_EQ(fit_width("e\u0301", 1), "e\u0301");
}

TEST(FitWidth, TextThatDoesNotIsCutWithAMark) {
  EXPECT_EQ(fit_width("abcd", 3), "ab…");
  EXPECT_EQ(fit_width("abcd", 1), "…");
  EXPECT_EQ(fit_width("abcd", 0), "");
  EXPECT_EQ(fit_width("顧客様", 4), "顧…");
  EXPECT_EQ(fit_width("顧客様", 5), "顧客…");
  EXPECT_EQ(fit_width("ae\u0301bc", 3), "ae\u0301…");
}

TEST(FitWidth, NothingIsEverWiderThanAsked) {
  const std::string text = "a顧e\u0301🎉ö한b\xff";
  for (std::size_t columns = 0; columns < 16; ++columns) {
    EXPECT_LE(display_width(fit_width(text, columns)), columns);
  }
}

}  // namespace
}  // namespace docket::query
