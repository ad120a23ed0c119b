#include "tools/api/answer.hpp"

#include <gtest/gtest.h>

namespace docket::api {
namespace {

Error error_of(ErrorCode code) {
  return {code, "what went wrong", 0, 0, 0};
}

TEST(Answer, ProblemHasTheStatusOfItsCode) {
  const Answer answer = problem(error_of(ErrorCode::not_found));
  EXPECT_EQ(answer.status, 404U);
  EXPECT_EQ(answer.content_type, problem_content_type);
  EXPECT_EQ(answer.body,
            R"({"type":"urn:docket:problem:not_found","title":"There is no such thing",)"
            R"("status":404,"detail":"what went wrong"})");
}

TEST(Answer, WhoPostsIsBlamedOnlyForABrokenRule) {
  EXPECT_EQ(problem_of_post(error_of(ErrorCode::invalid_argument)).status, 400U);
  EXPECT_EQ(problem_of_post(error_of(ErrorCode::overloaded)).status, 429U);
  for (const ErrorCode code :
       {ErrorCode::not_found, ErrorCode::exists, ErrorCode::busy, ErrorCode::io,
        ErrorCode::no_space, ErrorCode::corrupt, ErrorCode::newer_format,
        ErrorCode::unknown_outcome, ErrorCode::closed}) {
    const Answer answer = problem_of_post(error_of(code));
    EXPECT_EQ(answer.status, 503U) << to_string(code);
    EXPECT_GT(answer.retry_after_s, 0U) << to_string(code);
    EXPECT_NE(answer.body.find(to_string(code)), std::string::npos) << answer.body;
  }
  const Answer reused = problem_of_post(error_of(ErrorCode::out_of_order));
  EXPECT_EQ(reused.status, 422U);
  EXPECT_EQ(reused.retry_after_s, 0U) << "trying again does not help";
}

}  // namespace
}  // namespace docket::api
