#include "engine/token_scan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "engine/token_training.hpp"
#include "tests/support/string_list.hpp"

namespace docket {
namespace {

// Finds "new" and "ewe", and marks '#'.
std::shared_ptr<const ByteAutomaton> new_or_ewe() {
  auto automaton = std::make_shared<ByteAutomaton>();
  automaton->mark = '#';
  // What was read last: nothing of them, n, ne, new, e, ew, ewe.
  const std::vector<std::string> states = {"", "n", "ne", "new", "e", "ew", "ewe"};
  automaton->next.resize(states.size());
  automaton->found_bytes = {0, 0, 0, 3, 0, 0, 3};
  for (std::size_t state = 0; state < states.size(); ++state) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::string read = states[state] + static_cast<char>(byte);
      std::size_t longest = 0;
      for (std::size_t to = 1; to < states.size(); ++to) {
        if (read.ends_with(states[to]) && states[to].size() > states[longest].size()) {
          longest = to;
        }
      }
      automaton->next[state][byte] = static_cast<std::uint8_t>(longest);
    }
  }
  return automaton;
}

std::vector<FoundText> found_by_looking(std::string_view text) {
  std::vector<FoundText> found;
  for (std::uint32_t end = 3; end <= text.size(); ++end) {
    const std::string_view part = text.substr(end - 3, 3);
    if (part == "new" || part == "ewe") {
      found.push_back({end - 3, end});
    }
  }
  return found;
}

// Streams of a table that was learnt from them.
class Streams {
 public:
  explicit Streams(std::vector<std::string> texts) : texts_(std::move(texts)) {
    const Tokens tokens = train_tokens(std::vector<std::string_view>(texts_.begin(), texts_.end()));
    auto table =
        TokenTable::make(testing::list_of(tokens.texts), tokens.lengths, tokens.shared_lengths);
    EXPECT_TRUE(table) << table.error().message;
    table_ = std::make_shared<const TokenTable>(std::move(*table));
    const TokenEncoder encoder(tokens);
    for (const std::string& text : texts_) {
      std::vector<std::byte>& stored = stored_.emplace_back();
      encoder.encode(text, stored);
      sizes_.push_back(stored.size());
      stored.resize(stored.size() + bit_source_padding, std::byte{0xff});
    }
  }
  [[nodiscard]] ScannedStream stream(std::size_t i) const {
    return {std::span(stored_[i]).first(sizes_[i]), static_cast<std::uint32_t>(texts_[i].size())};
  }
  [[nodiscard]] const std::string& text(std::size_t i) const { return texts_[i]; }
  [[nodiscard]] std::size_t size() const { return texts_.size(); }
  [[nodiscard]] const std::shared_ptr<const TokenTable>& table() const { return table_; }

 private:
  std::vector<std::string> texts_;
  std::vector<std::vector<std::byte>> stored_;
  std::vector<std::size_t> sizes_;
  std::shared_ptr<const TokenTable> table_;
};

std::string text_of(std::mt19937_64& random, std::size_t bytes) {
  static const std::vector<std::string> parts = {"{\"changes\":[{\"field\":\"name\",",
                                                 "\"old\":\"",
                                                 "neutral",
                                                 "ewer",
                                                 "e",
                                                 "w",
                                                 "n",
                                                 "renewed ",
                                                 "knew",
                                                 "hourly",
                                                 "xyz",
                                                 "\"}]}"};
  std::string text;
  while (text.size() < bytes) {
    text += parts[random() % (random() % 8 == 0 ? parts.size() : 3)];
  }
  text.resize(bytes);
  return text;
}

TEST(TokenScan, FindsWhatStandsInTheTextsOfAnyStreams) {
  std::mt19937_64 random(5);
  std::vector<std::string> texts;
  for (const std::size_t bytes :
       {65'536U, 65'000U, 64'000U, 65'530U, 300U, 256U, 255U, 1U, 9000U, 20'000U, 64U, 40'000U}) {
    texts.push_back(text_of(random, bytes));
  }
  const Streams streams(texts);
  const auto automaton = new_or_ewe();
  TokenScan scan;
  std::size_t found = 0;
  for (int turn = 0; turn < 200; ++turn) {
    std::vector<std::size_t> which(random() % TokenScan::streams_max + 1);
    std::vector<ScannedStream> some;
    for (std::size_t& i : which) {
      i = random() % streams.size();
      some.push_back(streams.stream(i));
    }
    scan.start(some.size());
    scan.scan(some, streams.table(), automaton);
    for (std::size_t i = 0; i < which.size(); ++i) {
      const std::string& text = streams.text(which[i]);
      ASSERT_TRUE(scan.text(i).is_complete) << which[i];
      ASSERT_EQ(scan.text(i).found, found_by_looking(text)) << which[i];
      found += scan.text(i).found.size();
    }
  }
  EXPECT_GT(found, 10'000U);
}

TEST(TokenScan, MarksAreNamedAndAnyPartOfATextCanBeRead) {
  std::mt19937_64 random(6);
  std::vector<std::string> texts(4);
  std::vector<std::vector<std::uint32_t>> marks(4);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    texts[i] = text_of(random, 9000 + i * 1000);
    for (const std::uint32_t at : {0U, 1U, 300U, 8000U, 8990U, 8999U}) {
      if (random() % 2 == 0) {
        texts[i][at] = '#';
        marks[i].push_back(at);
      }
    }
  }
  const Streams streams(texts);
  TokenScan scan;
  scan.start(4);
  scan.scan(std::vector{streams.stream(0), streams.stream(1), streams.stream(2), streams.stream(3)},
            streams.table(), new_or_ewe());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    ASSERT_TRUE(scan.text(i).is_complete) << i;
    EXPECT_EQ(scan.text(i).found, found_by_looking(texts[i])) << i;
    EXPECT_EQ(scan.text(i).marks, marks[i]) << i;
    for (int turn = 0; turn < 2000; ++turn) {
      const auto begin = static_cast<std::uint32_t>(random() % (texts[i].size() + 1));
      const auto end = begin + static_cast<std::uint32_t>(random() % (texts[i].size() - begin + 1));
      ASSERT_EQ(scan.read(i, begin, end), texts[i].substr(begin, end - begin)) << begin;
    }
  }
}

TEST(TokenScan, OneThatEndsEarlyLeavesTheOthersToGoOn) {
  std::mt19937_64 random(6);
  for (const std::size_t at : {0U, 300U, 8000U, 19'900U}) {
    std::vector<std::string> texts(4);
    for (std::string& text : texts) {
      text = text_of(random, 20'000);
    }
    texts[1].replace(at, 50, 50, '#');
    texts[2].replace(at / 2, 50, 50, '#');
    const Streams streams(texts);
    TokenScan scan;
    scan.start(4);
    scan.scan(
        std::vector{streams.stream(0), streams.stream(1), streams.stream(2), streams.stream(3)},
        streams.table(), new_or_ewe());
    EXPECT_FALSE(scan.text(1).is_complete) << at;
    EXPECT_FALSE(scan.text(2).is_complete) << at;
    for (const std::size_t whole : {0U, 3U}) {
      EXPECT_TRUE(scan.text(whole).is_complete) << at;
      EXPECT_EQ(scan.text(whole).found, found_by_looking(texts[whole])) << at;
    }
  }
}

TEST(TokenScan, AnotherTableOrAutomatonIsLearntAnew) {
  std::mt19937_64 random(8);
  const Streams streams({text_of(random, 5000)});
  const Streams others({text_of(random, 7000) + std::string(500, 'q')});
  auto only_new = std::make_shared<ByteAutomaton>(*new_or_ewe());
  only_new->found_bytes[6] = 0;
  TokenScan scan;
  for (const Streams* each : {&streams, &others, &streams}) {
    for (const auto& automaton : {new_or_ewe(), std::shared_ptr<const ByteAutomaton>(only_new)}) {
      auto expected = found_by_looking(each->text(0));
      if (automaton == only_new) {
        std::erase_if(expected,
                      [&](const FoundText& found) { return each->text(0)[found.begin] != 'n'; });
      }
      scan.start(1);
      scan.scan(std::vector{each->stream(0)}, each->table(), automaton);
      EXPECT_TRUE(scan.text(0).is_complete);
      EXPECT_EQ(scan.text(0).found, expected);
    }
  }
}

TEST(TokenScan, WhatHasTooMuchOrNoStreamIsNotComplete) {
  std::string often;
  while (often.size() < 10'000) {
    often += "new ";
  }
  const Streams streams({often, "nothing"});
  ScannedStream absent = streams.stream(1);
  absent.raw_bytes = 0;
  TokenScan scan;
  scan.start(3);
  scan.scan(std::vector{streams.stream(0), absent, streams.stream(1)}, streams.table(),
            new_or_ewe());
  EXPECT_FALSE(scan.text(0).is_complete);
  EXPECT_FALSE(scan.text(1).is_complete);
  EXPECT_TRUE(scan.text(2).is_complete);
  scan.start(3);
  EXPECT_FALSE(scan.text(2).is_complete);
}

// As decoding refuses them: cut short, longer, with a bit that is another, or with other lengths.
TEST(TokenScan, StreamsThatCannotBeDecodedAreNeverComplete) {
  std::mt19937_64 random(9);
  const Streams streams({text_of(random, 6000)});
  const ScannedStream whole = streams.stream(0);
  const auto automaton = new_or_ewe();
  TokenScan scan;
  std::size_t refused = 0;
  for (int turn = 0; turn < 3000; ++turn) {
    std::vector<std::byte> stored(whole.stored.begin(), whole.stored.end());
    ScannedStream damaged{{}, whole.raw_bytes};
    switch (random() % 3) {
      case 0:
        stored.resize(random() % stored.size());
        break;
      case 1:
        stored[random() % stored.size()] ^= static_cast<std::byte>(1U << (random() % 8));
        break;
      default:
        damaged.raw_bytes = static_cast<std::uint32_t>(1 + random() % 9000);
    }
    const std::size_t bytes = stored.size();
    stored.resize(bytes + bit_source_padding, std::byte{0xff});
    damaged.stored = std::span(stored).first(bytes);
    std::vector<std::byte> raw(damaged.raw_bytes);
    const bool is_decoded = streams.table()->decode(damaged.stored, raw).has_value();
    scan.start(1);
    scan.scan(std::span(&damaged, 1), streams.table(), automaton);
    if (scan.text(0).is_complete) {
      ASSERT_TRUE(is_decoded) << turn;
      const std::string_view text(reinterpret_cast<const char*>(raw.data()), raw.size());
      ASSERT_EQ(scan.text(0).found, found_by_looking(text)) << turn;
    }
    refused += is_decoded ? 0U : 1U;
  }
  EXPECT_GT(refused, 1000U);
}

}  // namespace
}  // namespace docket
