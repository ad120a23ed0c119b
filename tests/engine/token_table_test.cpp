#include "engine/token_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/bytes.hpp"
#include "engine/token_training.hpp"
#include "tests/support/string_list.hpp"

namespace docket {
namespace {

using testing::list_of;

Result<TokenTable> table_of(const Tokens& tokens) {
  return TokenTable::make(list_of(tokens.texts), tokens.lengths, tokens.shared_lengths);
}

// Every byte, and what is given.
Tokens tokens_with(std::vector<std::string> more, bool has_end = false) {
  Tokens tokens;
  tokens.texts = std::move(more);
  tokens.texts.emplace_back();
  for (int byte = 0; byte < 256; ++byte) {
    tokens.texts.emplace_back(1, static_cast<char>(byte));
  }
  std::sort(tokens.texts.begin(), tokens.texts.end());
  std::vector<std::uint64_t> counts(tokens.texts.size(), 1);
  counts[0] = has_end ? 1 : 0;
  tokens.lengths = prefix_code_lengths(counts, prefix_bits_max);
  return tokens;
}

std::vector<std::byte> padded(std::vector<std::byte> bytes) {
  bytes.resize(bytes.size() + bit_source_padding, std::byte{0xff});
  return bytes;
}

std::string decoded(const TokenTable& table, const std::vector<std::byte>& stored,
                    std::size_t bytes) {
  const auto with_padding = padded(stored);
  std::vector<std::byte> raw(bytes);
  const auto done = table.decode(std::span(with_padding).first(stored.size()), raw);
  return done ? std::string(as_text(raw)) : "refused: " + done.error().message;
}

Result<std::vector<std::string>> decoded_strings(const TokenTable& table,
                                                 const std::vector<std::byte>& stored,
                                                 std::uint32_t items) {
  const auto with_padding = padded(stored);
  DOCKET_ASSIGN(const StringList list,
                table.decode_strings(std::span(with_padding).first(stored.size()), items));
  std::vector<std::string> strings;
  for (std::uint32_t i = 0; i < list.size(); ++i) {
    strings.emplace_back(list[i]);
  }
  return strings;
}

TEST(TokenTable, TextsReadBackWhateverTheirBytes) {
  const Tokens tokens =
      tokens_with({"{\"changes\":[", "\"old\":", "ab", "abc", "abcabcabcabcabcab"});
  const TokenEncoder encoder(tokens);
  const auto table = table_of(tokens);
  ASSERT_TRUE(table) << table.error().message;
  std::mt19937_64 random(1);
  for (int i = 0; i < 300; ++i) {
    std::string text;
    while (text.size() < static_cast<std::size_t>(i)) {
      text += random() % 2 == 0 ? tokens.texts[random() % tokens.texts.size()]
                                : std::string(1, static_cast<char>(random()));
    }
    std::vector<std::byte> stored;
    encoder.encode(text, stored);
    ASSERT_EQ(decoded(*table, stored, text.size()), text);
  }
}

TEST(TokenTable, StreamsSideBySideAreWhatEachIsAlone) {
  const std::string longest(limits::token_bytes_max, 'x');
  const Tokens tokens = tokens_with({"{\"changes\":[", "\"old\":", "ab", "abc", longest});
  const TokenEncoder encoder(tokens);
  const auto table = table_of(tokens);
  ASSERT_TRUE(table) << table.error().message;
  std::mt19937_64 random(1);
  std::vector<std::string> texts;
  std::vector<std::vector<std::byte>> stored;
  for (const std::size_t size : {3U, 9000U, 20'000U, 0U, 700U, 30'000U, 8000U, 255U, 257U, 5000U}) {
    std::string& text = texts.emplace_back();
    while (text.size() < size) {
      text += random() % 2 == 0 ? tokens.texts[random() % tokens.texts.size()]
                                : std::string(1, static_cast<char>(random()));
    }
    stored.emplace_back();
    encoder.encode(text, stored.back());
  }
  for (std::size_t count = 1; count <= texts.size(); ++count) {
    std::vector<std::vector<std::byte>> bytes;
    std::vector<std::vector<std::byte>> raw;
    std::vector<TokenStream> streams;
    for (std::size_t i = 0; i < count; ++i) {
      bytes.push_back(padded(stored[i]));
      raw.emplace_back(texts[i].size());
      streams.push_back(TokenStream{std::span(bytes[i]).first(stored[i].size()), raw[i]});
    }
    ASSERT_TRUE(table->decode(streams)) << count;
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(as_text(raw[i]), texts[i]) << count;
    }
    // Whichever of them is cut short, they are refused.
    for (TokenStream& stream : streams) {
      const TokenStream whole = stream;
      stream.stored = stream.stored.first(stream.stored.size() / 2);
      EXPECT_EQ(table->decode(streams).has_value(), whole.raw.empty());
      stream = whole;
    }
  }
}

TEST(TokenTable, TheLongestTokenIsTaken) {
  const std::vector<std::string> texts = tokens_with({"ab", "abcd"}).texts;
  const TokenTrie trie(texts);
  EXPECT_EQ(texts[trie.longest("abcd")], "abcd");
  EXPECT_EQ(texts[trie.longest("abcx")], "ab");
  EXPECT_EQ(texts[trie.longest("a")], "a");
  EXPECT_EQ(texts[trie.longest(std::string_view("\0", 1))], std::string(1, '\0'));
  EXPECT_EQ(texts[trie.longest("\xff")], "\xff");
}

// Tokens of a small alphabet, so that many begin alike, and texts that follow them for a while.
TEST(TokenTable, TheLongestTokenIsThatOfALookAtEachOfThem) {
  std::mt19937_64 random(7);
  const auto text_of = [&random](std::size_t size) {
    std::string text;
    while (text.size() < size) {
      text += "ab\0\xff"[random() % 4];
    }
    return text;
  };
  for (int round = 0; round < 50; ++round) {
    std::vector<std::string> more;
    for (int i = 0; i < 40; ++i) {
      more.push_back(text_of(2 + random() % 4));
      more.push_back(more.back() + text_of(random() % 59));
      more.push_back(more.back().substr(0, 2 + random() % (more.back().size() - 1)));
    }
    std::sort(more.begin(), more.end());
    more.erase(std::unique(more.begin(), more.end()), more.end());
    const std::vector<std::string> texts = tokens_with(more).texts;
    const TokenTrie trie(texts);
    for (int i = 0; i < 400; ++i) {
      const std::string& token = texts[1 + random() % (texts.size() - 1)];
      // Where it ends, nothing that may be read stands behind it.
      std::string text = token.substr(0, 1 + random() % token.size()) + text_of(random() % 12);
      text.shrink_to_fit();
      std::size_t longest = 0;
      for (std::size_t t = 1; t < texts.size(); ++t) {
        if (text.starts_with(texts[t]) &&
            (longest == 0 || texts[t].size() > texts[longest].size())) {
          longest = t;
        }
      }
      ASSERT_EQ(trie.longest(text), longest) << round << ", " << i;
    }
  }
}

TEST(TokenTable, StreamsThatAreNotOfTheirTextAreRefused) {
  const Tokens tokens = tokens_with({"newsletter"});
  const TokenEncoder encoder(tokens);
  const auto table = table_of(tokens);
  std::vector<std::byte> stored;
  encoder.encode("a newsletter", stored);
  EXPECT_EQ(decoded(*table, stored, 12), "a newsletter");
  EXPECT_TRUE(decoded(*table, stored, 11).starts_with("refused")) << "a token too long";
  EXPECT_TRUE(decoded(*table, stored, 2).starts_with("refused")) << "goes on";
  EXPECT_TRUE(decoded(*table, stored, 40).starts_with("refused")) << "too short";
  EXPECT_TRUE(decoded(*table, {}, 1).starts_with("refused"));
  EXPECT_EQ(decoded(*table, {}, 0), "");
}

TEST(TokenTable, StringsReadBackWithAndWithoutSharing) {
  std::vector<std::string> strings = {"",
                                      "1000001",
                                      "1000002",
                                      "100001",
                                      "1000010",
                                      std::string(255, 'x'),
                                      std::string(255, 'x'),
                                      "\xff"};
  const std::vector<std::string_view> views(strings.begin(), strings.end());
  for (const bool shares : {false, true}) {
    Tokens tokens = tokens_with({"10", "000"}, true);
    if (shares) {
      // No code for 5: less is said to be shared then.
      std::vector<std::uint64_t> counts(256, 1);
      counts[5] = 0;
      tokens.shared_lengths = prefix_code_lengths(counts, prefix_bits_max);
    }
    std::vector<std::byte> stored;
    TokenEncoder(tokens).encode_strings(views, stored);
    const auto table = table_of(tokens);
    ASSERT_TRUE(table) << table.error().message;
    const auto again = decoded_strings(*table, stored, 8);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, strings);
    EXPECT_FALSE(decoded_strings(*table, stored, 9));
    EXPECT_FALSE(decoded_strings(*table, stored, 7));
  }
}

TEST(TokenTable, AStringLongerThanAnyFieldIsRefused) {
  const Tokens tokens = tokens_with({std::string(64, 'x')}, true);
  const std::string text(256, 'x');
  const std::vector<std::string_view> views = {text};
  std::vector<std::byte> stored;
  TokenEncoder(tokens).encode_strings(views, stored);
  EXPECT_FALSE(decoded_strings(*table_of(tokens), stored, 1));
}

TEST(TokenTable, TablesThatAreNoneAreRefused) {
  const auto refused = [](const Tokens& tokens) {
    const auto made = table_of(tokens);
    return !made && made.error().code == ErrorCode::corrupt;
  };
  const Tokens good = tokens_with({"ab"});
  EXPECT_FALSE(refused(good));
  Tokens bad = good;
  bad.lengths.pop_back();
  EXPECT_TRUE(refused(bad)) << "a token without a code";
  bad = good;
  bad.lengths[1] = 1;
  EXPECT_TRUE(refused(bad)) << "no prefix code";
  bad = good;
  bad.texts[1].clear();
  EXPECT_TRUE(refused(bad)) << "a second empty token";
  bad = good;
  bad.texts[0] = "x";
  EXPECT_TRUE(refused(bad)) << "the first is not empty";
  EXPECT_TRUE(refused(tokens_with({std::string(65, 'x')}))) << "too long a token";
  bad = good;
  bad.shared_lengths = {1, 1, 1};
  EXPECT_TRUE(refused(bad)) << "no prefix code of what is shared";
  bad.shared_lengths.assign(257, 0);
  bad.shared_lengths[256] = 1;
  EXPECT_TRUE(refused(bad)) << "more shared than a string may have";
}

TEST(TokenTable, ChangedBytesNeverLeaveTheirs) {
  const Tokens tokens = tokens_with({"abc", "bcd", "cde"}, true);
  const auto table = table_of(tokens);
  const std::vector<std::string_view> views = {"abcde", "bcdef", "", "cdea"};
  std::vector<std::byte> strings, text;
  const TokenEncoder encoder(tokens);
  encoder.encode_strings(views, strings);
  encoder.encode("abcdeabcdefffcdeab", text);
  for (auto* stored : {&strings, &text}) {
    for (std::size_t bit = 0; bit < stored->size() * 8; ++bit) {
      (*stored)[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      static_cast<void>(decoded(*table, *stored, 18));
      static_cast<void>(decoded_strings(*table, *stored, 4));
      (*stored)[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    }
  }
}

TEST(TokenTable, SharedBytesAreThoseAtTheBeginning) {
  EXPECT_EQ(shared_bytes("", "a"), 0U);
  EXPECT_EQ(shared_bytes("abc", "abd"), 2U);
  EXPECT_EQ(shared_bytes("abc", "abcd"), 3U);
}

}  // namespace
}  // namespace docket
