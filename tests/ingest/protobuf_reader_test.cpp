#include "ingest/protobuf_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace docket::ingest {
namespace {

using namespace std::string_view_literals;
using Type = ProtobufReader::Type;

bool is_sound(std::string_view message) {
  ProtobufReader at(message);
  while (at.next()) {
  }
  return !at.is_faulty();
}

TEST(ProtobufReader, EveryTypeOfFieldIsRead) {
  ProtobufReader at("\x08\x96\x01\x12\x07testing\x19\1\2\3\4\5\6\7\x88\x25\1\0\0\x80"sv);
  ASSERT_TRUE(at.next());
  EXPECT_EQ(at.number(), 1U);
  EXPECT_EQ(at.type(), Type::varint);
  EXPECT_EQ(at.integer(), 150U);
  EXPECT_EQ(at.bytes(), "");
  ASSERT_TRUE(at.next());
  EXPECT_EQ(at.number(), 2U);
  EXPECT_EQ(at.bytes(), "testing");
  EXPECT_EQ(at.integer(), 0U);
  ASSERT_TRUE(at.next());
  EXPECT_EQ(at.type(), Type::fixed64);
  EXPECT_EQ(at.integer(), 0x8807060504030201U);
  ASSERT_TRUE(at.next());
  EXPECT_EQ(at.number(), 4U);
  EXPECT_EQ(at.type(), Type::fixed32);
  EXPECT_EQ(at.integer(), 0x80000001U);
  EXPECT_FALSE(at.next());
  EXPECT_FALSE(at.is_faulty());
}

TEST(ProtobufReader, TheLargestNumbersAreRead) {
  ProtobufReader at("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\xf8\xff\xff\xff\x0f\x01"sv);
  ASSERT_TRUE(at.next());
  EXPECT_EQ(at.integer(), ~std::uint64_t{0});
  ASSERT_TRUE(at.next());
  EXPECT_EQ(at.number(), (1U << 29U) - 1);
}

TEST(ProtobufReader, WhatBreaksTheFormatIsAFault) {
  EXPECT_TRUE(is_sound(""));
  for (const std::string_view bad :
       {"\x08"sv, "\x08\x80"sv, "\x12\x01"sv, "\x12\xff\xff\xff\xff\x0f"sv, "\x19\1\2\3"sv,
        "\x25\1"sv, "\x00\x01"sv, "\x0b"sv, "\x0c"sv, "\x0e"sv, "\x0f"sv, "\x80"sv,
        "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"sv, "\xf8\xff\xff\xff\x1f\x01"sv}) {
    EXPECT_FALSE(is_sound(bad));
    EXPECT_FALSE(is_sound("\x08\x01" + std::string(bad)));
  }
}

}  // namespace
}  // namespace docket::ingest
