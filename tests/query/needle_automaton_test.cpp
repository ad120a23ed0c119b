#include "query/needle_automaton.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace docket::query {
namespace {

std::vector<Needle> needles_of(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

std::vector<FoundText> found_by(const ByteAutomaton& automaton, std::string_view text) {
  std::vector<FoundText> found;
  std::uint8_t state = 0;
  for (std::uint32_t i = 0; i < text.size(); ++i) {
    state = automaton.next[state][static_cast<std::uint8_t>(text[i])];
    if (const std::uint32_t bytes = automaton.found_bytes[state]; bytes != 0) {
      found.push_back({i + 1 - bytes, i + 1});
    }
  }
  return found;
}

// At each end the shortest of the needles.
std::vector<FoundText> found_by_looking(const std::vector<Needle>& needles, std::string_view text) {
  std::vector<FoundText> found;
  for (std::uint32_t end = 1; end <= text.size(); ++end) {
    for (std::uint32_t size = 1; size <= end; ++size) {
      const std::string_view part = text.substr(end - size, size);
      if (std::any_of(needles.begin(), needles.end(), [&](const Needle& needle) {
            return needle.size() == size && needle.in(part);
          })) {
        found.push_back({end - size, end});
        break;
      }
    }
  }
  return found;
}

TEST(NeedleAutomaton, FindsWhatALookAtEachPlaceFinds) {
  const std::vector<std::vector<std::string>> all = {
      {"a"},        {"ab"},         {"aab"},         {"abab", "ba"}, {"aabaab", "aba"},
      {"b-", "-b"}, {"ABBA", "bb"}, {"aaaa", "aaa"}, {"ba", "ba"},   {"abcabd", "bcab", "c"}};
  std::mt19937_64 random(3);
  std::size_t count = 0;
  for (int turn = 0; turn < 3000; ++turn) {
    std::string text(random() % 60, ' ');
    for (char& c : text) {
      c = "aabbABcd-\xc3"[random() % 10];
    }
    const auto needles = needles_of(all[random() % all.size()]);
    const auto automaton = needle_automaton(needles);
    ASSERT_NE(automaton, nullptr);
    const auto found = found_by(*automaton, text);
    ASSERT_EQ(found, found_by_looking(needles, text)) << text << " turn " << turn;
    count += found.size();
  }
  EXPECT_GT(count, 5000U);
}

TEST(NeedleAutomaton, MarksWhereAnEscapeMayStand) {
  EXPECT_EQ(needle_automaton(needles_of({"ab"}))->mark, '\\');
}

TEST(NeedleAutomaton, WhatIsNotFoundByItsBytesHasNone) {
  EXPECT_EQ(needle_automaton({}), nullptr);
  EXPECT_EQ(needle_automaton(needles_of({""})), nullptr);
  EXPECT_EQ(needle_automaton(needles_of({"abc", ""})), nullptr);
  EXPECT_EQ(needle_automaton(needles_of({"caf\xc3\xa9"})), nullptr);
}

TEST(NeedleAutomaton, NeedlesThatAreTooLongTogetherHaveNone) {
  const std::string most(ByteAutomaton::states_max - 1, 'x');
  const auto automaton = needle_automaton(needles_of({most}));
  ASSERT_NE(automaton, nullptr);
  const auto size = static_cast<std::uint32_t>(most.size());
  EXPECT_EQ(found_by(*automaton, "x" + most), (std::vector<FoundText>{{0, size}, {1, size + 1}}));
  EXPECT_NE(needle_automaton(needles_of({most, most})), nullptr);
  EXPECT_EQ(needle_automaton(needles_of({most, "y"})), nullptr);
  EXPECT_EQ(needle_automaton(needles_of({most + "x"})), nullptr);
}

}  // namespace
}  // namespace docket::query
