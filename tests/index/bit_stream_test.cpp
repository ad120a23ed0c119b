#include "index/bit_stream.hpp"

#include <gtest/gtest.h>

#include <random>

namespace docket::index {
namespace {

std::vector<std::byte> padded(std::vector<std::byte> bytes) {
  bytes.resize(bytes.size() + bit_padding);
  return bytes;
}

TEST(BitStream, ReadsWhatWasWritten) {
  std::mt19937_64 random(1);
  std::vector<std::pair<std::uint64_t, std::uint32_t>> numbers;
  std::vector<std::byte> bytes;
  BitWriter writer(bytes);
  for (int i = 0; i < 5000; ++i) {
    const auto width = static_cast<std::uint32_t>(random() % 33);
    const std::uint64_t value = width == 0 ? 0 : random() >> (64 - width);
    writer.put(value, width);
    numbers.emplace_back(value, width);
    const std::uint64_t gamma = 1 + (random() >> (32 + random() % 32)) % 0xFFFFFFFF;
    writer.put_gamma(gamma);
    numbers.emplace_back(gamma, UINT32_MAX);
  }
  writer.finish();
  const std::size_t size = bytes.size();
  const auto buffer = padded(bytes);
  BitReader reader(std::span<const std::byte>(buffer).first(size));
  for (const auto& [value, width] : numbers) {
    EXPECT_EQ(width == UINT32_MAX ? reader.get_gamma() : reader.get(width), value);
  }
  EXPECT_TRUE(reader.ok());
  EXPECT_LT(reader.remaining(), 8U);
}

TEST(BitStream, GammaOfOneIsOneBit) {
  std::vector<std::byte> bytes;
  BitWriter writer(bytes);
  for (int i = 0; i < 8; ++i) {
    writer.put_gamma(1);
  }
  writer.finish();
  EXPECT_EQ(bytes, std::vector<std::byte>{std::byte{0xFF}});
}

TEST(BitStream, PastTheEndEverythingIsZeroAndNotOk) {
  const auto buffer = padded({std::byte{0xFF}});
  BitReader reader(std::span<const std::byte>(buffer).first(1));
  EXPECT_EQ(reader.get(5), 31U);
  EXPECT_EQ(reader.get(4), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.get(1), 0U);
  EXPECT_EQ(reader.get_gamma(), 0U);
}

TEST(BitStream, GammaOfOnlyZerosIsRefused) {
  const auto buffer = padded(std::vector<std::byte>(20));
  BitReader reader(std::span<const std::byte>(buffer).first(20));
  EXPECT_EQ(reader.get_gamma(), 0U);
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace docket::index
