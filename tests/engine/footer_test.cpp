#include "engine/footer.hpp"

#include <gtest/gtest.h>

#include <random>

#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/limits.hpp"
#include "engine/sealer.hpp"
#include "engine/segment_file.hpp"
#include "tests/engine/stores.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

// A sealed file of a few blocks, as bytes, and with its footer replaced.
class FooterTest : public ::testing::Test {
 protected:
  FooterTest() {
    static_cast<void>(disk_.make_directories("log"));
    testing::HotFile file;
    file.add(testing::plain_events(1000));
    file.skip(3);
    file.add(testing::plain_events(1000, 1000));
    SectionCache cache(1 << 20);
    const auto hot = file.open(disk_, "log/1.hot", cache);
    ProducerTable producers;
    producers.stored({"node-1", 3, 1}, Seq(1), 1000, 5);
    const auto sealed = seal_segment(disk_, {hot.get(), "log", producers});
    EXPECT_TRUE(sealed);
    bytes_ = disk_.content(sealed->info.path);
    digest_ = sealed->info.digest;
    footer_ = load(bytes_).value().footer;
    footer_at_ = load_le<std::uint64_t>(std::span(bytes_).last(trailer_bytes).data() + 8);
  }

  Result<LoadedFooter> load(const std::vector<std::byte>& bytes) {
    disk_.plant("file", bytes);
    const auto file = disk_.open("file", OpenMode::read);
    return load_footer(**file, SegmentId(1));
  }
  // What the file is loaded as when its footer says this.
  std::string answer(const Footer& footer) {
    return answer_to(encode_footer(footer, FileOffset(footer_at_)));
  }
  std::string answer_to(const std::vector<std::byte>& footer_and_trailer) {
    auto bytes = bytes_;
    bytes.resize(footer_at_);
    append_bytes(bytes, footer_and_trailer);
    const auto loaded = load(bytes);
    EXPECT_TRUE(loaded || loaded.error().code == ErrorCode::corrupt);
    return loaded ? "accepted" : loaded.error().message;
  }
  // The footer's bytes with others in them, under a trailer that vouches for them.
  static std::vector<std::byte> vouched(std::vector<std::byte> footer, std::uint64_t at) {
    std::vector<std::byte> trailer(trailer_bytes);
    std::memcpy(trailer.data(), "DKTFOOT1", 8);
    store_le(trailer.data() + 8, at);
    store_le(trailer.data() + 16, static_cast<std::uint64_t>(footer.size()));
    store_le(trailer.data() + 24, checksum64(footer));
    store_le(trailer.data() + 32, format_version);
    store_le(trailer.data() + 56, checksum64(std::span<const std::byte>(trailer).first(56)));
    append_bytes(footer, trailer);
    return footer;
  }
  [[nodiscard]] std::vector<std::byte> footer_bytes() const {
    return {bytes_.begin() + static_cast<long>(footer_at_),
            bytes_.end() - static_cast<long>(trailer_bytes)};
  }

  testing::SimDisk disk_;
  std::vector<std::byte> bytes_;
  std::uint64_t digest_ = 0;
  Footer footer_;
  std::uint64_t footer_at_ = 0;
};

TEST_F(FooterTest, HoldsWhatWasSealed) {
  const auto loaded = load(bytes_);
  ASSERT_TRUE(loaded) << loaded.error().describe();
  EXPECT_EQ(loaded->digest, digest_);
  const SegmentSummary& s = loaded->footer.summary;
  EXPECT_EQ(s.first_seq, Seq(1));
  EXPECT_EQ(s.last_seq, Seq(2003));
  EXPECT_EQ(s.rows, 2000U);
  EXPECT_EQ(s.ts_max, testing::plain_event(1999).ts);
  EXPECT_EQ(s.received_min, testing::receipt_time);
  ASSERT_EQ(loaded->footer.blocks.size(), 2U);
  EXPECT_EQ(loaded->footer.blocks[1].header.first_seq, Seq(1004));
  EXPECT_EQ(loaded->footer.target_count, 2000U + 11 + 1);
  EXPECT_EQ(loaded->footer.producers.all().at("node-1").newest.number, 3U);
}

TEST_F(FooterTest, EncodingWhatWasLoadedGivesTheSameBytes) {
  const auto again = encode_footer(footer_, FileOffset(footer_at_));
  EXPECT_EQ(trailer_digest(again), digest_);
  EXPECT_TRUE(std::equal(again.begin(), again.end(), bytes_.begin() + static_cast<long>(footer_at_),
                         bytes_.end()));
  EXPECT_EQ(answer(footer_), "accepted");
}

TEST_F(FooterTest, EveryFlippedBitOfFooterAndTrailerIsDetected) {
  disk_.plant("file", bytes_);
  const auto file = disk_.open("file", OpenMode::read);
  for (std::uint64_t bit = footer_at_ * 8; bit < bytes_.size() * 8; bit += 5) {
    disk_.flip_bit("file", bit);
    const auto loaded = load_footer(**file, SegmentId(1));
    ASSERT_FALSE(loaded) << bit;
    ASSERT_EQ(loaded.error().code, ErrorCode::corrupt);
    ASSERT_EQ(loaded.error().segment, 1U);
    disk_.flip_bit("file", bit);
  }
}

TEST_F(FooterTest, FileCutShortIsCorrupt) {
  for (std::size_t size = 0; size < bytes_.size(); size += 1 + size / 50) {
    ASSERT_FALSE(load({bytes_.begin(), bytes_.begin() + static_cast<long>(size)})) << size;
  }
}

TEST_F(FooterTest, NewerFormatIsRefusedAsSuch) {
  for (const std::size_t at : {32, 40}) {
    auto bytes = bytes_;
    std::byte* trailer = std::span(bytes).last(trailer_bytes).data();
    store_le(trailer + at, std::uint32_t{99});
    store_le(trailer + 56, checksum64(std::span<const std::byte>(trailer, 56)));
    const auto loaded = load(bytes);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::newer_format);
  }
}

// --- a footer whose checksums match and which lies -----------------------------------------------

TEST_F(FooterTest, TrailerThatPointsElsewhereIsCorrupt) {
  const auto footer = footer_bytes();
  for (const std::uint64_t at : {std::uint64_t{0}, footer_at_ - 1, footer_at_ + 1, UINT64_MAX}) {
    EXPECT_NE(answer_to(vouched(footer, at)), "accepted") << at;
  }
  EXPECT_EQ(answer_to(vouched(footer, footer_at_)), "accepted");
}

TEST_F(FooterTest, SummaryThatDisagreesWithTheBlocksIsCorrupt) {
  const auto with = [this](const auto& change) {
    Footer footer = footer_;
    change(footer);
    return answer(footer);
  };
  EXPECT_NE(with([](Footer& f) { f.summary.rows = 1999; }), "accepted");
  EXPECT_NE(with([](Footer& f) { f.summary.last_seq = Seq(2002); }), "accepted");
  EXPECT_NE(with([](Footer& f) { f.summary.first_seq = Seq(2); }), "accepted");
  EXPECT_NE(with([](Footer& f) { f.blocks.pop_back(); }), "accepted");
  EXPECT_NE(with([](Footer& f) { std::swap(f.blocks[0], f.blocks[1]); }), "accepted");
  EXPECT_NE(with([](Footer& f) { f.blocks[1].header.first_seq = Seq(1000); }), "accepted");
  EXPECT_NE(with([](Footer& f) { f.blocks[0].header.flags = 0; }), "accepted") << "a hot block";
}

TEST_F(FooterTest, WhatStandsInThePlaceOfAnotherOrOutsideIsCorrupt) {
  const auto with = [this](const auto& change) {
    Footer footer = footer_;
    change(footer);
    return answer(footer);
  };
  const auto far = [this](FileOffset& at) { at = FileOffset(footer_at_); };
  EXPECT_NE(with([](Footer& f) { f.blocks[1].header.offset = f.blocks[0].header.offset; }),
            "accepted");
  EXPECT_NE(with([&](Footer& f) { far(f.blocks[1].header.offset); }), "accepted");
  EXPECT_NE(with([](Footer& f) { f.blocks[0].header.offset = FileOffset(0); }), "accepted");
  EXPECT_NE(with([](Footer& f) { f.blocks[1].header.offset = FileOffset(UINT64_MAX - 5); }),
            "accepted");
  auto& ids = footer_.strings[string_list_number(TableStrings::target_id)];
  ASSERT_GT(ids.pages.size(), 3U);
  EXPECT_NE(with([&](Footer& f) {
              auto& pages = f.strings[string_list_number(TableStrings::target_id)].pages;
              pages[1].at = pages[0].at;
            }),
            "accepted");
  EXPECT_NE(with([&](Footer& f) {
              far(f.strings[string_list_number(TableStrings::target_id)].pages[2].at);
            }),
            "accepted");
  EXPECT_NE(with([&](Footer& f) { far(f.target_types->at); }), "accepted");
  EXPECT_NE(with([](Footer& f) { f.target_types->at = f.actor_kinds->at; }), "accepted");
}

TEST_F(FooterTest, DictionaryOfTheWrongSizeIsCorrupt) {
  const auto with = [this](const auto& change) {
    Footer footer = footer_;
    change(footer);
    return answer(footer);
  };
  const auto ids = string_list_number(TableStrings::target_id);
  EXPECT_NE(with([&](Footer& f) { ++f.strings[ids].size; }), "accepted");
  EXPECT_NE(with([&](Footer& f) { f.strings[ids].size = 0, f.strings[ids].pages.clear(); }),
            "accepted");
  EXPECT_NE(with([&](Footer& f) { f.strings[ids].pages[0].entry.items = 1000; }), "accepted");
  EXPECT_NE(with([&](Footer& f) { f.strings[ids].pages[0].entry.codec = Codec::ints; }),
            "accepted");
  EXPECT_NE(with([&](Footer& f) { f.strings[ids].pages[0].entry.width = 33; }), "accepted");
  EXPECT_NE(with([](Footer& f) { f.strings[0].size = UINT32_MAX, f.strings[0].pages.clear(); }),
            "accepted");
  EXPECT_NE(with([](Footer& f) { ++f.target_count; }), "accepted");
  EXPECT_NE(with([](Footer& f) { --f.actor_count; }), "accepted");
  EXPECT_NE(with([](Footer& f) { f.target_count = UINT32_MAX; }), "accepted");
  EXPECT_NE(with([](Footer& f) { f.target_types->entry.width = 33; }), "accepted");
  EXPECT_NE(with([](Footer& f) { f.target_types->entry.items = 5; }), "accepted");
  EXPECT_NE(with([](Footer& f) { f.target_types->entry.scale_exponent = 3; }), "accepted");
}

TEST_F(FooterTest, TokensAndOrdersOutOfBoundsAreCorrupt) {
  const auto with = [this](const auto& change) {
    Footer footer = footer_;
    change(footer);
    return answer(footer);
  };
  const auto names = string_list_number(TableStrings::target_name);
  auto& list = footer_.strings[names];
  ASSERT_TRUE(list.tokens);
  ASSERT_EQ(list.pages[0].entry.codec, Codec::strings_tokens);
  EXPECT_EQ(answer(footer_), "accepted");
  EXPECT_NE(with([&](Footer& f) { f.strings[names].tokens.reset(); }), "accepted");
  EXPECT_NE(with([&](Footer& f) { f.strings[names].pages[0].entry.width = 1; }), "accepted");
  EXPECT_NE(with([&](Footer& f) { f.strings[names].pages[0].entry.bytes = 31; }), "accepted")
      << "less than a bit a string";
  EXPECT_NE(with([&](Footer& f) { ++f.strings[names].tokens->texts.entry.items; }), "accepted");
  EXPECT_NE(
      with([&](Footer& f) { f.strings[names].tokens->texts.entry.codec = Codec::strings_tokens; }),
      "accepted");
  EXPECT_NE(
      with([&](Footer& f) { f.strings[names].tokens->lengths.entry.codec = Codec::ints_coded; }),
      "accepted");
  EXPECT_NE(
      with([&](Footer& f) { f.strings[names].tokens->lengths.at = f.strings[names].pages[0].at; }),
      "accepted");
  ASSERT_TRUE(footer_.actor_order);
  EXPECT_NE(with([](Footer& f) { f.actor_order->entry = {.items = f.actor_count + 1}; }),
            "accepted")
      << "more ids than there are";
  EXPECT_NE(with([](Footer& f) {
              f.actor_order->entry.width = 0;
              f.actor_order->entry.bytes = 0;
            }),
            "accepted")
      << "several ids that are all the same, and take memory but no bytes";
  EXPECT_NE(with([](Footer& f) { f.actor_order->entry.base = 1; }), "accepted");
  EXPECT_NE(with([](Footer& f) {
              f.actor_order->entry.codec = Codec::ints_coded;
              f.actor_order->entry.bytes = 1;
            }),
            "accepted");
  EXPECT_NE(with([](Footer& f) { f.actor_order->at = FileOffset(0); }), "accepted");
  ASSERT_EQ(footer_.target_types->entry.codec, Codec::ints_coded);
  EXPECT_NE(with([](Footer& f) { f.target_types->entry.bytes = 1000; }), "accepted")
      << "coded, and larger than packed";
}

TEST_F(FooterTest, BytesBehindTheEndOrMissingAreCorrupt) {
  auto longer = footer_bytes();
  longer.push_back({});
  EXPECT_NE(answer_to(vouched(longer, footer_at_)), "accepted");
  const auto whole = footer_bytes();
  for (std::size_t size = 0; size < whole.size(); size += 1 + size / 40) {
    const std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<long>(size));
    ASSERT_NE(answer_to(vouched(cut, footer_at_)), "accepted") << size;
  }
}

TEST_F(FooterTest, AnyBytesUnderAMatchingDigestDoNoHarm) {
  std::mt19937_64 random(1);
  const auto whole = footer_bytes();
  std::size_t accepted = 0;
  for (int round = 0; round < 2000; ++round) {
    auto footer = whole;
    for (std::uint64_t n = 1 + random() % 3; n > 0; --n) {
      footer[random() % footer.size()] = static_cast<std::byte>(random());
    }
    accepted += answer_to(vouched(footer, footer_at_)) == "accepted" ? 1 : 0;
  }
  EXPECT_LT(accepted, 2000U);
}

}  // namespace
}  // namespace docket
