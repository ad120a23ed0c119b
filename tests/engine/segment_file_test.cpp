#include "engine/segment_file.hpp"

#include <gtest/gtest.h>

#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "tests/engine/batches.hpp"

namespace docket {
namespace {

const SegmentFileHeader example{SegmentKind::active, "activity", SegmentId(3), Seq(1001)};

// With a checksum that matches after all.
std::vector<std::byte> changed(std::size_t at, std::uint32_t value) {
  auto bytes = encode_segment_header(example);
  store_le(bytes.data() + at, value);
  store_le(bytes.data() + 120, checksum64(std::span<const std::byte>(bytes).first(120)));
  return bytes;
}

ErrorCode code_of(const std::vector<std::byte>& bytes) {
  const auto decoded = decode_segment_header(bytes);
  EXPECT_FALSE(decoded);
  return decoded ? ErrorCode::exists : decoded.error().code;
}

TEST(SegmentFileHeader, RoundTripKeepsEveryField) {
  for (const SegmentKind kind : {SegmentKind::active, SegmentKind::sealed}) {
    const std::string longest = "a" + std::string(31, 'z');
    const auto bytes = encode_segment_header({kind, longest, SegmentId(UINT64_MAX), Seq(9)});
    ASSERT_EQ(bytes.size(), segment_header_bytes);
    const auto header = decode_segment_header(bytes);
    ASSERT_TRUE(header) << header.error().message;
    EXPECT_EQ(header->kind, kind);
    EXPECT_EQ(header->log, longest);
    EXPECT_EQ(header->id, SegmentId(UINT64_MAX));
    EXPECT_EQ(header->first_seq, Seq(9));
  }
}

TEST(SegmentFileHeader, EveryFlippedBitIsDetected) {
  const auto bytes = encode_segment_header(example);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    testing::flip_bit(damaged, bit);
    ASSERT_EQ(code_of(damaged), ErrorCode::corrupt) << "bit " << bit;
  }
  EXPECT_EQ(code_of({bytes.begin(), bytes.end() - 1}), ErrorCode::corrupt);
}

TEST(SegmentFileHeader, LaterVersionOrUnknownIncompatibleFlagIsNewer) {
  EXPECT_EQ(code_of(changed(8, format_version + 1)), ErrorCode::newer_format);
  EXPECT_EQ(code_of(changed(16, 1)), ErrorCode::newer_format);
  EXPECT_EQ(code_of(changed(16, 1U << 31)), ErrorCode::newer_format);
}

TEST(SegmentFileHeader, UnknownCompatibleFlagIsIgnored) {
  EXPECT_TRUE(decode_segment_header(changed(12, 1U << 31)));
}

TEST(SegmentFileHeader, OutOfBoundsUnderAMatchingChecksumIsCorrupt) {
  EXPECT_EQ(code_of(changed(20, 0)), ErrorCode::corrupt);
  EXPECT_EQ(code_of(changed(20, 3)), ErrorCode::corrupt);
  EXPECT_EQ(code_of(changed(40, 33)), ErrorCode::corrupt) << "name length";
  EXPECT_EQ(code_of(changed(40, 255)), ErrorCode::corrupt);
  EXPECT_EQ(code_of(changed(44, 0x2f2f2f2f)), ErrorCode::corrupt) << "slashes in the name";
}

TEST(SegmentFileName, TwentyDigitsSortLikeTheirNumbers) {
  EXPECT_EQ(segment_file_name(SegmentId(1), "hot"), "00000000000000000001.hot");
  EXPECT_EQ(segment_file_name(SegmentId(UINT64_MAX), "seg"), "18446744073709551615.seg");
  EXPECT_LT(segment_file_name(SegmentId(9), "seg"), segment_file_name(SegmentId(10), "seg"));
}

TEST(SegmentFileName, ParsingIsTheReverseAndTakesNothingElse) {
  for (const std::uint64_t id : {std::uint64_t{1}, std::uint64_t{77}, UINT64_MAX}) {
    const auto parsed = parse_segment_file_name(segment_file_name(SegmentId(id), "seg.unlisted"));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->id, SegmentId(id));
    EXPECT_EQ(parsed->extension, "seg.unlisted");
  }
  for (const char* name :
       {"", "1.seg", "manifest.a", "00000000000000000000.seg", "0000000000000000001.seg",
        "00000000000000000001", "00000000000000000001.", "0000000000000000000a.seg",
        "-0000000000000000001.seg", "+0000000000000000001.seg", " 0000000000000000001.seg",
        "18446744073709551616.seg", "00000000000000000001_seg"}) {
    EXPECT_FALSE(parse_segment_file_name(name)) << name;
  }
}

TEST(FormatVersion, OwnVersionIsAcceptedAndLaterOnesAreNot) {
  EXPECT_TRUE(check_format(format_version, 0));
  EXPECT_FALSE(check_format(format_version + 1, 0));
  EXPECT_FALSE(check_format(format_version, 1));
}

}  // namespace
}  // namespace docket
