#include "query/near_names.hpp"

#include <gtest/gtest.h>

#include <string>

namespace docket::query {
namespace {

TEST(NearNames, FewEditsAreNearAndMoreAreNot) {
  EXPECT_TRUE(is_near_name("serach", "search")) << "neighbours that changed places";
  EXPECT_TRUE(is_near_name("shw", "show"));
  EXPECT_TRUE(is_near_name("exprt", "export"));
  EXPECT_TRUE(is_near_name("historys", "history"));
  EXPECT_FALSE(is_near_name("swh", "show")) << "two edits of a short one";
  EXPECT_FALSE(is_near_name("nosuch", "search"));
  EXPECT_FALSE(is_near_name(std::string(25, 'a'), std::string(25, 'a')));
}

}  // namespace
}  // namespace docket::query
