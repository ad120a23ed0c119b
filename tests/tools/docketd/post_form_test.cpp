#include "tools/docketd/post_form.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace docket::server {
namespace {

using api::Endpoint;
using ::testing::HasSubstr;

TEST(PostForm, EventsAreJsonWhateverTheirTypeSays) {
  for (const char* type : {"", "application/json", "text/plain", "application/x-protobuf"}) {
    const auto form = read_post_form(Endpoint::post_events, type, "");
    ASSERT_TRUE(form) << type;
    EXPECT_FALSE(form->is_otlp);
    EXPECT_FALSE(form->is_gzip);
  }
}

TEST(PostForm, OtlpIsToldByItsType) {
  for (const char* type : {"application/json", "Application/JSON; charset=utf-8"}) {
    const auto form = read_post_form(Endpoint::post_otlp, type, "identity");
    ASSERT_TRUE(form) << type;
    EXPECT_TRUE(form->is_otlp);
    EXPECT_EQ(form->otlp, ingest::OtlpForm::json);
  }
  const auto form = read_post_form(Endpoint::post_otlp, "application/x-protobuf", "GZIP");
  ASSERT_TRUE(form);
  EXPECT_EQ(form->otlp, ingest::OtlpForm::protobuf);
  EXPECT_TRUE(form->is_gzip);
  for (const char* type : {"", "text/plain", "application/grpc"}) {
    const auto refused = read_post_form(Endpoint::post_otlp, type, "");
    ASSERT_FALSE(refused) << type;
    EXPECT_THAT(refused.error().message, HasSubstr("Content-Type: must be application/x-protobuf"));
  }
}

TEST(PostForm, OneCodingIsKnown) {
  for (const char* coding : {"deflate", "br", "gzip, gzip"}) {
    for (const Endpoint endpoint : {Endpoint::post_events, Endpoint::post_otlp}) {
      const auto refused = read_post_form(endpoint, "application/json", coding);
      ASSERT_FALSE(refused) << coding;
      EXPECT_THAT(refused.error().message, HasSubstr("Content-Encoding: must be gzip or absent"));
    }
  }
}

TEST(PostForm, EventsAreAnsweredWithTheirNumbers) {
  ingest::RequestOutcome outcome;
  outcome.accepted = 2;
  outcome.first_seq = 7;
  outcome.last_seq = 8;
  const PostForm form;
  EXPECT_EQ(form.answer(outcome).status, 200U);
  outcome.rejected.push_back({1, "verb: is required"});
  EXPECT_EQ(form.answer(outcome).status, 207U);
  EXPECT_EQ(form.answer(outcome).body,
            R"({"accepted":2,"rejected":[{"index":1,"error":"verb: is required"}],)"
            R"("first_seq":7,"last_seq":8})");
  outcome.accepted = 0;
  EXPECT_EQ(form.answer(outcome).status, 400U);
  const api::Answer problem = api::problem(429, "overloaded", "title", "detail");
  EXPECT_EQ(form.error(problem).body, problem.body);
}

TEST(PostForm, OtlpIsAnsweredInItsOwnForm) {
  ingest::RequestOutcome outcome;
  outcome.rejected.push_back({1, "verb: is required"});
  PostForm form{false, true, ingest::OtlpForm::json};
  // A partial success, even of nothing: the exporter must not send it again.
  EXPECT_EQ(form.answer(outcome).status, 200U);
  EXPECT_EQ(form.answer(outcome).content_type, "application/json");
  EXPECT_THAT(form.answer(outcome).body, HasSubstr(R"("rejectedLogRecords":"1")"));
  api::Answer problem = api::problem(429, "overloaded", "title", "too many");
  problem.retry_after_s = 1;
  EXPECT_EQ(form.error(problem).body, R"({"code":8,"message":"too many"})");
  EXPECT_EQ(form.error(problem).status, 429U);
  EXPECT_EQ(form.error(problem).retry_after_s, 1U);
  EXPECT_EQ(form.error(api::problem(503, "x", "t", "d")).body, R"({"code":14,"message":"d"})");
  EXPECT_EQ(form.error(api::problem(Error{ErrorCode::invalid_argument, "otlp: no"})).body,
            R"({"code":3,"message":"otlp: no"})");
  form.otlp = ingest::OtlpForm::protobuf;
  EXPECT_EQ(form.error(problem).content_type, "application/x-protobuf");
  EXPECT_EQ(form.error(problem).body, "\x08\x08\x12\x08too many");
}

}  // namespace
}  // namespace docket::server
