#include "tools/load/json_writer.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cmath>

namespace docket::load {
namespace {

TEST(JsonWriter, WritesNestedValuesWithTheirCommas) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("name", "send");
  json.key("runs");
  json.begin_array();
  json.value(1);
  json.begin_object();
  json.end_object();
  json.begin_array();
  json.end_array();
  json.null();
  json.end_array();
  json.member("ok", true);
  json.member("seconds", 1.5);
  json.end_object();
  EXPECT_EQ(text, R"({"name":"send","runs":[1,{},[],null],"ok":true,"seconds":1.5})");
}

TEST(JsonWriter, WhatIsNoNumberIsNull) {
  std::string text;
  JsonWriter json(text);
  json.begin_array();
  json.value(std::nan(""));
  json.value(HUGE_VAL);
  json.end_array();
  EXPECT_EQ(text, "[null,null]");
}

TEST(JsonWriter, AnyTextComesBackAsItWas) {
  const std::string any = "a\"b\\c\n\x01 Köln";
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member(any, any);
  json.end_object();
  simdjson::dom::parser parser;
  const simdjson::dom::object read = parser.parse(text);
  EXPECT_EQ(std::string((*read.begin()).key), any);
  EXPECT_EQ(std::string((*read.begin()).value.get_string().value()), any);
}

TEST(JsonWriter, WholeNumbersKeepAllTheirDigits) {
  std::string text;
  JsonWriter json(text);
  json.begin_array();
  json.value(std::uint64_t{18'446'744'073'709'551'615U});
  json.value(std::int64_t{-9'007'199'254'740'993});
  json.end_array();
  EXPECT_EQ(text, "[18446744073709551615,-9007199254740993]");
}

}  // namespace
}  // namespace docket::load
