#include "tools/api/position.hpp"

#include <gtest/gtest.h>

namespace docket::api {
namespace {

TEST(Position, ItsTextIsReadBack) {
  for (const Position& position :
       {Position{}, Position{{"activity", 17}}, Position{{"activity", 0}, {"api", UINT64_MAX}}}) {
    EXPECT_EQ(parse_position(to_string(position)), position);
  }
  EXPECT_EQ(to_string({{"api", 3}, {"activity", 17}}), "activity:17,api:3");
}

TEST(Position, OtherTextIsRefused) {
  for (const char* text : {"activity", "activity:", ":1", "activity:1;api:2", "Activity:1",
                           "activity:-1", "activity:1,,api:2", "activity:18446744073709551616"}) {
    EXPECT_FALSE(parse_position(text)) << text;
  }
}

TEST(Position, WithoutOneTheWholeStoreIsMeant) {
  StoreSnapshot snapshot;
  snapshot.logs.push_back({"activity", {}, {}, Seq(5)});
  query::Query query;
  query.where = between("activity", 1, 2);
  const Since part = since(snapshot, query, {});
  EXPECT_EQ(part.query.where, query.where);
  EXPECT_EQ(part.snapshot.logs.size(), 1U);
}

TEST(Position, WhatWasSeenIsLeftOutAndItsDamageToo) {
  StoreSnapshot snapshot;
  snapshot.logs.push_back(
      {"activity",
       {},
       {{"activity", Seq(2), Seq(5), "old"}, {"activity", Seq(5), Seq(6), "new"}},
       Seq(9)});
  snapshot.logs.push_back({"api", {}, {}, Seq(3)});
  snapshot.logs.push_back({"campaign", {}, {}, Seq(1)});
  query::Query query;
  query.where = between("x", 1, 2);
  const Since part = since(snapshot, query, {{"activity", 5}, {"api", 3}});
  ASSERT_EQ(part.snapshot.logs.size(), 2U);
  EXPECT_EQ(part.snapshot.logs[0].log, "activity");
  ASSERT_EQ(part.snapshot.logs[0].gaps.size(), 1U);
  EXPECT_EQ(part.snapshot.logs[0].gaps[0].reason, "new");
  EXPECT_EQ(part.snapshot.logs[1].log, "campaign");
  const Gap retired{"campaign", Seq(1), Seq(1), "retired before it was looked at"};
  EXPECT_EQ(part.snapshot.logs[1].gaps, std::vector<Gap>{retired});
  const query::Expression& any = *part.query.where->children.at(1);
  EXPECT_EQ(*any.children.at(0), *between("activity", 6, 9));
  EXPECT_EQ(*any.children.at(1), *between("campaign", 1, 1));
}

}  // namespace
}  // namespace docket::api
