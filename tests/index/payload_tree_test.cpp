#include "index/payload_tree.hpp"

#include <gtest/gtest.h>

#include <string>

namespace docket::index {
namespace {

TEST(PayloadTree, ValuesKeepTheirExactText) {
  PayloadTree tree;
  ASSERT_TRUE(tree.read(R"( {"a": 1.10, "b" :12345678901234567890123 ,"c":"x\u00e9\"",)"
                        R"("d":[ 1, {"e":null } ],"f":{ }} )"));
  const auto raw = [&](std::string_view key) {
    const PayloadNode* node = tree.member(tree.root(), key);
    return node != nullptr ? std::string(node->raw) : "none";
  };
  EXPECT_EQ(raw("a"), "1.10");
  EXPECT_EQ(raw("b"), "12345678901234567890123");
  EXPECT_EQ(raw("c"), R"("x\u00e9\"")");
  EXPECT_EQ(tree.member(tree.root(), "c")->text, "xé\"");
  EXPECT_EQ(raw("d"), R"([ 1, {"e":null } ])");
  EXPECT_EQ(raw("f"), "{ }");
  EXPECT_EQ(raw("g"), "none");
  const PayloadNode& list = *tree.member(tree.root(), "d");
  ASSERT_EQ(list.children, 2U);
  const PayloadNode& element = tree.node(tree.node(tree.number_of(list) + 1).end);
  EXPECT_EQ(element.raw, R"({"e":null })");
  EXPECT_EQ(tree.member(element, "e")->kind, PayloadNode::Kind::other);
}

TEST(PayloadTree, KeysAreUnescaped) {
  PayloadTree tree;
  ASSERT_TRUE(tree.read(R"({"\u0061\"":1})"));
  EXPECT_NE(tree.member(tree.root(), "a\""), nullptr);
}

// They are valid by the grammar, and let in: senders cut strings anywhere.
TEST(PayloadTree, HalfOfASurrogatePairIsKeptInTheRawTextAndAReplacementInTheOther) {
  PayloadTree tree;
  ASSERT_TRUE(tree.read(R"({"a\udc00":"x\ud83d","b":"\ud83d\ude00"})"));
  const PayloadNode* const half = tree.member(tree.root(), "a\uFFFD");
  ASSERT_NE(half, nullptr);
  EXPECT_EQ(half->raw, R"("x\ud83d")");
  EXPECT_EQ(half->text, "x\uFFFD");
  EXPECT_EQ(tree.member(tree.root(), "b")->text, "\U0001F600");
}

TEST(PayloadTree, WhatIsNoJsonObjectIsRefused) {
  PayloadTree tree;
  for (const std::string_view text :
       {"", " ", "1", "[1]", "\"a\"", "null", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}",
        "{\"a\":[1}", "{\"a\":1}}", "{\"a\":1} x", "{a:1}", "{\"a\":\"b}"}) {
    EXPECT_FALSE(tree.read(text)) << text;
  }
  EXPECT_TRUE(tree.read("{}")) << "after failures";
}

TEST(PayloadTree, DeepNestingIsRefusedWithoutHarm) {
  PayloadTree tree;
  const auto nested = [](std::size_t depth) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) {
      text += "{\"a\":";
    }
    return text + "1" + std::string(depth, '}');
  };
  for (std::size_t depth = 1; depth < 1100; depth += depth < 500 ? 50 : 1) {
    EXPECT_EQ(tree.read(nested(depth)), depth <= 512) << depth;
  }
  EXPECT_FALSE(tree.read(nested(100'000)));
}

}  // namespace
}  // namespace docket::index
