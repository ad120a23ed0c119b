#include "engine/read_account.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace docket {
namespace {

TEST(ReadAccount, CountsForEveryAccountOfTheThreadAndForNoOther) {
  ReadAccount::add(1);  // nobody asks
  const ReadAccount outer;
  ReadAccount::add(10);
  {
    const ReadAccount inner;
    ReadAccount::add(5);
    EXPECT_EQ(inner.bytes(), 5U);
  }
  std::thread([] { ReadAccount::add(1000); }).join();
  ReadAccount::add(2);
  EXPECT_EQ(outer.bytes(), 17U);
}

}  // namespace
}  // namespace docket
