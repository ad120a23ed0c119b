#include "query/field_names.hpp"

#include <gtest/gtest.h>

#include "query/parser.hpp"

namespace docket::query {
namespace {

TEST(FieldNames, EachOfThemIsFound) {
  EXPECT_GT(field_names().size(), 20U);
  for (const std::string_view name : field_names()) {
    EXPECT_TRUE(find_typed_field(name)) << name;
  }
}

TEST(QueryFieldNames, EveryFieldHasANameThatLeadsBack) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(Field::text); ++i) {
    const auto field = static_cast<Field>(i);
    const auto typed = find_typed_field(field_name(field));
    ASSERT_TRUE(typed.has_value()) << field_name(field);
    EXPECT_EQ(typed->field, field);
    EXPECT_EQ(typed->time, TypedTime::none);
  }
  EXPECT_EQ(field_name(Field::text), "text");
  EXPECT_EQ(field_name(Field::time), "time");
  EXPECT_EQ(find_typed_field("on")->time, TypedTime::on);
  EXPECT_FALSE(find_typed_field("time").has_value());
  EXPECT_FALSE(find_typed_field("").has_value());
}

TEST(QueryFieldNames, NearIsASlipOfTheFingersALastPartOrAnotherWord) {
  EXPECT_EQ(near_field_names("vreb"), "verb");
  EXPECT_EQ(near_field_names("verbs"), "verb");
  EXPECT_EQ(near_field_names("VERB"), "verb");
  EXPECT_EQ(near_field_names("target_type"), "target.type");
  EXPECT_EQ(near_field_names("id"), "actor.id, target.id, ip");
  EXPECT_EQ(near_field_names("status"), "outcome");
  EXPECT_EQ(near_field_names("before"), "until");
}

TEST(QueryFieldNames, WhereNothingIsNearAllAreListed) {
  EXPECT_EQ(near_field_names("http").substr(0, 10), "log, actor");
  EXPECT_TRUE(near_field_names(std::string(10'000, 'x')).ends_with("since, until, on"));
}

}  // namespace
}  // namespace docket::query
