#include "tools/api/units.hpp"

#include <gtest/gtest.h>

namespace docket::api {
namespace {

constexpr Nanos second = 1'000'000'000;

TEST(Units, DurationsAreANumberAndAUnit) {
  EXPECT_EQ(parse_duration("365d").value(), 365 * 86'400 * second);
  EXPECT_EQ(parse_duration("2w").value(), 14 * 86'400 * second);
  EXPECT_EQ(parse_duration("90m").value(), 5'400 * second);
  EXPECT_EQ(parse_duration("250ms").value(), second / 4);
  EXPECT_EQ(parse_duration("0s").value(), 0);
}

TEST(Units, ForeignFormsAndOverflowAreRefused) {
  for (const char* text : {"", "d", "5", "-5d", "5 d", "5D", "5days", "1.5h", "106752d",
                           "99999999999999999999d", "15251w"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
  for (const char* text : {"", "GiB", "5 GiB", "-1", "1.5GiB", "5gib", "5G", "9000000TiB"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
  EXPECT_EQ(parse_duration("106751d").value(), 106'751 * Nanos{86'400} * second);
}

TEST(Units, SizesAreBinaryOrDecimalAsTheUnitSays) {
  EXPECT_EQ(parse_bytes("10GiB").value(), std::uint64_t{10} << 30);
  EXPECT_EQ(parse_bytes("10GB").value(), 10'000'000'000U);
  EXPECT_EQ(parse_bytes("64KiB").value(), 65'536U);
  EXPECT_EQ(parse_bytes("65537").value(), 65'537U);
  EXPECT_EQ(parse_bytes("17B").value(), 17U);
}

TEST(Units, WhatIsFormattedIsReadBack) {
  for (const Nanos duration : {Nanos{0}, 90 * 60 * second, 365 * 86'400 * second, second / 4,
                               3'600 * second, 61 * second}) {
    EXPECT_EQ(parse_duration(format_duration(duration)).value(), duration);
  }
  for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1000},
                                    std::uint64_t{10} << 30, std::uint64_t{1} << 50}) {
    EXPECT_EQ(parse_bytes(format_bytes(bytes)).value(), bytes);
  }
  EXPECT_EQ(format_duration(365 * 86'400 * second), "365d");
  EXPECT_EQ(format_bytes(std::uint64_t{10} << 30), "10GiB");
}

TEST(Units, ReadableFormsKeepThreeDigits) {
  EXPECT_EQ(readable_bytes(999), "999 B");
  EXPECT_EQ(readable_bytes(1536), "1.50 KiB");
  EXPECT_EQ(readable_bytes(std::uint64_t{123} << 20), "123 MiB");
  EXPECT_EQ(readable_count(0), "0");
  EXPECT_EQ(readable_count(999), "999");
  EXPECT_EQ(readable_count(1'000), "1,000");
  EXPECT_EQ(readable_count(1'048'577), "1,048,577");
}

}  // namespace
}  // namespace docket::api
