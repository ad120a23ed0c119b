#include "engine/out_of_memory.hpp"

#include <gtest/gtest.h>

#include <new>
#include <string>

namespace docket {
namespace {

TEST(OutOfMemory, AnAllocationThatFailsBecomesARetryableError) {
  const auto failed = within_memory([]() -> Result<int> { throw std::bad_alloc(); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::overloaded);
  EXPECT_EQ(failed.error().message, "out of memory");
}

TEST(OutOfMemory, ResultsAndOtherErrorsPassAsTheyAre) {
  EXPECT_EQ(within_memory([]() -> Result<int> { return 7; }), 7);
  const auto failed =
      within_memory([]() -> Result<int> { return fail(ErrorCode::io, "cannot read it"); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::io);
}

TEST(OutOfMemory, WhatMustBeDoneIsBegunAgainUntilThereIsMemory) {
  int attempts = 0;
  const int done = patiently([&] {
    if (++attempts < 3) {
      throw std::bad_alloc();
    }
    return attempts;
  });
  EXPECT_EQ(done, 3);
}

TEST(OutOfMemory, AnErrorIsToldWithItsPlace) {
  const Error error{ErrorCode::corrupt, "a text that takes memory to be told", 5, 3, 4096};
  const Error copy = told(error);
  EXPECT_EQ(copy.describe(), error.describe());
}

}  // namespace
}  // namespace docket
