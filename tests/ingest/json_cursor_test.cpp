#include "ingest/json_cursor.hpp"

#include <gtest/gtest.h>

#include <string>

#include "ingest/event_json.hpp"
#include "ingest/json_index.hpp"

namespace docket::ingest {
namespace {

TEST(JsonCursor, NumbersFollowTheGrammarWhateverTheirSize) {
  for (const char* number : {"0", "-0", "1", "10", "-17", "0.5", "1e5", "1E+5", "1e-5", "1.25e10",
                             "123456789012345678901234567890", "1e999"}) {
    EXPECT_TRUE(is_json_number(number)) << number;
  }
  for (const char* other : {"", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "0x10", "1 ",
                            "NaN", "Infinity", "1_000", "12\"a\""}) {
    EXPECT_FALSE(is_json_number(other)) << other;
  }
}

TEST(JsonCursor, EscapesBecomeUtf8) {
  const auto unescaped = [](std::string_view raw) {
    std::string out;
    return append_unescaped(out, raw) ? out : "(invalid)";
  };
  EXPECT_EQ(unescaped(R"(a\"b\\c\/d\b\f\n\r\t)"), "a\"b\\c/d\b\f\n\r\t");
  EXPECT_EQ(unescaped(R"(\u0041\u00e9\u20AC)"), "Aé€");
  EXPECT_EQ(unescaped(R"(\ud83d\ude00!)"), "😀!");
  EXPECT_EQ(unescaped(R"(\u0000)"), std::string(1, '\0'));
  for (const char* broken : {R"(\x)", R"(\u12)", R"(\u12g4)", R"(\ud83d)", R"(\ud83dx)",
                             R"(\ud83d\u0041)", R"(\ude00)", R"(\)"}) {
    EXPECT_EQ(unescaped(broken), "(invalid)") << broken;
  }
}

TEST(JsonCursor, LoneSurrogatesAreValidEscapesOfAPayload) {
  EXPECT_TRUE(has_valid_escapes(R"(\ud83d)"));
  EXPECT_TRUE(has_valid_escapes(R"(a\u00e9\n)"));
  EXPECT_FALSE(has_valid_escapes(R"(\ud83)"));
  EXPECT_FALSE(has_valid_escapes(R"(\q)"));
}

TEST(IsJsonObject, AcceptsObjectsOfEveryKind) {
  for (const char* object :
       {"{}", " \t\r\n{ } ", R"({"a":1})", R"({"":{}})",
        R"({"a":[1,-2.5e3,true,false,null,"x",{"b":[[]]}]})",
        R"({"a":123456789012345678901234567890123456789})", R"({"a":"\ud800"})",
        R"({"a":"é😀","a":2})", R"({"a" : "b\"\\" , "c":[ ]})"}) {
    EXPECT_TRUE(is_json_object(object)) << object;
  }
}

TEST(IsJsonObject, RefusesEverythingElse) {
  for (const char* other : {"",
                            " ",
                            "1",
                            "[]",
                            "\"a\"",
                            "null",
                            "{",
                            "}",
                            "{]",
                            "{}{}",
                            "{} x",
                            R"({"a"})",
                            R"({"a":})",
                            R"({"a":1,})",
                            R"({,"a":1})",
                            R"({"a":1 "b":2})",
                            R"({"a":1,"b"})",
                            R"({a:1})",
                            R"({"a":tru})",
                            R"({"a":truee})",
                            R"({"a":01})",
                            R"({"a":[1,]})",
                            R"({"a":[1 2]})",
                            R"({"a":"\x"})",
                            R"({"a":"b)",
                            R"({"a":12"b"})",
                            R"({"a":"b"c})",
                            R"({"a":"b""c"})",
                            R"({"a"b":1})",
                            R"({"a":1}})",
                            R"({"a":'b'})",
                            R"({1:2})",
                            R"({"a":\"b"})"}) {
    EXPECT_FALSE(is_json_object(other)) << other;
  }
  EXPECT_FALSE(is_json_object("{\"a\":\"\x01\"}"));
  EXPECT_FALSE(is_json_object("{\"a\":\"\xff\"}"));
  EXPECT_FALSE(is_json_object("{\"a\":\"\xed\xa0\x80\"}"));
  EXPECT_FALSE(is_json_object(std::string_view("{\"a\":1}\0", 8)));
  EXPECT_FALSE(is_json_object(std::string_view("{\"a\":\0}", 7)));
}

TEST(IsJsonObject, RefusesWhatIsNestedTooDeep) {
  const auto nested = [](std::size_t depth) {
    return R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(is_json_object(nested(json_depth_max - 1)));
  EXPECT_FALSE(is_json_object(nested(json_depth_max)));
  EXPECT_FALSE(is_json_object(nested(100'000)));
}

// The structural index must not depend on what stands behind the text.
TEST(IsJsonObject, LooksAtNothingBeyondTheText) {
  const std::string text = R"({"a":"b"}"}]xyz)";
  EXPECT_TRUE(is_json_object(std::string_view(text).substr(0, 9)));
  EXPECT_FALSE(is_json_object(std::string_view(text).substr(0, 10)));
  // Every length around the vector width, exactly allocated, so that a sanitizer sees any overrun.
  for (std::size_t size = 8; size < 200; ++size) {
    const std::string exact = R"({"a":")" + std::string(size - 8, 'x') + R"("})";
    const std::unique_ptr<char[]> copy(new char[exact.size()]);
    exact.copy(copy.get(), exact.size());
    EXPECT_TRUE(is_json_object({copy.get(), exact.size()})) << size;
    EXPECT_FALSE(is_json_object({copy.get(), exact.size() - 1})) << size;
  }
}

TEST(JsonCursor, ValuesAreTakenWithTheirExactBytes) {
  const std::string text = R"({ "a" : { "b" : [ 1 , 2 ] }  , "c" :  -1.5  })";
  JsonIndex index;
  ASSERT_EQ(index.build(text), nullptr);
  JsonCursor at(text, index.positions());
  std::string_view key;
  std::string_view value;
  ASSERT_TRUE(at.take('{'));
  ASSERT_TRUE(at.take_string(key) && at.take(':') && at.take_value(value));
  EXPECT_EQ(key, "a");
  EXPECT_EQ(value, R"({ "b" : [ 1 , 2 ] })");
  ASSERT_TRUE(at.take(',') && at.take_string(key) && at.take(':') && at.take_value(value));
  EXPECT_EQ(value, "-1.5");
  ASSERT_TRUE(at.take('}'));
  EXPECT_TRUE(at.at_end());
}

}  // namespace
}  // namespace docket::ingest
