#include "engine/section.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/limits.hpp"
#include "tests/engine/batches.hpp"

namespace docket {
namespace {

using testing::LooseBody;
using testing::put_together;
using testing::take_apart;

// The section of a body of one.
struct Sole {
  SectionEntry entry;
  std::vector<std::byte> bytes;
  bool absent = false;
};

template <typename Add>
Sole sole_section(std::uint32_t rows, const Add& add) {
  BodyWriter writer;
  writer.start(rows);
  add(writer);
  const auto body = writer.finish();
  const LooseBody loose = take_apart(body);
  if (loose.sections.empty()) {
    return {{}, {}, true};
  }
  EXPECT_TRUE(check_section(loose.sections[0].entry, loose.sections[0].bytes));
  return {loose.sections[0].entry, loose.sections[0].bytes, false};
}

std::vector<std::uint64_t> ints_of(const Sole& sole) {
  const std::shared_ptr<std::byte[]> copy(new std::byte[sole.bytes.size() + section_padding]());
  std::copy(sole.bytes.begin(), sole.bytes.end(), copy.get());
  const auto ints = read_ints(sole.entry, SectionBytes(copy, copy.get()));
  EXPECT_TRUE(ints);
  std::vector<std::uint64_t> values(ints->size());
  ints->unpack(0, ints->size(), values.data());
  return values;
}

std::string error_of_directory(const std::vector<std::byte>& body) {
  const auto parsed = parse_directory(body);
  EXPECT_TRUE(parsed || parsed.error().code == ErrorCode::corrupt);
  return parsed ? "accepted" : parsed.error().message;
}

TEST(SectionInts, RoundTripWithAndWithoutACommonPowerOfTen) {
  const std::uint64_t low = static_cast<std::uint64_t>(INT64_MIN);
  const std::vector<std::vector<std::uint64_t>> columns = {
      {5, 5, 5},
      {0, 1'000, 2'000},
      {7, 1'000'000'007, 4'000'000'007},
      {1, 2, 1'000'000},
      {low, 0, static_cast<std::uint64_t>(INT64_MAX)},
      {static_cast<std::uint64_t>(-3'000), static_cast<std::uint64_t>(-1'000), 5'000},
  };
  const std::vector<int> exponents = {0, 3, 9, 0, 0, 3};
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const Sole sole =
        sole_section(3, [&](BodyWriter& w) { w.add_ints(Section::row_ts, columns[c], true); });
    EXPECT_EQ(ints_of(sole), columns[c]) << c;
    EXPECT_EQ(sole.entry.scale_exponent, exponents[c]) << c;
  }
}

TEST(SectionInts, ValueThatAnAbsentColumnStandsForCostsNothing) {
  const std::vector<std::uint64_t> ones = {1, 1};
  const std::vector<std::uint64_t> zeros = {0, 0};
  const std::vector<std::uint32_t> no_ids = {0, 0};
  const auto absent = [](const auto& values, Section section) {
    return sole_section(2, [&](BodyWriter& w) { w.add_ints(section, values, false); }).absent;
  };
  EXPECT_TRUE(absent(ones, Section::row_affected));
  EXPECT_FALSE(absent(zeros, Section::row_affected));
  EXPECT_TRUE(absent(zeros, Section::row_ts));
  EXPECT_FALSE(absent(ones, Section::row_ts));
  EXPECT_TRUE(
      sole_section(2, [&](BodyWriter& w) { w.add_ints(Section::row_reason, no_ids); }).absent);
  EXPECT_EQ(absent_column(Section::row_affected, 2)[1], 1U);
  EXPECT_EQ(absent_column(Section::row_ts, 2)[1], 0U);
}

TEST(SectionInts, IdThatAllRowsShareHasNoBytes) {
  const std::vector<std::uint32_t> same = {9, 9, 9};
  const Sole sole = sole_section(3, [&](BodyWriter& w) { w.add_ints(Section::row_verb, same); });
  EXPECT_TRUE(sole.bytes.empty());
  EXPECT_EQ(ints_of(sole), (std::vector<std::uint64_t>{9, 9, 9}));
}

TEST(SectionStrings, RoundTripRawAndCompressed) {
  std::vector<std::string> few = {"", "a", std::string(255, 'x'), "", "\xc3\xa9"};
  std::vector<std::string> many = {""};
  for (int i = 0; i < 2000; ++i) {
    many.push_back("contact-" + std::to_string(i));
  }
  std::vector<std::string> random = {""};
  std::mt19937_64 generator(3);
  for (int i = 0; i < 200; ++i) {
    std::string text;
    for (int c = 0; c < 30; ++c) {
      text += static_cast<char>(generator());
    }
    random.push_back(text);
  }
  const auto check = [](const std::vector<std::string>& strings, Codec codec) {
    const auto section = testing::strings_section(Section::kind, strings);
    EXPECT_EQ(section.entry.codec, codec);
    ASSERT_TRUE(check_section(section.entry, section.bytes));
    const auto list = read_strings(section.entry, section.bytes);
    ASSERT_TRUE(list) << list.error().message;
    ASSERT_EQ(list->size(), strings.size());
    for (std::uint32_t i = 0; i < list->size(); ++i) {
      ASSERT_EQ((*list)[i], strings[i]);
    }
  };
  check(few, Codec::strings_lz4);
  check(many, Codec::strings_lz4);
  check(random, Codec::strings_raw);
  check({"", "x"}, Codec::strings_raw);
}

TEST(SectionStrings, LengthsThatDoNotAddUpAreCorrupt) {
  for (const bool compressed : {false, true}) {
    auto section = testing::strings_section(
        Section::kind, {"", compressed ? std::string(200, 'x') : "three", "b"});
    section.bytes[0] ^= std::byte{0x20};  // a length
    EXPECT_FALSE(read_strings(section.entry, section.bytes)) << compressed;
  }
  auto cut = testing::strings_section(Section::kind, {"", std::string(200, 'x')});
  cut.bytes.resize(packed_bytes(2, cut.entry.width) + 3);
  EXPECT_FALSE(read_strings(cut.entry, cut.bytes)) << "no room for the raw size";
}

TEST(SectionChunks, RowsStayWholeAndAChunkEndsWithTheRowThatFillsIt) {
  std::vector<std::uint32_t> lengths(100, 3000);
  lengths[50] = 0;
  lengths[60] = 200'000;
  std::vector<std::byte> payloads;
  for (std::uint32_t row = 0; row < lengths.size(); ++row) {
    payloads.resize(payloads.size() + lengths[row], static_cast<std::byte>(row));
  }
  BodyWriter writer;
  writer.start(100);
  writer.add_payloads(lengths, payloads);
  const auto body = writer.finish();
  LooseBody loose = take_apart(body);
  const auto& data = loose[Section::payload_data];
  const auto chunks = read_chunk_table(
      data.entry, std::span(data.bytes).first(data.entry.items * chunk_entry_bytes), 100);
  ASSERT_TRUE(chunks) << chunks.error().message;
  ASSERT_GT(chunks->size(), 4U);
  std::vector<std::byte> all;
  for (std::size_t i = 0; i < chunks->size(); ++i) {
    const PayloadChunk& chunk = (*chunks)[i];
    std::vector<std::byte> raw(chunk.raw_bytes);
    ASSERT_TRUE(
        read_chunk(chunk, std::span(data.bytes).subspan(chunk.offset, chunk.stored_bytes), raw));
    append_bytes(all, raw);
    if (i + 1 < chunks->size()) {
      EXPECT_GE(chunk.raw_bytes, limits::payload_chunk_bytes);
    }
  }
  EXPECT_EQ(all, payloads);
}

TEST(SectionChunks, EveryFlippedBitOfASectionIsDetected) {
  const auto batch = testing::encode(testing::plain_events(40));
  for (const auto& section : take_apart(batch.bytes).sections) {
    for (std::size_t bit = 0; bit < section.bytes.size() * 8; ++bit) {
      auto bytes = section.bytes;
      testing::flip_bit(bytes, bit);
      ASSERT_FALSE(check_section(section.entry, bytes))
          << "section " << static_cast<int>(section.entry.section) << " bit " << bit;
    }
    EXPECT_TRUE(check_section(section.entry, section.bytes));
  }
}

TEST(SectionChunks, DirectoryOfChunksOutOfOrderIsCorrupt) {
  BodyWriter writer;
  writer.start(4);
  const std::vector<std::uint32_t> lengths(4, 70'000);
  writer.add_payloads(lengths, std::vector<std::byte>(280'000));
  LooseBody loose = take_apart(writer.finish());
  const auto& data = loose[Section::payload_data];
  const auto damaged = [&](std::size_t at, std::uint32_t value) {
    auto bytes = data.bytes;
    store_le(bytes.data() + at, value);
    SectionEntry entry = data.entry;
    const auto table = std::span(bytes).first(entry.items * chunk_entry_bytes);
    entry.checksum = checksum32(table);
    return !read_chunk_table(entry, table, 4);
  };
  EXPECT_FALSE(damaged(0, 0)) << "unchanged";
  EXPECT_TRUE(damaged(chunk_entry_bytes, 0)) << "first row not above the one before";
  EXPECT_TRUE(damaged(3 * chunk_entry_bytes, 4)) << "first row behind the last";
  EXPECT_TRUE(damaged(4, 1)) << "stored larger than raw";
  EXPECT_TRUE(damaged(8, 1)) << "chunks do not fill the section";
  EXPECT_TRUE(damaged(4, limits::block_bytes_max + 1)) << "more than a block may hold";
}

TEST(SectionDirectory, AcceptsWhatTheBuilderWritesAndNothingCutShort) {
  const auto body = testing::encode(testing::plain_events(10)).bytes;
  EXPECT_EQ(error_of_directory(body), "accepted");
  const std::size_t directory = directory_size(body);
  for (std::size_t size = 0; size < directory; ++size) {
    EXPECT_NE(error_of_directory({body.begin(), body.begin() + static_cast<long>(size)}),
              "accepted");
  }
  EXPECT_EQ(error_of_directory({body.begin(), body.begin() + static_cast<long>(directory)}),
            "accepted");
}

TEST(SectionDirectory, EachLieIsRefused) {
  const LooseBody good = take_apart(testing::encode(testing::plain_events(12)).bytes);
  const auto with = [&good](const auto& change) {
    LooseBody body = good;
    change(body);
    return error_of_directory(put_together(body));
  };
  using S = Section;
  EXPECT_EQ(with([](LooseBody&) {}), "accepted");
  EXPECT_NE(with([](auto& b) { b.rows = limits::block_rows_max + 1; }), "accepted");
  EXPECT_NE(with([](auto& b) { b.rows = 11; }), "accepted") << "columns of 12 rows";
  EXPECT_NE(with([](auto& b) { b[S::kind].entry.section = static_cast<S>(9); }), "accepted");
  EXPECT_NE(with([](auto& b) { b[S::kind].entry.section = static_cast<S>(0); }), "accepted");
  EXPECT_NE(with([](auto& b) { b[S::kind].entry.codec = static_cast<Codec>(4); }), "accepted");
  EXPECT_NE(with([](auto& b) { b[S::kind].entry.codec = Codec::ints; }), "accepted");
  EXPECT_NE(with([](auto& b) { b[S::row_verb].entry.codec = Codec::strings_raw; }), "accepted");
  EXPECT_NE(with([](auto& b) { b[S::row_verb].entry.width = 65; }), "accepted");
  EXPECT_NE(with([](auto& b) { b[S::kind].entry.width = 33; }), "accepted");
  EXPECT_NE(with([](auto& b) { b[S::row_ts].entry.scale_exponent = 10; }), "accepted");
  EXPECT_NE(with([](auto& b) { b[S::kind].entry.base = 1; }), "accepted");
  EXPECT_NE(with([](auto& b) { b[S::kind].entry.scale_exponent = 1; }), "accepted");
  EXPECT_NE(with([](auto& b) { b[S::row_verb].bytes.push_back({}); }), "accepted");
  EXPECT_NE(with([](auto& b) { b[S::kind].entry.items = UINT32_MAX; }), "accepted");
  EXPECT_NE(with([](auto& b) { b[S::payload_data].entry.items = 1000; }), "accepted");
  EXPECT_NE(with([](auto& b) { std::swap(b.sections[0], b.sections[1]); }), "accepted");
  EXPECT_NE(with([](auto& b) { b.sections[1] = b.sections[0]; }), "accepted");
  EXPECT_EQ(with([](auto& b) { b.remove(S::actor_kind); }), "accepted") << "kinds of zeros";
  for (const S part : {S::actor_kind, S::actor_id, S::target_type, S::target_id}) {
    // Of no width, so that the number of items is all that is wrong.
    EXPECT_NE(with([part](auto& b) {
                b[part].entry.items -= 1;
                b[part].entry.width = 0;
                b[part].bytes.clear();
              }),
              "accepted")
        << "table sizes";
  }
  EXPECT_NE(with([](auto& b) { b.remove(S::related_counts); }), "accepted");
  EXPECT_NE(with([](auto& b) { b.remove(S::payload_lengths); }), "accepted");
  EXPECT_NE(with([](auto& b) { b.remove(S::payload_data); }), "accepted");
  auto reserved = put_together(good);
  reserved[6] = std::byte{1};
  EXPECT_NE(error_of_directory(reserved), "accepted");
}

TEST(SectionDirectory, DictionaryHasNoMoreEntriesThanRowsCanBring) {
  // Width 0 makes a dictionary of any size from no bytes at all, so the number must be bounded.
  LooseBody body;
  body.rows = 3;
  body.sections = {testing::strings_section(Section::reason, {"", "a"})};
  body.sections[0] = {{.section = Section::reason, .codec = Codec::strings_raw, .items = 4}, {}};
  EXPECT_EQ(error_of_directory(put_together(body)), "accepted");
  body.sections[0].entry.items = 5;
  EXPECT_NE(error_of_directory(put_together(body)), "accepted");
}

TEST(SectionDirectory, CodecsOfSealedSegmentsStandInNoOtherBody) {
  std::vector<std::uint64_t> times;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    times.push_back(i * i % 1009 + 1'000'000 * i);
  }
  BodyWriter writer;
  writer.start(2000, BodyForm::sealed);
  writer.add_ints(Section::row_ts, times, true);
  const auto body = writer.finish();
  const auto sealed = parse_directory(body, BodyForm::sealed);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->entries[0].codec, Codec::ints_coded);
  EXPECT_NE(error_of_directory(body), "accepted");
}

}  // namespace
}  // namespace docket
