#include "index/index_file.hpp"

#include <gtest/gtest.h>

#include "engine/bytes.hpp"
#include "engine/codec.hpp"

namespace docket::index {
namespace {

Header header_of_a_small_segment() {
  Header header;
  header.segment = SegmentId(7);
  header.digest = 0x1122334455667788;
  header.blocks = 2;
  header.shape = PageShape{9000, 64};
  header.facts.target_ids_have_colon = true;
  header.values[static_cast<std::size_t>(Dimension::verb)] = 5;
  header.values[static_cast<std::size_t>(Dimension::target)] = 5000;
  return header;
}

std::vector<std::byte> some_bytes(std::size_t count) {
  return std::vector<std::byte>(count, std::byte{0xAB});
}

IndexFileWriter good_writer() {
  IndexFileWriter writer;
  writer.add(SectionKind::value_page, 0, 0, some_bytes(10));
  writer.add(SectionKind::value_page, 5, 0, some_bytes(20));
  writer.add(SectionKind::value_page, 5, 4096, some_bytes(3));
  writer.add(SectionKind::row_bitmap, 0, 2, some_bytes(5));
  writer.add(SectionKind::name_filter, 3, 0, some_bytes(64));
  writer.add(SectionKind::time_sorted, 0, 0, some_bytes(1));
  return writer;
}

Result<std::vector<SectionEntry>> read_back(const std::vector<std::byte>& file) {
  DOCKET_ASSIGN(const Header header, parse_header(file, file.size()));
  return parse_table(std::span(file).subspan(header_bytes, header.sections * section_entry_bytes),
                     header);
}

// Recomputes the checksums over whatever the bytes are now, so that what they say is looked at.
void reseal(std::vector<std::byte>& file, std::uint32_t sections) {
  const auto table = std::span(file).subspan(header_bytes, sections * section_entry_bytes);
  store_le(file.data() + 64, checksum64(table));
  store_le(file.data() + 136, checksum64(std::span(file).first(136)));
}

TEST(IndexFile, NumbersOutOfRangeAreRefused) {
  for (const auto& change :
       std::vector<void (*)(Header&)>{[](Header& header) { header.blocks = header.shape.rows + 1; },
                                      [](Header& header) { header.shape.bitmap_rows_min = 0; }}) {
    Header header = header_of_a_small_segment();
    change(header);
    const std::vector<std::byte> file = good_writer().finish(header);
    const auto read = parse_header(file, file.size());
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::corrupt);
  }
}

TEST(IndexFile, BytesThatNoSectionHasAreRefused) {
  std::vector<std::byte> file = good_writer().finish(header_of_a_small_segment());
  file.push_back(std::byte{0});
  store_le(file.data() + 56, static_cast<std::uint64_t>(file.size()));
  reseal(file, 6);
  ASSERT_TRUE(parse_header(file, file.size()));
  EXPECT_FALSE(read_back(file));
}

TEST(IndexFile, GivesBackHeaderAndSections) {
  const std::vector<std::byte> file = good_writer().finish(header_of_a_small_segment());
  const auto header = parse_header(file, file.size());
  ASSERT_TRUE(header);
  EXPECT_EQ(header->segment, SegmentId(7));
  EXPECT_EQ(header->digest, 0x1122334455667788U);
  EXPECT_EQ(header->blocks, 2U);
  EXPECT_EQ(header->shape, (PageShape{9000, 64}));
  EXPECT_EQ(header->facts, header_of_a_small_segment().facts);
  EXPECT_EQ(header->values, header_of_a_small_segment().values);
  const auto table = read_back(file);
  ASSERT_TRUE(table);
  ASSERT_EQ(table->size(), 6U);
  EXPECT_EQ((*table)[2].first, 4096U);
  EXPECT_EQ((*table)[2].bytes, 3U);
  EXPECT_EQ(table->back().offset + table->back().bytes, file.size());
}

TEST(IndexFile, EveryFlippedBitOfHeaderOrTableIsRefused) {
  const std::vector<std::byte> file = good_writer().finish(header_of_a_small_segment());
  for (std::size_t at = 0; at < header_bytes + 6 * section_entry_bytes; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<std::byte> flipped = file;
      flipped[at] ^= std::byte{1} << bit;
      EXPECT_FALSE(read_back(flipped)) << at << ":" << bit;
    }
  }
}

TEST(IndexFile, AnotherSizeThanTheHeaderSaysIsRefused) {
  std::vector<std::byte> file = good_writer().finish(header_of_a_small_segment());
  file.pop_back();
  EXPECT_FALSE(parse_header(file, file.size()));
  EXPECT_FALSE(parse_header(std::span(file).first(100), file.size()));
}

TEST(IndexFile, SectionsOutOfOrderOrPlaceAreRefused) {
  struct Case {
    const char* what;
    SectionKind kind;
    std::uint8_t dimension;
    std::uint32_t first;
  };
  for (const Case& bad : {Case{"unknown kind", static_cast<SectionKind>(9), 0, 0},
                          Case{"unknown dimension", SectionKind::value_page, 11, 0},
                          Case{"beyond the values", SectionKind::row_bitmap, 0, 5},
                          Case{"not the start of a page", SectionKind::value_page, 5, 1},
                          Case{"names of verbs", SectionKind::name_filter, 0, 0}}) {
    IndexFileWriter writer;
    writer.add(bad.kind, bad.dimension, bad.first, some_bytes(4));
    EXPECT_FALSE(read_back(writer.finish(header_of_a_small_segment()))) << bad.what;
  }
  IndexFileWriter twice;
  twice.add(SectionKind::row_bitmap, 0, 2, some_bytes(4));
  twice.add(SectionKind::row_bitmap, 0, 2, some_bytes(4));
  EXPECT_FALSE(read_back(twice.finish(header_of_a_small_segment())));
}

TEST(IndexFile, ASectionThatEndsAfterTheFileIsRefused) {
  std::vector<std::byte> file = good_writer().finish(header_of_a_small_segment());
  store_le(file.data() + header_bytes + 8, std::uint32_t{0xFFFFFFFF});
  reseal(file, 6);
  EXPECT_FALSE(read_back(file));
}

TEST(IndexFile, MoreSectionsThanBytesAreRefused) {
  std::vector<std::byte> file = good_writer().finish(header_of_a_small_segment());
  store_le(file.data() + 52, std::uint32_t{0x10000000});
  store_le(file.data() + 136, checksum64(std::span(file).first(136)));
  EXPECT_FALSE(parse_header(file, file.size()));
}

// A segment becomes longer than it should by its last commit group.
TEST(IndexFile, ASegmentMayHaveAsManyRowsAsTheEngineLetsItHave) {
  Header header = header_of_a_small_segment();
  header.shape.rows = static_cast<std::uint32_t>(limits::segment_rows_limit);
  std::vector<std::byte> file = good_writer().finish(header);
  const auto read = parse_header(file, file.size());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->shape.rows, limits::segment_rows_limit);
  ++header.shape.rows;
  file = good_writer().finish(header);
  EXPECT_FALSE(parse_header(file, file.size()));
}

TEST(IndexFile, AnIncompatibleFlagMeansANewerVersion) {
  std::vector<std::byte> file = good_writer().finish(header_of_a_small_segment());
  store_le(file.data() + 16, std::uint32_t{1});
  reseal(file, 6);
  const auto header = parse_header(file, file.size());
  ASSERT_FALSE(header);
  EXPECT_EQ(header.error().code, ErrorCode::newer_format);
  // A compatible one does not.
  store_le(file.data() + 16, std::uint32_t{0});
  store_le(file.data() + 12, std::uint32_t{1});
  reseal(file, 6);
  EXPECT_TRUE(parse_header(file, file.size()));
}

}  // namespace
}  // namespace docket::index
