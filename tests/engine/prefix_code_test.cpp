#include "engine/prefix_code.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

namespace docket {
namespace {

std::vector<std::byte> with_padding(std::vector<std::byte> bytes) {
  bytes.resize(bytes.size() + bit_source_padding, std::byte{0xff});
  return bytes;
}

BitSource source_of(const std::vector<std::byte>& padded) {
  return BitSource(std::span(padded).first(padded.size() - bit_source_padding));
}

TEST(BitStream, ReadsBackWhatWasPut) {
  std::mt19937_64 random(1);
  std::vector<std::pair<std::uint64_t, std::uint32_t>> numbers;
  std::vector<std::byte> bytes;
  BitSink sink(bytes);
  for (int i = 0; i < 2000; ++i) {
    const auto bits = static_cast<std::uint32_t>(random() % 57);
    numbers.emplace_back(random() & ((std::uint64_t{1} << bits) - 1), bits);
    sink.put(numbers.back().first, bits);
  }
  sink.finish();
  const auto padded = with_padding(bytes);
  BitSource source = source_of(padded);
  for (const auto& [value, bits] : numbers) {
    ASSERT_EQ(source.get(bits), value);
  }
  EXPECT_TRUE(source.is_at_end());
}

TEST(BitStream, EndsWithItsBytesAndIsNotOkBehindThem) {
  const auto padded = with_padding({std::byte{0x05}});
  BitSource source = source_of(padded);
  EXPECT_FALSE(source.is_at_end());
  EXPECT_EQ(source.get(3), 5U);
  EXPECT_TRUE(source.is_at_end()) << "only zeros are left";
  static_cast<void>(source.get(5));
  EXPECT_TRUE(source.ok());
  EXPECT_EQ(source.get(1), 0U) << "and not the padding";
  EXPECT_FALSE(source.ok());
  EXPECT_FALSE(source.is_at_end());

  const auto dirty = with_padding({std::byte{0x80}});
  BitSource rest = source_of(dirty);
  rest.skip(3);
  EXPECT_FALSE(rest.is_at_end()) << "a bit is set behind the last number";
}

TEST(PrefixCode, EverySymbolReadsBackInNearlyAsFewBitsAsItsShareSays) {
  std::mt19937_64 random(2);
  for (const std::size_t symbols : {2, 3, 17, 300, 4096}) {
    std::vector<std::uint64_t> counts(symbols);
    for (std::size_t i = 0; i < symbols; ++i) {
      counts[i] = i % 5 == 4 ? 0 : 1 + 100'000 / (i + 1);
    }
    const auto lengths = prefix_code_lengths(counts, prefix_bits_max);
    const auto decoder = PrefixDecoder::make(lengths);
    ASSERT_TRUE(decoder) << symbols;
    const PrefixEncoder encoder(lengths);
    std::vector<std::byte> bytes;
    BitSink sink(bytes);
    double bits = 0;
    double best = 0;
    const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), 0ULL));
    for (std::uint32_t i = 0; i < symbols; ++i) {
      ASSERT_EQ(lengths[i] == 0, counts[i] == 0);
      if (counts[i] != 0) {
        encoder.put(i, sink);
        bits += static_cast<double>(counts[i]) * lengths[i];
        best += static_cast<double>(counts[i]) * std::log2(total / static_cast<double>(counts[i]));
      }
    }
    sink.finish();
    EXPECT_LE(bits, best * 1.05 + total * 0.2) << symbols;
    const auto padded = with_padding(bytes);
    BitSource source = source_of(padded);
    for (std::uint32_t i = 0; i < symbols; ++i) {
      if (counts[i] != 0) {
        const auto step = decoder->step(source.peek());
        ASSERT_EQ(step.symbol, i);
        ASSERT_EQ(step.bits, lengths[i]);
        source.skip(step.bits);
      }
    }
    EXPECT_TRUE(source.is_at_end());
  }
}

TEST(PrefixCode, NoCodeIsLongerThanAskedHoweverSkewedTheCounts) {
  std::vector<std::uint64_t> counts;
  std::uint64_t a = 1;
  std::uint64_t b = 1;
  for (int i = 0; i < 60; ++i) {  // Fibonacci's numbers make the deepest tree
    counts.push_back(a);
    b += std::exchange(a, b);
  }
  for (const std::uint32_t bits_max : {6U, 11U, prefix_bits_max}) {
    const auto lengths = prefix_code_lengths(counts, bits_max);
    EXPECT_LE(*std::max_element(lengths.begin(), lengths.end()), bits_max);
    EXPECT_TRUE(PrefixDecoder::make(lengths));
  }
}

TEST(PrefixCode, OneSymbolTakesOneBitAndTheOtherBitIsNoCode) {
  const std::vector<std::uint64_t> counts = {0, 7, 0};
  const auto lengths = prefix_code_lengths(counts, prefix_bits_max);
  EXPECT_EQ(lengths, (std::vector<std::uint8_t>{0, 1, 0}));
  const auto decoder = PrefixDecoder::make(lengths);
  ASSERT_TRUE(decoder);
  EXPECT_EQ(decoder->step(0).symbol, 1);
  EXPECT_EQ(decoder->step(0).bits, 1);
  EXPECT_EQ(decoder->step(1).bits, 0);
}

TEST(PrefixCode, LengthsThatAreNoCodeAreRefused) {
  const auto refused = [](std::vector<std::uint8_t> lengths) {
    const auto made = PrefixDecoder::make(lengths);
    return !made && made.error().code == ErrorCode::corrupt;
  };
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused({0, 0}));
  EXPECT_TRUE(refused({1, 1, 1})) << "too many";
  EXPECT_TRUE(refused({1, 2})) << "too few";
  EXPECT_TRUE(refused({2})) << "a single one, of two bits";
  EXPECT_TRUE(refused({1, 15, 15})) << "too long";
  EXPECT_FALSE(refused({1, 1}));
  EXPECT_EQ(PrefixDecoder().step(0).bits, 0) << "no code at all has no symbol";
}

}  // namespace
}  // namespace docket
