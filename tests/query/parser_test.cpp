#include "query/parser.hpp"

#include <gtest/gtest.h>

#include <string>

#include "engine/timestamp.hpp"

namespace docket::query {
namespace {

using Kind = Expression::Kind;

Nanos at(std::string_view time) {
  return parse_rfc3339(time).value();
}

ParseContext context() {
  return {at("2026-05-07T15:00:00Z"), TimeZone::utc()};
}

Query parsed(std::string_view text) {
  auto query = parse(text, context());
  EXPECT_TRUE(query) << query.error().message;
  return std::move(query).value();
}

// The expression in canonical text.
std::string canonical(std::string_view text) {
  return print(*parsed(text).where);
}

// First line of the message, and the caret's column.
std::string error_of(std::string_view text) {
  const auto query = parse(text, context());
  if (query) {
    return "no error";
  }
  EXPECT_EQ(query.error().code, ErrorCode::invalid_argument);
  const std::string& message = query.error().message;
  const std::size_t line_end = message.find('\n');
  const std::size_t caret_line = message.rfind('\n') + 1;
  EXPECT_EQ(message.back(), '^');
  return message.substr(0, line_end) + " @" + std::to_string(message.size() - 1 - caret_line);
}

const Expression& child(const Expression& group, std::size_t i) {
  return *group.children.at(i);
}

TEST(QueryParser, AnEmptyQueryIsEveryEvent) {
  EXPECT_EQ(parsed("").where->kind, Kind::all);
  EXPECT_EQ(parsed(" \t ").where->kind, Kind::all);
  EXPECT_EQ(parsed("*").where->kind, Kind::all);
  EXPECT_EQ(canonical("* verb:SEND"), "verb:SEND");
  EXPECT_EQ(canonical("-*"), "-*");
}

TEST(QueryParser, TheTextAsAskedIsKept) {
  EXPECT_EQ(parsed("verb:edit  x").text, "verb:edit  x");
}

TEST(QueryParser, DifferentFieldsAreAConjunction) {
  const Query query = parsed("actor:user:17 target.type:Contact reason:mfa*");
  ASSERT_EQ(query.where->kind, Kind::conjunction);
  ASSERT_EQ(query.where->children.size(), 3U);
  EXPECT_EQ(child(*query.where, 0).field, Field::actor);
  EXPECT_EQ(child(*query.where, 0).matches.front().text, "user:17");
  EXPECT_EQ(child(*query.where, 1).field, Field::target_type);
  EXPECT_EQ(child(*query.where, 2).field, Field::reason);
  EXPECT_EQ(child(*query.where, 2).matches.front().text, "mfa");
  EXPECT_TRUE(child(*query.where, 2).matches.front().prefix);
}

TEST(QueryParser, EveryFieldOfTheLanguageIsUnderstood) {
  for (const std::string_view field :
       {"log", "actor", "actor.kind", "actor.id", "actor.name", "actor.role", "verb", "target",
        "target.type", "target.id", "target.name", "reason", "session", "request", "node",
        "payload", "changed", "old", "new"}) {
    const Query query = parsed(std::string(field) + ":abc");
    EXPECT_EQ(query.where->kind, Kind::condition) << field;
    EXPECT_EQ(field_name(query.where->field), field);
    EXPECT_EQ(find_field(field), query.where->field);
  }
  EXPECT_EQ(find_field("since"), Field::time);
  EXPECT_EQ(find_field("text"), std::nullopt);
}

TEST(QueryParser, OneFieldNamedAgainIsGatheredWhereItStoodFirst) {
  EXPECT_EQ(canonical("verb:SEND x verb:PAUSE,SEND"), "verb:SEND,PAUSE x");
  EXPECT_EQ(canonical("payload:a payload:b"), "payload:a,b");
  EXPECT_EQ(parsed("verb:SEND verb:send").where->matches.size(), 1U);
}

TEST(QueryParser, WordsAreAllAskedFor) {
  const Query query = parsed("welcome \"news letter\"");
  ASSERT_EQ(query.where->kind, Kind::conjunction);
  EXPECT_EQ(child(*query.where, 0).matches.size(), 1U);
  EXPECT_EQ(child(*query.where, 1).matches.front().text, "news letter");
}

TEST(QueryParser, EachNegatedTermIsANotOfItsOwn) {
  EXPECT_EQ(canonical("-verb:SEND -verb:PAUSE"), "-verb:SEND -verb:PAUSE");
  EXPECT_EQ(canonical("-verb:SEND,PAUSE"), "-verb:SEND,PAUSE");
  EXPECT_EQ(canonical("verb:SEND -verb:PAUSE"), "verb:SEND -verb:PAUSE");
  EXPECT_EQ(canonical("NOT verb:SEND NOT (a b)"), "-verb:SEND -(a b)");
  EXPECT_EQ(canonical("--a"), "--a");
  EXPECT_EQ(canonical("-\"a b\""), "-\"a b\"");
}

TEST(QueryParser, AndBindsTighterThanOr) {
  const Query query = parsed("a b OR c");
  ASSERT_EQ(query.where->kind, Kind::disjunction);
  EXPECT_EQ(child(*query.where, 0).kind, Kind::conjunction);
  EXPECT_EQ(child(*query.where, 1).kind, Kind::condition);
  EXPECT_EQ(canonical("a AND b OR c AND d"), "a b OR c d");
  EXPECT_EQ(canonical("a (b OR c)"), "a (b OR c)");
  EXPECT_EQ(canonical("-(a OR b)"), "-(a OR b)");
}

TEST(QueryParser, GroupsOfOneKindAreFlattened) {
  EXPECT_EQ(canonical("a (b (c d))"), "a b c d");
  EXPECT_EQ(canonical("a OR (b OR (c OR d))"), "a OR b OR c OR d");
  EXPECT_EQ(canonical("((a))"), "a");
}

TEST(QueryParser, AndAndParenthesesKeepTheValuesOfOneFieldApart) {
  const Query query = parsed("target:List:5 AND target:Contact:9");
  ASSERT_EQ(query.where->kind, Kind::conjunction);
  EXPECT_EQ(child(*query.where, 0).matches.size(), 1U);
  EXPECT_EQ(canonical("target:List:5 AND target:Contact:9"), "target:List:5 AND target:Contact:9");
  EXPECT_EQ(canonical("(verb:A x) (verb:B y)"), "verb:A x AND verb:B y");
  EXPECT_EQ(canonical("verb:A (verb:B)"), "verb:A AND verb:B");
  EXPECT_EQ(canonical("verb:A log:x AND verb:B log:y"), "verb:A log:x AND verb:B log:y");
}

TEST(QueryParser, VerbsAreUpperCasedAndEditFindsUpdate) {
  EXPECT_EQ(canonical("verb:delete"), "verb:DELETE");
  EXPECT_EQ(canonical("verb:Edit"), "verb:EDIT,UPDATE");
  EXPECT_EQ(canonical("verb:UPDATE"), "verb:UPDATE,EDIT");
  EXPECT_EQ(canonical("verb:EDIT,UPDATE"), "verb:EDIT,UPDATE");
  EXPECT_EQ(canonical("verb:upd*"), "verb:UPD*");
  EXPECT_EQ(canonical("-verb:EDIT"), "-verb:EDIT,UPDATE");
}

TEST(QueryParser, OutcomesIgnoreCaseAndAreOneOfThree) {
  EXPECT_EQ(canonical("outcome:Failure,DENIED"), "outcome:failure,denied");
  EXPECT_EQ(canonical("outcome:Fail*"), "outcome:fail*");
  EXPECT_EQ(error_of("outcome:failed"), "expected success, failure or denied @8");
  EXPECT_EQ(error_of("outcome:x*"), "expected success, failure or denied @8");
}

TEST(QueryParser, AddressesAndNetworksAreCanonical) {
  EXPECT_EQ(canonical("ip:10.1.2.3"), "ip:10.1.2.3");
  EXPECT_EQ(canonical("ip:10.1.2.3/8"), "ip:10.0.0.0/8");
  EXPECT_EQ(canonical("ip:2001:DB8:0::/32"), "ip:2001:db8::/32");
  EXPECT_EQ(canonical("ip:*"), "ip:::/0");
  EXPECT_EQ(canonical("ip:10.0.0.0/12,10.16.0.0/12"), "ip:10.0.0.0/12,10.16.0.0/12");
  EXPECT_EQ(parsed("ip:10.0.0.0/8").where->matches.front().ip_bits, 104U);
  EXPECT_EQ(parsed("ip:0.0.0.0/0").where->matches.front().ip_bits, 96U);
  EXPECT_EQ(parsed("ip:2001:db8::/32").where->matches.front().ip_bits, 32U);
  EXPECT_EQ(parsed("ip:10.0.0.1/32").where->matches, parsed("ip:10.0.0.1").where->matches);
  for (const std::string_view text :
       {"ip:10.0.0", "ip:10.0.0.0/33", "ip:::/129", "ip:10.*", "ip:10.0.0.0/", "ip:10.0.0.0/+8",
        "ip:host", "ip:/8", "ip:10.0.0.0/8/8", "ip:10.0.0.0/-1"}) {
    EXPECT_TRUE(error_of(text).ends_with(" @3")) << text << ": " << error_of(text);
  }
}

TEST(QueryParser, BitsBehindANetworkAreZeroForEveryLength) {
  for (std::uint32_t bits = 0; bits <= 128; ++bits) {
    const Query query =
        parsed("ip:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/" + std::to_string(bits));
    const Match& match = query.where->matches.front();
    for (std::uint32_t i = 0; i < 128; ++i) {
      EXPECT_EQ((match.ip.bytes[i / 8] >> (7 - i % 8)) & 1, i < bits ? 1 : 0) << bits;
    }
  }
}

TEST(QueryParser, SequenceNumbersAreSingleOrRanges) {
  const Query query = parsed("seq:17,20..30");
  EXPECT_EQ(query.where->matches.at(0).seq_first, 17U);
  EXPECT_EQ(query.where->matches.at(0).seq_last, 17U);
  EXPECT_EQ(query.where->matches.at(1).seq_first, 20U);
  EXPECT_EQ(query.where->matches.at(1).seq_last, 30U);
  EXPECT_EQ(canonical("seq:18446744073709551615"), "seq:18446744073709551615");
  for (const std::string_view text : {"seq:x", "seq:1..", "seq:..2", "seq:1*", "seq:30..20",
                                      "seq:18446744073709551616", "seq:-1", "seq:1...2"}) {
    EXPECT_TRUE(error_of(text).ends_with(" @4")) << text << ": " << error_of(text);
  }
}

TEST(QueryParser, ALogIsNamedOutsideOfANotOnly) {
  EXPECT_FALSE(parsed("verb:SEND").names_log);
  EXPECT_TRUE(parsed("log:activity").names_log);
  EXPECT_TRUE(parsed("log:*").names_log);
  EXPECT_TRUE(parsed("log:act*").names_log);
  EXPECT_TRUE(parsed("a OR (log:docket b)").names_log);
  EXPECT_FALSE(parsed("-log:api").names_log);
  EXPECT_FALSE(parsed("-(a log:api)").names_log);
  EXPECT_TRUE(parsed("-(a -log:docket)").names_log);
  EXPECT_TRUE(error_of("log:Activity").starts_with("expected a log's name"));
}

TEST(QueryParser, EmptyValuesAreOnlyForOldAndNew) {
  EXPECT_EQ(canonical("old:\"\" new:\"\"*"), "old:\"\" new:*");
  EXPECT_EQ(error_of("reason:\"\""),
            "expected text between the quotes (a field that is absent is found by -reason:*) @7");
  EXPECT_TRUE(error_of("verb:\"\"").ends_with("@5"));
  EXPECT_TRUE(error_of("log:\"\"").ends_with("@4"));
  EXPECT_EQ(canonical("reason:*"), "reason:*");
  EXPECT_EQ(canonical("payload:* verb:*"), "payload:* verb:*");
}

TEST(QueryParser, AStarBehindASubstringChangesNothing) {
  EXPECT_EQ(canonical("news* payload:hour*"), "news payload:hour");
}

TEST(QueryParser, BoundsOfTimeTighten) {
  const Query query = parsed("since:2026-05-01 verb:SEND until:2026-05-03 since:2026-05-02");
  EXPECT_EQ(query.since, at("2026-05-02T00:00:00Z"));
  EXPECT_EQ(query.until, at("2026-05-03T00:00:00Z"));
  EXPECT_EQ(print(*query.where), "since:2026-05-02T00:00:00Z until:2026-05-03T00:00:00Z verb:SEND");
  const Expression& time = child(*query.where, 0);
  EXPECT_EQ(time.field, Field::time);
  EXPECT_EQ(time.matches.front().since, query.since);
  EXPECT_EQ(time.matches.front().until, query.until);
  EXPECT_EQ(query.where->children.size(), 2U);
}

TEST(QueryParser, AQueryWithoutTimeIsNotBounded) {
  EXPECT_EQ(parsed("a").since, INT64_MIN);
  EXPECT_EQ(parsed("a").until, INT64_MAX);
  EXPECT_EQ(parsed("until:2026-05-01").since, INT64_MIN);
  EXPECT_EQ(parsed("since:2026-05-01").until, INT64_MAX);
}

TEST(QueryParser, BoundsOfAlternativesAreTheirHull) {
  const Query query = parsed("a on:2026-05-01,2026-05-04");
  EXPECT_EQ(query.since, at("2026-05-01T00:00:00Z"));
  EXPECT_EQ(query.until, at("2026-05-05T00:00:00Z"));
  EXPECT_EQ(parsed("since:7d OR a").since, INT64_MIN);
  EXPECT_EQ(parsed("-since:7d").since, INT64_MIN);
  EXPECT_EQ(parsed("-since:7d").until, INT64_MAX);
}

TEST(QueryParser, ARangeThatEndsBeforeItBeginsIsNoError) {
  const Query query = parsed("since:2026-05-03 until:2026-05-01");
  EXPECT_GT(query.since, query.until);
  EXPECT_EQ(print(*query.where), "since:2026-05-03T00:00:00Z until:2026-05-01T00:00:00Z");
}

TEST(QueryParser, OnTakesAListOfDays) {
  EXPECT_EQ(canonical("on:2026-05-01"), "since:2026-05-01T00:00:00Z until:2026-05-02T00:00:00Z");
  EXPECT_EQ(canonical("-on:2026-05-01"),
            "-(since:2026-05-01T00:00:00Z until:2026-05-02T00:00:00Z)");
  EXPECT_EQ(canonical("x on:2026-05-01,2026-05-03"),
            "x (since:2026-05-01T00:00:00Z until:2026-05-02T00:00:00Z OR "
            "since:2026-05-03T00:00:00Z until:2026-05-04T00:00:00Z)");
  EXPECT_EQ(error_of("since:today,yesterday"),
            "expected one time; only on: takes a list of days @11");
  EXPECT_EQ(error_of("since:2026*"), "expected a time, which takes no * @6");
}

TEST(QueryParser, OnNamedAgainIsEitherDayLikeOtherFields) {
  const std::string either =
      "(since:2026-05-01T00:00:00Z until:2026-05-02T00:00:00Z OR "
      "since:2026-05-03T00:00:00Z until:2026-05-04T00:00:00Z)";
  EXPECT_EQ(canonical("x on:2026-05-01 on:2026-05-03"), "x " + either);
  EXPECT_EQ(canonical("x on:2026-05-01 y on:2026-05-03,2026-05-01"), "x " + either + " y");
  EXPECT_EQ(canonical("x on:2026-05-01 on:2026-05-01"), canonical("x on:2026-05-01"));
  // since: and until: are bounds, of which the tightest holds; AND undoes the gathering.
  EXPECT_EQ(canonical("since:2026-05-01 since:2026-05-03"), "since:2026-05-03T00:00:00Z");
  EXPECT_EQ(canonical("on:2026-05-01 since:2026-05-01T12:00"),
            "since:2026-05-01T12:00:00Z until:2026-05-02T00:00:00Z");
  EXPECT_EQ(canonical("on:2026-05-01 AND on:2026-05-03"),
            "since:2026-05-03T00:00:00Z until:2026-05-02T00:00:00Z");
  EXPECT_EQ(parsed("on:2026-05-01 on:2026-05-04").until, at("2026-05-05T00:00:00Z"));
}

TEST(QueryParser, UnknownFieldListsNearNames) {
  EXPECT_EQ(error_of("a vreb:DELETE"),
            "expected a field such as verb; there is none called vreb (to search for the text "
            "itself, put it in quotes) @2");
  EXPECT_NE(error_of("type:x").find("such as target.type;"), std::string::npos);
  EXPECT_NE(error_of("name:x").find("such as actor.name, target.name;"), std::string::npos);
  EXPECT_NE(error_of("Verb:x").find("such as verb;"), std::string::npos);
  EXPECT_NE(error_of("user:x").find("such as actor;"), std::string::npos);
  EXPECT_NE(error_of("actor-kind:x").find("such as actor.kind;"), std::string::npos);
  EXPECT_NE(error_of("http://x").find("in quotes"), std::string::npos);
  EXPECT_NE(error_of("zzzzzzzz:x").find("log, actor, actor.kind"), std::string::npos);
}

TEST(QueryParser, ErrorsSayWhatWasExpectedAndWhere) {
  EXPECT_EQ(error_of("verb:"), "expected a value directly after verb:, found the end @5");
  EXPECT_EQ(error_of("verb: DELETE"),
            "expected a value directly after verb:, found white space @5");
  EXPECT_EQ(error_of("verb:A,"), "expected a value directly after the comma, found the end @7");
  EXPECT_EQ(error_of("a OR"), "expected a term, found the end @4");
  EXPECT_EQ(error_of("OR a"),
            "expected a term, found OR (in quotes it is a word to search for) @0");
  EXPECT_EQ(error_of("a AND OR b"),
            "expected a term, found OR (in quotes it is a word to search for) @6");
  EXPECT_EQ(error_of("a\"b\""),
            "expected white space before a quote (text that contains one is put in quotes) @1");
  EXPECT_EQ(error_of("\"a\"b"), "expected white space after the closing quote @3");
  EXPECT_EQ(error_of("\"a\",\"b\""),
            "expected white space; a list needs a field, as in verb:CREATE,DELETE @3");
  EXPECT_EQ(error_of("()"), "expected a term, found a closing parenthesis @1");
  EXPECT_EQ(error_of("a (b"), "expected a closing parenthesis for the one that opens here @2");
  EXPECT_EQ(error_of("a)"), "expected a term or the end; no parenthesis is open here @1");
  EXPECT_EQ(error_of("a - b"),
            "expected a term directly after - (a dash alone is put in quotes) @3");
  EXPECT_EQ(error_of("a -"), "expected a term directly after - (a dash alone is put in quotes) @3");
  EXPECT_EQ(error_of("NOT"), "expected a term after NOT (in quotes it is a word to search for) @3");
  EXPECT_EQ(error_of("since:soon").substr(0, 16), "expected a time:");
  EXPECT_EQ(error_of("on:7d"), "expected a day: 2026-05-01, today or yesterday @3");
  EXPECT_EQ(error_of("a \xff"), "expected UTF-8 text @2");
}

TEST(QueryParser, TheOffsetOfAnErrorIsInBytes) {
  const auto query = parse("größe verb:", context());
  ASSERT_FALSE(query);
  EXPECT_EQ(query.error().offset, std::string_view("größe verb:").size());
  EXPECT_EQ(query.error().message,
            "expected a value directly after verb:, found the end\ngröße verb:\n           ^");
}

TEST(QueryParser, AQueryOfTheLargestSizeIsTakenAndALargerOneIsNot) {
  EXPECT_TRUE(parse(std::string(query_bytes_max, 'x'), context()));
  EXPECT_TRUE(error_of(std::string(query_bytes_max + 1, 'x'))
                  .starts_with("expected a query of at most 65536 bytes"));
}

TEST(QueryParser, DepthIsBounded) {
  const auto nested = [](std::size_t depth, const std::string& open, const std::string& inner) {
    std::string text;
    std::string close;
    for (std::size_t i = 0; i < depth; ++i) {
      text += open;
      close += open.find('(') != std::string::npos ? ")" : "";
    }
    return text + inner + close;
  };
  EXPECT_TRUE(parse(nested(query_depth_max, "(", "a"), context()));
  EXPECT_TRUE(parse(nested(query_depth_max, "-", "a"), context()));
  EXPECT_TRUE(parse(nested(query_depth_max / 2, "-(", "a"), context()));
  EXPECT_TRUE(parse(nested(query_depth_max - 1, "(x OR y ", "on:today,yesterday"), context()));
  // A list of days is printed in parentheses, so that it goes one deeper.
  EXPECT_FALSE(parse(nested(query_depth_max, "(x OR y ", "on:today,yesterday"), context()));
  EXPECT_EQ(canonical(canonical(nested(query_depth_max - 1, "(x OR y ", "on:today,yesterday"))),
            canonical(nested(query_depth_max - 1, "(x OR y ", "on:today,yesterday")));
  EXPECT_TRUE(
      error_of(nested(query_depth_max + 1, "(", "a")).starts_with("expected no more than 64"));
  EXPECT_TRUE(
      error_of(nested(query_depth_max + 1, "-", "a")).starts_with("expected no more than 64"));
  EXPECT_FALSE(parse(nested(30'000, "(", "a"), context()));
  EXPECT_FALSE(parse(nested(60'000, "-", "a"), context()));
}

TEST(QueryParser, ValuesAreBounded) {
  const auto list = [](std::size_t values) {
    std::string text = "actor:0";
    for (std::size_t i = 1; i < values; ++i) {
      text += "," + std::to_string(i);
    }
    return text;
  };
  EXPECT_EQ(parsed(list(query_matches_max)).where->matches.size(), query_matches_max);
  EXPECT_TRUE(
      error_of(list(query_matches_max + 1)).starts_with("expected no more than 4096 values"));
  EXPECT_FALSE(parse(list(query_matches_max) + " a", context()));
  EXPECT_FALSE(parse(list(query_matches_max - 1) + " verb:EDIT", context()));
  EXPECT_FALSE(parse(list(query_matches_max) + " since:7d", context()));
  // A day is printed as two bounds, so it counts as two.
  EXPECT_TRUE(parse(list(query_matches_max - 2) + " on:today", context()));
  EXPECT_FALSE(parse(list(query_matches_max - 1) + " on:today", context()));
}

}  // namespace
}  // namespace docket::query
