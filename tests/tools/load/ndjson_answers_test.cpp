#include "tools/load/ndjson_answers.hpp"

#include <gtest/gtest.h>

namespace docket::load {
namespace {

TEST(NdjsonAnswers, LinesAreUnderstoodHoweverTheyAreCut) {
  const std::string bytes =
      "{\"durable\":10}\n{\"line\":12,\"error\":\"verb: is required\"}\n{\"durable\":20}\n";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    NdjsonAnswers answers;
    ASSERT_TRUE(answers.take(bytes.substr(0, cut)));
    ASSERT_TRUE(answers.take(bytes.substr(cut)));
    EXPECT_EQ(answers.settled(), 20U);
    EXPECT_EQ(answers.rejected(), 1U);
    EXPECT_EQ(answers.first_error(), "{\"line\":12,\"error\":\"verb: is required\"}");
  }
}

TEST(NdjsonAnswers, AFallingCountOrAnotherLineIsAnError) {
  NdjsonAnswers falling;
  EXPECT_FALSE(falling.take("{\"durable\":10}\n{\"durable\":9}\n"));
  NdjsonAnswers other;
  EXPECT_FALSE(other.take("HTTP/1.1 400\n"));
  NdjsonAnswers broken;
  EXPECT_FALSE(broken.take("{\"durable\":10\n"));
}

TEST(NdjsonAnswers, LinesBeforeTheBeginCountNoLonger) {
  NdjsonAnswers answers;
  ASSERT_TRUE(answers.take("{\"durable\":1}\n"));
  answers.begin();
  EXPECT_EQ(answers.settled(), 0U);
  ASSERT_TRUE(answers.take("{\"durable\":4}\n"));
  EXPECT_EQ(answers.settled(), 3U);
}

}  // namespace
}  // namespace docket::load
