#include "query/lexer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace docket::query {
namespace {

// Kinds and texts of all tokens of a text without fields, "error" where it ends in one.
std::string tokens(std::string_view text) {
  Lexer lexer(text);
  std::string all;
  for (;;) {
    const auto token = lexer.next();
    if (!token) {
      return all + "error@" + std::to_string(token.error().offset);
    }
    switch (token->kind) {
      case TokenKind::end:
        return all + '$';
      case TokenKind::open:
        all += '(';
        break;
      case TokenKind::close:
        all += ')';
        break;
      case TokenKind::minus:
        all += '-';
        break;
      case TokenKind::or_word:
        all += '|';
        break;
      case TokenKind::and_word:
        all += '&';
        break;
      case TokenKind::not_word:
        all += '!';
        break;
      case TokenKind::everything:
        all += '*';
        break;
      case TokenKind::text:
        all += '<' + token->text + '>';
        break;
      case TokenKind::field:
        all += token->text + ':';
        break;
    }
  }
}

// `text*` for a prefix, "error@place" for an error.
std::string value(std::string_view text) {
  Lexer lexer(text);
  const auto value = lexer.value("verb:");
  if (!value) {
    return "error@" + std::to_string(value.error().offset);
  }
  return value->text + (value->prefix ? "*" : "");
}

TEST(QueryLexer, WordsOperatorsAndParenthesesAreTold) {
  EXPECT_EQ(tokens(""), "$");
  EXPECT_EQ(tokens(" \t\r\n"), "$");
  EXPECT_EQ(tokens("a (b OR c) AND NOT -d"), "<a>(<b>|<c>)&!-<d>$");
  EXPECT_EQ(tokens("((a)(b))"), "((<a>)(<b>))$");
  EXPECT_EQ(tokens("or And nOT"), "<or><And><nOT>$");
  EXPECT_EQ(tokens("ORDER"), "<ORDER>$");
}

TEST(QueryLexer, OnlyWhatLooksLikeANameBeforeAColonIsAField) {
  EXPECT_EQ(tokens("verb: a"), "verb:<a>$");
  EXPECT_EQ(tokens("http://x"), "http:<//x>$");
  EXPECT_EQ(tokens("14:22"), "<14:22>$");
  EXPECT_EQ(tokens("2001:db8::1"), "<2001:db8::1>$");
  EXPECT_EQ(tokens(":x"), "<:x>$");
  EXPECT_EQ(tokens("größe:x"), "<größe:x>$");
  EXPECT_EQ(tokens("\"verb:DELETE\""), "<verb:DELETE>$");
}

TEST(QueryLexer, TextInsideAWordIsKept) {
  EXPECT_EQ(tokens("Smith,John it's a-b c\\d"), "<Smith,John><it's><a-b><c\\d>$");
  EXPECT_EQ(tokens("Zoë 顧客"), "<Zoë><顧客>$");
}

TEST(QueryLexer, QuotesHoldAnythingAndEscapeThemselves) {
  EXPECT_EQ(tokens(R"("a (b) OR -c, *")"), "<a (b) OR -c, *>$");
  EXPECT_EQ(tokens(R"("say \"hi\" \\ bye")"), R"(<say "hi" \ bye>$)");
  EXPECT_EQ(tokens("\"OR\""), "<OR>$");
  EXPECT_EQ(tokens("x \"open"), "<x>error@2");
  EXPECT_EQ(tokens("\"a\\nb\""), "error@2");
  EXPECT_EQ(tokens("\"a\\"), "error@2");
  EXPECT_EQ(tokens("\"\""), "error@0");
}

TEST(QueryLexer, QuotesAndOpeningParenthesesNeedWhiteSpaceBefore) {
  EXPECT_EQ(tokens("ab\"c\""), "error@2");
  EXPECT_EQ(tokens("\"ab\"c"), "error@4");
  EXPECT_EQ(tokens("\"ab\"\"c\""), "error@4");
  EXPECT_EQ(tokens("\"ab\",\"c\""), "error@4");
  EXPECT_EQ(tokens("ab(c)"), "error@2");
  EXPECT_EQ(tokens("\"ab\")"), "<ab>)$");
}

TEST(QueryLexer, AStarStandsOnlyAtTheEnd) {
  EXPECT_EQ(tokens("news* \"letter\"* *"), "<news><letter>*$");
  EXPECT_EQ(tokens("ne*ws"), "error@2");
  EXPECT_EQ(tokens("*news"), "error@0");
  EXPECT_EQ(tokens("news**"), "error@4");
  EXPECT_EQ(value("DEL*"), "DEL*");
  EXPECT_EQ(value("*"), "*");
  EXPECT_EQ(value("\"a*\""), "a*");
  EXPECT_EQ(value("\"a b\"*"), "a b*");
  EXPECT_EQ(value("D*L"), "error@1");
}

TEST(QueryLexer, AValueRunsToWhiteSpaceCommaOrParenthesis) {
  EXPECT_EQ(value("user:17"), "user:17");
  EXPECT_EQ(value("2001:db8::/32"), "2001:db8::/32");
  EXPECT_EQ(value("2026-05-01T14:22:03+02:00 x"), "2026-05-01T14:22:03+02:00");
  EXPECT_EQ(value("a,b"), "a");
  EXPECT_EQ(value("a)"), "a");
  EXPECT_EQ(value("-a"), "-a");
  EXPECT_EQ(value("a(b"), "error@1");
  EXPECT_EQ(value("a\"b"), "error@1");
  EXPECT_EQ(value("\"a\"b"), "error@3");
}

TEST(QueryLexer, AnEmptyValueIsAnErrorAtItsPlace) {
  for (const std::string_view text : {"", " a", ",a", ")", "(a"}) {
    EXPECT_EQ(value(text), "error@0") << text;
  }
}

TEST(QueryLexer, ListsAreTakenApartByCommas) {
  Lexer lexer("a,\"b,c\",d* e");
  std::vector<std::string> values;
  do {
    values.push_back(lexer.value("a comma").value().text);
  } while (lexer.take_comma());
  EXPECT_EQ(values, (std::vector<std::string>{"a", "b,c", "d"}));
  EXPECT_EQ(lexer.next().value().text, "e");
}

}  // namespace
}  // namespace docket::query
