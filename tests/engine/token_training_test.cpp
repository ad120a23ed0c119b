#include "engine/token_training.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "engine/bytes.hpp"

namespace docket {
namespace {

std::vector<std::string> payloads(std::size_t count) {
  std::mt19937_64 random(1);
  const std::vector<std::string> words = {"welcome", "spring", "newsletter", "weekly", "digest"};
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    texts.push_back(R"({"changes":[{"field":"subject","old":")" + words[random() % 5] +
                    R"(","new":")" + words[random() % 5] + R"("}]})");
  }
  return texts;
}

std::vector<std::string_view> views_of(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

TEST(TokenTraining, WhatStandsOftenBecomesFewBits) {
  const auto texts = payloads(2000);
  const Tokens tokens = train_tokens(views_of(texts));
  EXPECT_TRUE(std::is_sorted(tokens.texts.begin(), tokens.texts.end()));
  EXPECT_EQ(tokens.texts[0], "");
  EXPECT_EQ(tokens.lengths[0], 0) << "payloads have no ends";
  EXPECT_TRUE(PrefixDecoder::make(tokens.lengths));
  std::vector<std::byte> stored;
  std::size_t raw = 0;
  for (const std::string& text : texts) {
    TokenEncoder(tokens).encode(text, stored);
    raw += text.size();
  }
  EXPECT_LT(stored.size() * 20, raw) << "two words of five in some 70 bytes";
}

TEST(TokenTraining, EveryByteHasACode) {
  for (const auto& texts : {payloads(500), std::vector<std::string>(), {"x"}}) {
    const Tokens tokens = train_tokens(views_of(texts));
    for (int byte = 0; byte < 256; ++byte) {
      const std::string one(1, static_cast<char>(byte));
      const auto found = std::lower_bound(tokens.texts.begin(), tokens.texts.end(), one);
      ASSERT_TRUE(found != tokens.texts.end() && *found == one) << byte;
      EXPECT_NE(tokens.lengths[static_cast<std::size_t>(found - tokens.texts.begin())], 0) << byte;
    }
  }
}

TEST(TokenTraining, TheSameSampleGivesTheSameTokensWithinTheirBounds) {
  std::mt19937_64 random(2);
  std::vector<std::string> texts;
  for (int i = 0; i < 70'000; ++i) {  // some 14 of each of 5,000 words: more than there may be
    texts.push_back("word " + std::to_string(random() % 5000 * 7919));
  }
  const Tokens tokens = train_tokens(views_of(texts));
  EXPECT_EQ(tokens.texts, train_tokens(views_of(texts)).texts);
  EXPECT_LE(tokens.texts.size(), limits::tokens_max);
  EXPECT_GT(tokens.texts.size(), limits::tokens_max / 2) << "or the bound is not met";
  for (const std::string& text : tokens.texts) {
    ASSERT_LE(text.size(), limits::token_bytes_max);
  }
}

TEST(TokenTraining, ListsOfNeighboursShareAndOthersDoNot) {
  std::vector<std::string> numbers, names;
  std::mt19937_64 random(3);
  for (int i = 0; i < 2000; ++i) {
    numbers.push_back(std::to_string(1'000'000 + i * 7));
    names.push_back(std::string(1, static_cast<char>('a' + random() % 26)) + "-name");
  }
  const Tokens sharing = train_list_tokens(views_of(numbers), 256);
  ASSERT_FALSE(sharing.shared_lengths.empty());
  EXPECT_NE(sharing.shared_lengths[0], 0) << "what a page begins with shares nothing";
  EXPECT_NE(sharing.lengths[0], 0) << "a string has an end";
  EXPECT_TRUE(PrefixDecoder::make(sharing.shared_lengths));
  EXPECT_TRUE(train_list_tokens(views_of(names), 256).shared_lengths.empty());
}

}  // namespace
}  // namespace docket
