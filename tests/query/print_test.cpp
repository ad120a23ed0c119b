// Property: the printed text of whatever was parsed parses to the same expression.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "engine/timestamp.hpp"
#include "query/parser.hpp"

namespace docket::query {
namespace {

ParseContext context() {
  return {parse_rfc3339("2026-03-29T15:00:00.000000001Z").value(),
          TimeZone::find("Europe/Berlin").value()};
}

// Random text of the language: every construct, nested, with values that need quotes.
class Sentences {
 public:
  explicit Sentences(std::uint64_t seed) : random_(seed) {}

  std::string query(int depth) {
    std::string text = group(depth);
    while (chance(4)) {
      text += " OR " + group(depth);
    }
    return text;
  }

 private:
  bool chance(int in) { return std::uniform_int_distribution<int>(0, in - 1)(random_) == 0; }

  std::string pick(const std::vector<std::string>& texts) {
    return texts[std::uniform_int_distribution<std::size_t>(0, texts.size() - 1)(random_)];
  }

  std::string group(int depth) {
    std::string text = term(depth);
    while (!chance(3)) {
      text += pick({" ", " ", " ", " AND ", "\t"}) + term(depth);
    }
    return text;
  }

  std::string term(int depth) {
    if (depth > 0 && chance(4)) {
      return "(" + query(depth - 1) + ")";
    }
    if (depth > 0 && chance(5)) {
      return pick({"-", "NOT "}) + term(depth - 1);
    }
    switch (std::uniform_int_distribution<int>(0, 6)(random_)) {
      case 0:
        return pick({"word", "Zoë", "14:22", "x*", "*", "\"OR\"", "\"-a\"", "\"a b\"", "\"q\\\"q\"",
                     "\"back\\\\slash\"", "\"verb:x\"", "a,b", "\"star*\"", "\" \""});
      case 1:
        return pick({"since:", "until:"}) +
               pick({"7d", "now", "today", "14:22", "2026-03-29T02:30", "2026-10-25T02:30:00.5",
                     "1677-09-21T00:12:43.145224192Z", "2262-04-11T23:47:16.854775807Z"});
      case 2:
        return "on:" + list({"today", "yesterday", "2026-03-29", "2018-11-04"});
      case 3:
        return "ip:" + list({"10.0.0.1", "10.9.9.9/8", "2001:db8::/32", "::1", "*", "0.0.0.0/0",
                             "::ffff:1.2.3.4/100"});
      case 4:
        return "seq:" + list({"1", "5..9", "0..18446744073709551615"});
      case 5:
        return "verb:" + list({"EDIT", "update", "Delete", "UPD*", "*", "\"A B\""});
      default:
        return pick({"actor", "target", "target.name", "reason", "changed", "old", "new",
                     "payload"}) +
               ":" +
               list({"user:17", "\"Smith, John\"", "\"x*\"", "\"se r\"*", "pre*", "\"(a)\"", "-5",
                     "顧客", "a\\b", "*"});
    }
  }

  std::string list(const std::vector<std::string>& values) {
    std::string text = pick(values);
    while (chance(3)) {
      text += "," + pick(values);
    }
    return text;
  }

  std::mt19937_64 random_;
};

TEST(QueryPrint, PrintedTextParsesToTheSameExpression) {
  for (std::uint64_t seed = 0; seed < 4'000; ++seed) {
    const std::string text = Sentences(seed).query(3);
    const auto query = parse(text, context());
    ASSERT_TRUE(query) << text << '\n' << query.error().message;
    const std::string printed = print(*query->where);
    // Relative times mean nothing any more: another now and another zone change nothing.
    const auto again = parse(printed, ParseContext{});
    ASSERT_TRUE(again) << text << '\n' << again.error().message;
    ASSERT_EQ(*again->where, *query->where) << text << '\n'
                                            << printed << '\n'
                                            << print(*again->where);
    ASSERT_EQ(print(*again->where), printed);
    ASSERT_EQ(again->since, query->since) << text;
    ASSERT_EQ(again->until, query->until) << text;
    ASSERT_EQ(again->names_log, query->names_log) << text;
  }
}

TEST(QueryPrint, TextIsQuotedOnlyWhereItMustBe) {
  const auto printed = [](std::string_view text) {
    return print(*parse(text, context()).value().where);
  };
  EXPECT_EQ(printed("\"news\" \"OR\" \"a:b\" \"-x\" \"a b\""),
            "news \"OR\" \"a:b\" \"-x\" \"a b\"");
  EXPECT_EQ(printed("actor:\"user:17\",\"x*\",\"p q\"*"), "actor:user:17,\"x*\",\"p q\"*");
  EXPECT_EQ(printed("target.name:\"a\\\"b\\\\\""), "target.name:\"a\\\"b\\\\\"");
}

TEST(QueryPrint, HandMadeGroupsKeepTheirMeaning) {
  const auto word = [](std::string text) {
    auto condition = std::make_shared<Expression>();
    condition->kind = Expression::Kind::condition;
    condition->matches.emplace_back().text = std::move(text);
    return condition;
  };
  const auto group = [](Expression::Kind kind, std::vector<ExpressionPtr> children) {
    auto made = std::make_shared<Expression>();
    made->kind = kind;
    made->children = std::move(children);
    return made;
  };
  using Kind = Expression::Kind;
  const auto inner = group(Kind::conjunction, {word("b"), word("c")});
  EXPECT_EQ(print(*group(Kind::conjunction, {word("a"), inner})), "a (b c)");
  EXPECT_EQ(print(*group(Kind::negation, {inner})), "-(b c)");
  EXPECT_EQ(print(Expression{}), "*");
}

TEST(QueryExpression, EqualityLooksAtTheWholeTree) {
  const auto tree = [](std::string_view text) { return parse(text, context()).value().where; };
  EXPECT_EQ(*tree("a (b OR verb:X)"), *tree("a (b OR verb:X)"));
  EXPECT_FALSE(*tree("a (b OR verb:X)") == *tree("a (b OR verb:Y)"));
  EXPECT_FALSE(*tree("a b") == *tree("b a"));
  EXPECT_FALSE(*tree("a b") == *tree("a OR b"));
  EXPECT_FALSE(*tree("old:x") == *tree("new:x"));
  EXPECT_FALSE(*tree("old:x") == *tree("old:x*"));
}

}  // namespace
}  // namespace docket::query
