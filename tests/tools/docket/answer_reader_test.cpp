#include "tools/docket/answer_reader.hpp"

#include <gtest/gtest.h>

#include "query/render.hpp"
#include "tools/api/answer.hpp"

namespace docket::cli {
namespace {

Event some_event() {
  Event event;
  event.log = "activity";
  event.seq = Seq(18'446'744'073'709'551'615U);
  event.received = 1'777'600'000'123'456'789;
  event.node = "node-1";
  event.ts = -1;
  event.actor = {"user", "1", "Ada \"A\"", "admin"};
  event.verb = "EDIT";
  event.target = {"List", "", "näme"};
  event.related = {{"Contact", "1", ""}, {"Contact", "2", "b"}};
  event.affected = 0;
  event.ip = parse_ip("::1");
  event.outcome = Outcome::failure;
  event.reason = "r";
  event.session = "s";
  event.request = "q";
  event.payload = "{ \"a\": [1.00, {\"payload\":\"\\u00e9\"}] }";
  return event;
}

TEST(AnswerReader, AnEventComesBackAsItWas) {
  std::string json;
  query::append_json(json, some_event(), query::PayloadForm::as_sent);
  const auto read = read_event(json);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, some_event());
}

TEST(AnswerReader, AFactAboutTheServerIsEmptyWhereItIsNotTold) {
  EXPECT_EQ(read_server_fact(R"({"server":{"ingest":"127.0.0.1:1"}})", "ingest").value(),
            "127.0.0.1:1");
  EXPECT_EQ(read_server_fact(R"({"server":{}})", "ingest").value(), "");
  EXPECT_EQ(read_server_fact(R"({"events":1})", "ingest").value(), "");
  EXPECT_FALSE(read_server_fact("[", "ingest"));
}

TEST(AnswerReader, APageKeepsOrderPayloadsAndCursor) {
  Event plain = some_event();
  plain.payload.clear();
  plain.related.clear();
  plain.ip.reset();
  std::string body = "{\"events\":[";
  query::append_json(body, plain);
  body += ',';
  query::append_json(body, some_event());
  const auto read = read_page(body + "],\"next\":\"abc\",\"gaps\":[]}");
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->events.size(), 2U);
  EXPECT_EQ(read->events[0], plain);
  EXPECT_EQ(read->events[1], some_event());
  EXPECT_EQ(read->next, "abc");
  EXPECT_EQ(read_page("{\"events\":[],\"next\":null,\"gaps\":[]}").value().next, "");
}

// Each is accepted from a sender, and none can be parsed into numbers and text of UTF-8.
TEST(AnswerReader, PayloadsThatNoTreeCanHoldComeBackAsTheyWere) {
  const std::string nested(2000, '[');
  for (const std::string& value :
       {std::string("18446744073709551616"), std::string("-9223372036854775809"),
        std::string("1e400"), std::string("\"\\ud83d\""), std::string("{\"\\udc00\":1}"),
        std::string("\"}],\\\"payload\\\":\""), nested + std::string(nested.size(), ']')}) {
    Event odd = some_event();
    odd.payload = "{ \"payload\" : " + value + ",\"changes\":[] }";
    std::string json;
    query::append_json(json, odd, query::PayloadForm::as_sent);
    const auto event = read_event(json);
    ASSERT_TRUE(event) << value << ": " << event.error().message;
    EXPECT_EQ(*event, odd);

    std::string body = "{\"events\":[" + json + ",";
    query::append_json(body, some_event());
    body += "," + json +
            R"(],"next":"abc","gaps":[{"log":"a","first_seq":1,"last_seq":2,"reason":"torn"}]})";
    const auto page = read_page(body);
    ASSERT_TRUE(page) << value << ": " << page.error().message;
    EXPECT_EQ(page->events, (std::vector<Event>{odd, some_event(), odd}));
    EXPECT_EQ(page->next, "abc");
    const auto gaps = read_gaps(body);
    ASSERT_TRUE(gaps) << value << ": " << gaps.error().message;
    EXPECT_EQ(*gaps, (std::vector<Gap>{{"a", Seq(1), Seq(2), "torn"}}));
  }
}

TEST(AnswerReader, GapsNumbersAndRowsAreRead) {
  const std::string body =
      R"({"count":7,"gaps":[{"log":"a","first_seq":1,"last_seq":2,"reason":"damaged"}],)"
      R"("rows":[{"x":"t","n":5,"b":true,"z":null}]})";
  EXPECT_EQ(read_number(body, "count").value(), 7U);
  EXPECT_EQ(read_gaps(body).value(), (std::vector<Gap>{{"a", Seq(1), Seq(2), "damaged"}}));
  EXPECT_EQ(read_rows(body, "rows", {"n", "x", "z", "b", "absent"}).value(),
            (std::vector<std::vector<std::string>>{{"5", "t", "", "true", ""}}));
}

TEST(AnswerReader, WhatIsNoAnswerIsAnError) {
  for (const char* text : {"", "{", "[]", "<html>", "{\"events\":[{}]}", "{\"count\":\"x\"}",
                           "{\"events\":[{\"seq\":1}]}"}) {
    EXPECT_FALSE(read_page(text)) << text;
    EXPECT_FALSE(read_number(text, "count")) << text;
  }
}

TEST(AnswerReader, AProblemBecomesTheErrorItCameFrom) {
  for (const ErrorCode code : {ErrorCode::invalid_argument, ErrorCode::not_found,
                               ErrorCode::corrupt, ErrorCode::overloaded, ErrorCode::no_space}) {
    const api::Answer answer = api::problem(Error{code, "what happened", 0, 0, 0});
    const Error error = error_of(answer.status, answer.body);
    EXPECT_EQ(error.code, code);
    EXPECT_EQ(error.message, "what happened");
  }
  const api::Answer syntax =
      api::problem(Error{ErrorCode::invalid_argument, "expected x\nverb:\n     ^", 0, 0, 5});
  EXPECT_EQ(error_of(syntax.status, syntax.body).message, "expected x\nverb:\n     ^");
  const Error unknown =
      error_of(401, api::problem(401, "unauthorized", "A token is needed", "none; x").body);
  EXPECT_EQ(unknown.code, ErrorCode::io);
  EXPECT_EQ(unknown.message,
            "the server asks for a token: none; give one by --token-file FILE or $DOCKET_TOKEN");
  const Error refused = error_of(403, api::problem(403, "forbidden", "No", "the role").body);
  EXPECT_EQ(refused.code, ErrorCode::io);
  EXPECT_EQ(refused.message, "the server refuses: the role");
  EXPECT_EQ(error_of(502, "<html>").code, ErrorCode::io);
  EXPECT_EQ(error_of(404, "").code, ErrorCode::not_found);
}

}  // namespace
}  // namespace docket::cli
