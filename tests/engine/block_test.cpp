#include "engine/block.hpp"

#include <gtest/gtest.h>

#include "engine/body.hpp"
#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/limits.hpp"
#include "tests/engine/batches.hpp"

namespace docket {
namespace {

using testing::receipt_time;

HotBlock block_of(const std::vector<Event>& events, const std::string& node = "node-1") {
  return make_hot_block(testing::encode(events), node, 3, 44, receipt_time);
}

// As it would stand in the file, its header written.
std::vector<std::byte> placed(HotBlock& block) {
  block.header.segment = SegmentId(7);
  block.header.writer_epoch = WriterEpoch(2);
  block.header.offset = FileOffset(4096);
  block.header.first_seq = Seq(1000);
  block.header.durable_seq = Seq(999);
  encode_block_header(block.header, block.head);
  auto bytes = block.head;
  append_bytes(bytes, block.sections);
  return bytes;
}

DecodedBody decode(const std::vector<std::byte>& block, std::uint32_t body_bytes) {
  static std::vector<std::byte> body;
  const auto from = block.begin() + block_header_bytes;
  body.assign(from, from + body_bytes);
  body.resize(body_bytes + section_padding);
  auto decoded = decode_body(std::span<const std::byte>(body).first(body_bytes));
  EXPECT_TRUE(decoded) << decoded.error().message;
  return std::move(*decoded);
}

TEST(BlockHeader, RoundTripKeepsEveryField) {
  HotBlock block = block_of(testing::plain_events(10));
  const auto bytes = placed(block);
  const auto header = decode_block_header(bytes);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->segment, SegmentId(7));
  EXPECT_EQ(header->writer_epoch, WriterEpoch(2));
  EXPECT_EQ(header->offset, FileOffset(4096));
  EXPECT_EQ(header->first_seq, Seq(1000));
  EXPECT_EQ(header->end_seq(), Seq(1010));
  EXPECT_EQ(header->durable_seq, Seq(999));
  EXPECT_EQ(header->rows, 10U);
  EXPECT_EQ(header->body_bytes, block.header.body_bytes);
  EXPECT_EQ(header->directory_bytes, block.header.directory_bytes);
  EXPECT_EQ(header->ts_min, testing::plain_event(0).ts);
  EXPECT_EQ(header->ts_max, testing::plain_event(9).ts);
  EXPECT_EQ(header->received_min, receipt_time);
  EXPECT_EQ(header->received_max, receipt_time);
  EXPECT_EQ(header->producer_epoch, 3U);
  EXPECT_EQ(header->producer_batch, 44U);
  EXPECT_EQ(header->flags, block_has_related | block_has_payload);
}

TEST(BlockHeader, EveryFlippedBitOfHeaderAndDirectoryIsDetected) {
  HotBlock block = block_of(testing::plain_events(3));
  const auto bytes = placed(block);
  for (std::size_t bit = 0; bit < block.head.size() * 8; ++bit) {
    auto damaged = bytes;
    testing::flip_bit(damaged, bit);
    ASSERT_FALSE(decode_block_header(damaged)) << "bit " << bit;
  }
}

TEST(BlockHeader, CutShortAnywhereIsNoBlock) {
  HotBlock block = block_of(testing::plain_events(3));
  const auto bytes = placed(block);
  for (std::size_t size = 0; size < block.head.size(); ++size) {
    ASSERT_FALSE(decode_block_header(std::span(bytes).first(size))) << size;
  }
  EXPECT_TRUE(decode_block_header(std::span(bytes).first(block.head.size())));
}

TEST(BlockHeader, BoundsAreCheckedUnderAMatchingChecksum) {
  HotBlock block = block_of(testing::plain_events(3));
  const auto refused = [&block](const auto& change) {
    HotBlock changed = block;
    placed(changed);
    change(changed.header);
    encode_block_header(changed.header, changed.head);
    return !decode_block_header(changed.head);
  };
  EXPECT_FALSE(refused([](BlockHeader&) {}));
  EXPECT_TRUE(refused([](BlockHeader& h) { h.rows = limits::block_rows_max + 1; }));
  EXPECT_TRUE(refused([](BlockHeader& h) { h.body_bytes = limits::block_bytes_max + 1; }));
  EXPECT_TRUE(refused([](BlockHeader& h) { h.body_bytes = h.directory_bytes - 1; }));
  EXPECT_TRUE(refused([](BlockHeader& h) { h.first_seq = Seq(0); }));
  EXPECT_TRUE(refused([](BlockHeader& h) { h.first_seq = Seq(UINT64_MAX); }));
}

TEST(BlockHeader, AbsurdDirectoryIsNoBlock) {
  HotBlock block = block_of(testing::plain_events(3));
  auto bytes = placed(block);
  EXPECT_EQ(block_head_bytes(bytes), block.head.size());
  for (const std::uint32_t directory : {0U, 7U, 8U + 65 * 24U, UINT32_MAX}) {
    store_le(bytes.data() + 56, directory);
    EXPECT_EQ(block_head_bytes(bytes), 0U) << directory;
    EXPECT_FALSE(decode_block_header(bytes));
  }
}

TEST(HotBlock, HoldsTheBatchAndWhatTheServerKnows) {
  for (const std::string& node : {std::string("n"), std::string("node-1"), std::string(128, 'x')}) {
    const auto events = testing::plain_events(20);
    HotBlock block = block_of(events, node);
    const auto bytes = placed(block);
    EXPECT_EQ(bytes.size(), block.header.block_bytes());
    EXPECT_EQ(bytes.size() % block_alignment, 0U);
    const DecodedBody body = decode(bytes, block.header.body_bytes);
    std::vector<TargetView> related;
    std::vector<TargetView> expected;
    for (std::uint32_t row = 0; row < 20; ++row) {
      EXPECT_EQ(body.event(row, related).payload, view_of(events[row], expected).payload);
      EXPECT_EQ(static_cast<Nanos>(body.column(RowColumn::received)[row]), receipt_time);
      EXPECT_EQ(
          body.strings(
              DictionaryField::node)[static_cast<std::uint32_t>(body.column(RowColumn::node)[row])],
          node);
    }
  }
}

TEST(HotBlock, SectionsOfTheSenderStandAsTheyWere) {
  const EncodedBatch batch = testing::encode(testing::plain_events(20));
  const HotBlock block = make_hot_block(batch, "n", 0, 0, receipt_time);
  const auto sent = std::span(batch.bytes).subspan(directory_size(batch.bytes));
  ASSERT_GE(block.sections.size(), sent.size());
  EXPECT_TRUE(std::equal(sent.begin(), sent.end(), block.sections.begin()));
}

TEST(HotBlock, KnowsHowManyBytesItsDictionariesAreDecompressed) {
  std::vector<Event> repetitive = testing::plain_events(200);
  for (std::size_t i = 0; i < repetitive.size(); ++i) {
    repetitive[i].target.id = "the same prefix of every target, number " + std::to_string(i);
  }
  bool any_compressed = false;
  for (const auto& events : {std::vector<Event>{}, testing::plain_events(1), repetitive}) {
    const HotBlock block = block_of(events);
    const auto directory = parse_directory(std::span(block.head).subspan(block_header_bytes));
    ASSERT_TRUE(directory);
    std::uint64_t expected = 0;
    for (const SectionEntry& entry : directory->entries) {
      if (is_strings(entry.codec)) {
        const std::size_t offset = entry.offset - block.header.directory_bytes;
        expected +=
            string_bounds(entry, std::span(block.sections).subspan(offset, entry.bytes)).raw_bytes;
        any_compressed = any_compressed || entry.codec == Codec::strings_lz4;
      }
    }
    EXPECT_EQ(block.strings_bytes(), expected);
  }
  EXPECT_TRUE(any_compressed);
}

TEST(HotBlock, FlagsSayWhetherAnyRowHasRelatedTargetsOrAPayload) {
  Event plain = testing::plain_event(1);
  EXPECT_EQ(block_of({plain}).header.flags, 0U);
  Event with_payload = plain;
  with_payload.payload = "{}";
  EXPECT_EQ(block_of({plain, with_payload}).header.flags, block_has_payload);
  Event with_related = plain;
  with_related.related = {{"List", "1", ""}};
  EXPECT_EQ(block_of({with_related, plain}).header.flags, block_has_related);
}

TEST(HotBlock, BatchWithoutRowsIsABlockThatNamesItsProducer) {
  HotBlock block = make_hot_block(testing::encode({}), "node-1", 5, 6, receipt_time);
  const auto bytes = placed(block);
  const auto header = decode_block_header(bytes);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->rows, 0U);
  EXPECT_EQ(header->end_seq(), header->first_seq);
  EXPECT_EQ(header->producer_batch, 6U);
  EXPECT_EQ(decode(bytes, header->body_bytes).strings(DictionaryField::node)[1], "node-1");
}

TEST(HotBlock, RowsMayShowAnotherSenderThanTheProducer) {
  HotBlock block = make_hot_block(testing::encode(testing::plain_events(3)), "producer", 1, 2,
                                  receipt_time, "a longer name of a node");
  const auto bytes = placed(block);
  const auto header = decode_block_header(bytes);
  ASSERT_TRUE(header);
  const DecodedBody body = decode(bytes, header->body_bytes);
  EXPECT_EQ(body.strings(DictionaryField::node)[1], "producer");
  for (std::uint32_t row = 0; row < 3; ++row) {
    EXPECT_EQ(
        body.strings(
            DictionaryField::node)[static_cast<std::uint32_t>(body.column(RowColumn::node)[row])],
        "a longer name of a node");
  }
}

TEST(HotBlock, OneRowOfDefaultsStillCarriesReceiptAndNode) {
  Event event;
  event.ts = 0;
  event.actor = {"k", "i", "", ""};
  event.verb = "V";
  event.target.type = "T";
  HotBlock block = block_of({event}, "n");
  const DecodedBody body = decode(placed(block), block.header.body_bytes);
  EXPECT_EQ(body.column(RowColumn::received)[0], static_cast<std::uint64_t>(receipt_time));
  EXPECT_EQ(body.column(RowColumn::node)[0], 1U);
}

}  // namespace
}  // namespace docket
