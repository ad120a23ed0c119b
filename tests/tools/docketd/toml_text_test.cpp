#include "tools/docketd/toml_text.hpp"

#include <gtest/gtest.h>

namespace docket::server {
namespace {

TEST(TomlText, QuotesBackslashesAndControlCharactersAreEscaped) {
  EXPECT_EQ(toml_string("plain"), "\"plain\"");
  EXPECT_EQ(toml_string("a\"b\\c\n\x7f"), R"("a\"b\\c\u000a\u007f")");
}

TEST(TomlText, AListHasCommasBetween) {
  EXPECT_EQ(toml_strings({}), "[]");
  EXPECT_EQ(toml_strings({"a", "b\""}), R"(["a", "b\""])");
}

}  // namespace
}  // namespace docket::server
