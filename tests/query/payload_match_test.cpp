#include "query/payload_match.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace docket::query {
namespace {

std::vector<Match> matches_of(const std::vector<std::string>& texts) {
  std::vector<Match> matches;
  for (const std::string& text : texts) {
    matches.emplace_back().text = text;
  }
  return matches;
}

struct Payloads {
  std::vector<std::uint32_t> starts;
  std::string text;

  explicit Payloads(const std::vector<std::string>& payloads) {
    std::uint32_t at = 1000;  // A run begins anywhere in its block.
    for (const std::string& payload : payloads) {
      starts.push_back(at);
      at += static_cast<std::uint32_t>(payload.size());
      text += payload;
    }
    starts.push_back(at);
  }
  [[nodiscard]] PayloadRun view() const { return PayloadRun{starts, text}; }
};

std::vector<std::uint32_t> kept(const PayloadMatcher& matcher, const Payloads& run,
                                std::vector<std::uint32_t> wanted) {
  DiffReader diffs;
  matcher.keep_matches(run.view(), diffs, wanted);
  return wanted;
}

using Rows = std::vector<std::uint32_t>;

TEST(PayloadMatch, WhatStandsAcrossTwoPayloadsIsInNeither) {
  const Payloads run({"{\"a\":\"new", "letter\"}", "", "\"newsletter\"", "NEWSLETTER"});
  EXPECT_EQ(kept({Field::payload, matches_of({"newsletter"})}, run, {0, 1, 2, 3, 4}), (Rows{3, 4}));
  EXPECT_EQ(kept({Field::payload, matches_of({"wlet"})}, run, {0, 1, 2, 3, 4}), Rows{});
}

TEST(PayloadMatch, OnlyWantedPayloadsThatAreThereMatch) {
  const Payloads run({"one", "", "one", "one one"});
  EXPECT_EQ(kept({Field::payload, matches_of({"one"})}, run, {1, 2}), Rows{2});
  EXPECT_EQ(kept({Field::payload, matches_of({""})}, run, {0, 1, 2, 3}), (Rows{0, 2, 3}));
  EXPECT_EQ(kept({Field::payload, matches_of({"one"})}, run, {}), Rows{});
}

// Texts that overlap, are cut by the ends of payloads, and stand behind escapes or in other case.
TEST(PayloadMatch, ManyAtOnceMatchAsOneByOne) {
  const std::vector<std::string> parts = {"ab",       "abab", "a",   "\"",  "\\u00e9", "É",
                                          "\\u0061b", "é",    "\\n", "x y", "ßtraße",  ""};
  const std::vector<std::vector<std::string>> needles = {
      {"ab"},       {"aba"}, {"É"},   {"éab", "x"}, {"\"a"}, {"é\""},
      {"aé", "ba"}, {"SSE"}, {"\\n"}, {"u00"},      {"ßT"},  {"", "q"}};
  std::mt19937_64 random(11);
  std::size_t found = 0;
  for (int turn = 0; turn < 2000; ++turn) {
    std::vector<std::string> payloads(random() % 40 + 1);
    std::vector<std::uint32_t> wanted;
    const std::uint64_t every = random() % 12 + 1;
    for (std::size_t i = 0; i < payloads.size(); ++i) {
      for (std::uint64_t n = random() % 6; n > 0; --n) {
        payloads[i] += parts[random() % parts.size()];
      }
      if (random() % every == 0) {
        wanted.push_back(static_cast<std::uint32_t>(i));
      }
    }
    const auto& looked_for = needles[random() % needles.size()];
    const PayloadMatcher matcher(Field::payload, matches_of(looked_for));
    std::vector<std::uint32_t> expected;
    DiffReader diffs;
    for (const std::uint32_t row : wanted) {
      if (!payloads[row].empty() && matcher.matches(payloads[row], diffs)) {
        expected.push_back(row);
      }
    }
    found += expected.size();
    ASSERT_EQ(kept(matcher, Payloads(payloads), wanted), expected)
        << looked_for[0] << " turn " << turn;
  }
  EXPECT_GT(found, 1000U);
}

TEST(PayloadMatch, WhatWasFoundIsInThePayloadThatHoldsAllOfIt) {
  const Payloads run({"abc", "", "defg", "", "", "h"});
  PayloadPlaces places(run.starts);
  EXPECT_EQ(places.of({0, 1}), 0U);
  EXPECT_EQ(places.of({0, 3}), 0U);
  EXPECT_EQ(places.of({2, 4}), std::nullopt);
  EXPECT_EQ(places.of({3, 7}), 2U);
  EXPECT_EQ(places.of({4, 7}), 2U);
  EXPECT_EQ(places.of({6, 8}), std::nullopt);
  EXPECT_EQ(places.of({0, 8}), std::nullopt);
  EXPECT_EQ(places.of({7, 8}), 5U);
}

}  // namespace
}  // namespace docket::query
