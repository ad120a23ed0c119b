#include "engine/block.hpp"

#include <algorithm>

#include "engine/assert.hpp"
#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/limits.hpp"

namespace docket {

namespace {

constexpr std::size_t checked_from = 16;

std::uint64_t head_checksum(std::span<const std::byte> head) {
  return checksum64(head.subspan(checked_from));
}

void append_entry(std::vector<std::byte>& out, Section section, Codec codec, std::uint8_t width,
                  std::uint32_t items, std::span<const std::byte> bytes, std::uint64_t base) {
  const std::size_t at = out.size();
  out.resize(at + section_entry_bytes);
  std::byte* to = out.data() + at;
  store_le(to, static_cast<std::uint8_t>(section));
  store_le(to + 1, static_cast<std::uint8_t>(codec));
  store_le(to + 2, width);
  store_le(to + 3, std::uint8_t{0});
  store_le(to + 4, items);
  store_le(to + 8, static_cast<std::uint32_t>(bytes.size()));
  store_le(to + 12, checksum32(bytes));
  store_le(to + 16, base);
}

}  // namespace

std::uint64_t BlockHeader::block_bytes() const {
  return align_block(block_header_bytes + std::uint64_t{body_bytes});
}

void encode_block_header(const BlockHeader& header, std::span<std::byte> head) {
  DOCKET_ASSERT(head.size() == block_header_bytes + header.directory_bytes);
  std::byte* to = head.data();
  store_le(to, block_magic);
  store_le(to + 4, header.flags);
  store_le(to + 16, header.segment.value);
  store_le(to + 24, header.writer_epoch.value);
  store_le(to + 32, header.offset.value);
  store_le(to + 40, header.first_seq.value);
  store_le(to + 48, header.rows);
  store_le(to + 52, header.body_bytes);
  store_le(to + 56, header.directory_bytes);
  store_le(to + 60, header.salt);
  store_le(to + 64, header.durable_seq.value);
  store_le(to + 72, header.ts_min);
  store_le(to + 80, header.ts_max);
  store_le(to + 88, header.received_min);
  store_le(to + 96, header.received_max);
  store_le(to + 104, header.producer_epoch);
  store_le(to + 112, header.producer_batch);
  store_le(to + 120, header.durable_end.value);
  // The flags lie before the checked range's start; they are mixed in so that no bit is unguarded.
  store_le(to + 8, head_checksum(head) ^ header.flags);
}

std::size_t block_head_bytes(std::span<const std::byte> header) {
  if (header.size() < block_header_bytes || load_le<std::uint32_t>(header.data()) != block_magic) {
    return 0;
  }
  const auto directory = load_le<std::uint32_t>(header.data() + 56);
  const bool possible =
      directory >= body_header_bytes &&
      directory <= body_header_bytes + limits::block_sections_max * section_entry_bytes;
  return possible ? block_header_bytes + directory : 0;
}

Result<BlockHeader> decode_block_header(std::span<const std::byte> head) {
  const std::size_t bytes = block_head_bytes(head);
  if (bytes == 0 || head.size() < bytes) {
    return fail(ErrorCode::corrupt, "no block starts here");
  }
  head = head.first(bytes);
  const std::byte* from = head.data();
  BlockHeader header;
  header.flags = load_le<std::uint32_t>(from + 4);
  if (load_le<std::uint64_t>(from + 8) != (head_checksum(head) ^ header.flags)) {
    return fail(ErrorCode::corrupt, "block header checksum does not match");
  }
  header.segment = SegmentId(load_le<std::uint64_t>(from + 16));
  header.writer_epoch = WriterEpoch(load_le<std::uint64_t>(from + 24));
  header.offset = FileOffset(load_le<std::uint64_t>(from + 32));
  header.first_seq = Seq(load_le<std::uint64_t>(from + 40));
  header.rows = load_le<std::uint32_t>(from + 48);
  header.body_bytes = load_le<std::uint32_t>(from + 52);
  header.directory_bytes = load_le<std::uint32_t>(from + 56);
  header.salt = load_le<std::uint32_t>(from + 60);
  header.durable_end = FileOffset(load_le<std::uint64_t>(from + 120));
  header.durable_seq = Seq(load_le<std::uint64_t>(from + 64));
  header.ts_min = load_le<Nanos>(from + 72);
  header.ts_max = load_le<Nanos>(from + 80);
  header.received_min = load_le<Nanos>(from + 88);
  header.received_max = load_le<Nanos>(from + 96);
  header.producer_epoch = load_le<std::uint64_t>(from + 104);
  header.producer_batch = load_le<std::uint64_t>(from + 112);
  // A checksum only proves that the bytes are as somebody wrote them; the bounds are ours.
  if (header.rows > limits::block_rows_max || header.body_bytes > limits::block_bytes_max ||
      header.body_bytes < header.directory_bytes || header.first_seq.value == 0 ||
      header.first_seq.value > UINT64_MAX / 2 || header.writer_epoch.value > UINT64_MAX / 2) {
    return fail(ErrorCode::corrupt, "block header is out of bounds");
  }
  return header;
}

HotBlock make_hot_block(EncodedBatch batch, std::string_view node, std::uint64_t producer_epoch,
                        std::uint64_t producer_batch, Nanos received, std::string_view shown) {
  const auto body = std::span<const std::byte>(batch.bytes);
  const std::size_t old_directory = directory_size(body);
  DOCKET_ASSERT(old_directory != 0 && body.size() >= old_directory);
  HotBlock block;
  BlockHeader& header = block.header;
  header.rows = batch.rows;
  header.ts_min = batch.ts_min;
  header.ts_max = batch.ts_max;
  header.received_min = received;
  header.received_max = received;
  header.producer_epoch = producer_epoch;
  header.producer_batch = producer_batch;

  // The node dictionary: the empty entry 0, the producer, and the name that rows show.
  const std::uint32_t shown_id = batch.rows == 0 || shown.empty() || shown == node ? 1 : 2;
  std::vector<std::byte> names;
  const std::uint32_t lengths[] = {0, static_cast<std::uint32_t>(node.size()),
                                   static_cast<std::uint32_t>(shown.size())};
  const auto width = static_cast<std::uint8_t>(
      bits_for(shown_id == 1 ? node.size() : std::max(node.size(), shown.size())));
  pack_bits(std::span(lengths).first(shown_id + 1), width, names);
  append_bytes(names, as_byte_span(node));
  if (shown_id != 1) {
    append_bytes(names, as_byte_span(shown));
  }

  std::vector<std::byte>& head = block.head;
  head.resize(block_header_bytes);
  append_bytes(head, body.first(body_header_bytes));
  std::uint16_t sections = 0;
  bool received_added = batch.rows == 0;
  bool node_added = batch.rows == 0;
  // Both columns are constant: an entry in the directory and no bytes.
  const auto add_received = [&] {
    append_entry(head, Section::row_received, Codec::ints, 0, batch.rows, {},
                 static_cast<std::uint64_t>(received));
    ++sections;
    received_added = true;
  };
  const auto add_node = [&] {
    append_entry(head, Section::row_node, Codec::ints, 0, batch.rows, {}, shown_id);
    ++sections;
    node_added = true;
  };
  for (std::size_t at = body_header_bytes; at < old_directory; at += section_entry_bytes) {
    const auto section = static_cast<Section>(load_le<std::uint8_t>(body.data() + at));
    if (!received_added && section > Section::row_received) {
      add_received();
    }
    if (!node_added && section > Section::row_node) {
      add_node();
    }
    append_bytes(head, body.subspan(at, section_entry_bytes));
    ++sections;
    if (section == Section::related_counts) {
      header.flags |= block_has_related;
    }
    if (section == Section::payload_data) {
      header.flags |= block_has_payload;
    }
  }
  if (!received_added) {
    add_received();
  }
  if (!node_added) {
    add_node();
  }
  append_entry(head, Section::node, Codec::strings_raw, width, shown_id + 1, names, 0);
  ++sections;
  store_le(head.data() + block_header_bytes + 4, sections);

  header.directory_bytes = static_cast<std::uint32_t>(head.size() - block_header_bytes);
  block.sections = std::move(batch.bytes);
  block.sections.erase(block.sections.begin(),
                       block.sections.begin() + static_cast<std::ptrdiff_t>(old_directory));
  append_bytes(block.sections, names);
  header.body_bytes = header.directory_bytes + static_cast<std::uint32_t>(block.sections.size());
  // Padding up to the next block goes with the sections: one buffer less to write.
  block.sections.resize(header.block_bytes() - head.size());
  return block;
}

// The directory has been proved, or made here, so only what counts is read of it: this is done for
// each batch, and of one event it is a good part of the work.
std::uint64_t HotBlock::strings_bytes() const {
  std::uint64_t total = 0;
  std::size_t offset = 0;
  for (std::size_t at = block_header_bytes + body_header_bytes; at < head.size();
       at += section_entry_bytes) {
    const std::byte* entry = head.data() + at;
    const auto codec = static_cast<Codec>(load_le<std::uint8_t>(entry + 1));
    const auto bytes = load_le<std::uint32_t>(entry + 8);
    if (is_strings(codec)) {
      const std::size_t lengths =
          packed_bytes(load_le<std::uint32_t>(entry + 4), load_le<std::uint8_t>(entry + 2));
      DOCKET_ASSERT(lengths <= bytes && offset + bytes <= sections.size());
      total += codec == Codec::strings_raw
                   ? bytes - lengths
                   : load_le<std::uint32_t>(sections.data() + offset + lengths);
    }
    offset += bytes;
  }
  return total;
}

HotBlock make_mark() {
  BodyWriter body;
  body.start(0);
  EncodedBatch nothing;
  nothing.bytes = body.finish();
  return make_hot_block(std::move(nothing), {}, 0, 0, 0);
}

}  // namespace docket
