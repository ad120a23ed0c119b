#include "engine/body.hpp"

#include <gtest/gtest.h>

#include <random>

#include "engine/limits.hpp"
#include "tests/engine/batches.hpp"
#include "tests/support/random_events.hpp"

namespace docket {
namespace {

using testing::ints_section;
using testing::LooseBody;
using testing::put_together;
using testing::strings_section;
using testing::take_apart;

// In a buffer of exactly the promised padding, so that a sanitizer sees one byte too many.
std::string decode(const std::vector<std::byte>& body, DecodedBody* into = nullptr) {
  static std::vector<std::byte> padded;
  padded.assign(body.begin(), body.end());
  padded.resize(body.size() + section_padding);
  padded.shrink_to_fit();
  auto decoded = decode_body(std::span<const std::byte>(padded).first(body.size()));
  if (!decoded) {
    EXPECT_EQ(decoded.error().code, ErrorCode::corrupt);
    return decoded.error().message;
  }
  // Whatever was accepted can be read without harm.
  std::vector<TargetView> related;
  std::size_t bytes = 0;
  for (std::uint32_t row = 0; row < decoded->rows; ++row) {
    const EventView event = decoded->event(row, related);
    bytes += event.payload.size() + event.verb.size() + event.related.size();
  }
  EXPECT_LE(bytes, std::size_t{2} * limits::block_bytes_max * limits::related_max);
  if (into != nullptr) {
    *into = std::move(*decoded);
  }
  return "accepted";
}

TEST(DecodedBody, HoldsWhatWasEncoded) {
  const auto events = testing::plain_events(50);
  DecodedBody body;
  ASSERT_EQ(decode(testing::encode(events).bytes, &body), "accepted");
  ASSERT_EQ(body.rows, 50U);
  std::vector<TargetView> related;
  std::vector<TargetView> expected_related;
  for (std::uint32_t row = 0; row < 50; ++row) {
    const EventView got = body.event(row, related);
    const EventView expected = view_of(events[row], expected_related);
    EXPECT_EQ(got.ts, expected.ts);
    EXPECT_EQ(got.actor.id, expected.actor.id);
    EXPECT_EQ(got.target, expected.target);
    EXPECT_TRUE(std::ranges::equal(got.related, expected.related));
    EXPECT_EQ(got.payload, expected.payload);
    EXPECT_EQ(got.affected, expected.affected);
    EXPECT_EQ(got.ip, expected.ip);
    EXPECT_EQ(got.outcome, expected.outcome);
  }
}

TEST(DecodedBody, BodyWithoutSectionsIsRowsOfDefaults) {
  LooseBody empty;
  empty.rows = 3;
  DecodedBody body;
  ASSERT_EQ(decode(put_together(empty), &body), "accepted");
  std::vector<TargetView> related;
  const EventView event = body.event(2, related);
  EXPECT_EQ(event.affected, 1U);
  EXPECT_EQ(event.ts, 0);
  EXPECT_TRUE(event.verb.empty());
  EXPECT_FALSE(event.ip);
}

TEST(DecodedBody, BodyCutShortOrTooLongIsCorrupt) {
  const auto body = testing::encode(testing::plain_events(5)).bytes;
  for (std::size_t size = 0; size < body.size(); ++size) {
    ASSERT_NE(decode({body.begin(), body.begin() + static_cast<long>(size)}), "accepted") << size;
  }
  auto longer = body;
  longer.push_back({});
  EXPECT_NE(decode(longer), "accepted");
}

TEST(DecodedBody, FlippedBitIsDetectedInSectionsAndHarmlessInTheDirectory) {
  const auto body = testing::encode(testing::plain_events(9)).bytes;
  const std::size_t directory = directory_size(body);
  for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
    auto damaged = body;
    testing::flip_bit(damaged, bit);
    const std::string answer = decode(damaged);
    if (bit / 8 >= directory) {
      ASSERT_NE(answer, "accepted") << "bit " << bit;
    }
  }
}

TEST(DecodedBody, FlippedBitUnderAMatchingChecksumDoesNoHarm) {
  std::size_t accepted = 0;
  const auto body = testing::encode(testing::plain_events(9)).bytes;
  for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
    auto damaged = body;
    testing::flip_bit(damaged, bit);
    testing::repair_checksums(damaged);
    accepted += decode(damaged) == "accepted" ? 1 : 0;
  }
  EXPECT_GT(accepted, body.size()) << "the checksums were not repaired";
}

TEST(DecodedBody, RandomlyRewrittenBytesUnderMatchingChecksumsDoNoHarm) {
  testing::RandomEvents events(11);
  std::mt19937_64 random(11);
  for (int round = 0; round < 40; ++round) {
    const auto body = testing::encode(events.take(1 + random() % 30)).bytes;
    for (int i = 0; i < 50; ++i) {
      auto damaged = body;
      for (std::uint64_t n = 1 + random() % 4; n > 0; --n) {
        // Mostly in the directory, where the lies are.
        const std::size_t span = random() % 3 == 0 ? damaged.size() : directory_size(body);
        damaged[random() % span] = static_cast<std::byte>(random());
      }
      testing::repair_checksums(damaged);
      decode(damaged);
    }
  }
}

TEST(DecodedBody, IdThatItsDictionaryDoesNotHaveIsCorrupt) {
  const LooseBody good = take_apart(testing::encode(testing::plain_events(12)).bytes);
  using S = Section;
  for (const S section :
       {S::actor_kind, S::actor_role, S::target_type, S::row_actor, S::row_verb, S::row_target,
        S::row_ip, S::row_outcome, S::row_reason, S::row_session, S::related_targets}) {
    LooseBody body = good;
    const std::uint32_t items = body[section].entry.items;
    std::vector<std::uint64_t> values(items, section == S::related_targets ? 1 : 0);
    values[items - 1] = 500;
    body[section] = ints_section(section, values);
    EXPECT_NE(decode(put_together(body)), "accepted") << static_cast<int>(section);
    // The same from the base, without a bit of width.
    body[section] = {{.section = section, .items = items, .base = 500}, {}};
    EXPECT_NE(decode(put_together(body)), "accepted") << static_cast<int>(section);
    body[section].entry.base = UINT64_MAX;
    EXPECT_NE(decode(put_together(body)), "accepted") << static_cast<int>(section);
  }
}

TEST(DecodedBody, EntryZeroMustBeEmpty) {
  const LooseBody good = take_apart(testing::encode(testing::plain_events(12)).bytes);
  using S = Section;
  LooseBody body = good;
  body[S::verb] = strings_section(S::verb, {"x", "EDIT", "DELETE"});
  EXPECT_NE(decode(put_together(body)), "accepted");
  for (const S section : {S::actor_kind, S::actor_role, S::target_type}) {
    body = good;
    body[section] = {{.section = section,
                      .items = good.sections.empty() ? 0 : body[section].entry.items,
                      .base = 1},
                     {}};
    EXPECT_NE(decode(put_together(body)), "accepted") << static_cast<int>(section);
  }
}

TEST(DecodedBody, AddressOfAnyOtherLengthIsCorrupt) {
  LooseBody body = take_apart(testing::encode(testing::plain_events(2)).bytes);
  body[Section::ip] = strings_section(Section::ip, {"", std::string(16, 'x')});
  EXPECT_EQ(decode(put_together(body)), "accepted");
  for (const std::size_t bytes : {0, 4, 15, 17}) {
    body[Section::ip] = strings_section(Section::ip, {"", std::string(bytes, 'x')});
    EXPECT_NE(decode(put_together(body)), "accepted") << bytes;
  }
}

TEST(DecodedBody, CountsThatAddUpToTooMuchAreCorrupt) {
  LooseBody body = take_apart(testing::encode(testing::plain_events(12)).bytes);
  using S = Section;
  const std::vector<std::pair<S, std::uint64_t>> huge = {
      {S::related_counts, limits::block_related_max},
      {S::related_counts, UINT64_MAX / 2},
      {S::payload_lengths, limits::block_bytes_max},
      {S::payload_lengths, UINT64_MAX / 2},
      {S::payload_lengths, 1},
      {S::related_counts, 1},
  };
  for (const auto& [section, count] : huge) {
    LooseBody lie = body;
    lie[section] = {{.section = section, .items = 12, .base = count}, {}};
    EXPECT_NE(decode(put_together(lie)), "accepted") << static_cast<int>(section) << ' ' << count;
  }
}

TEST(DecodedBody, RelatedTargetMustNotBeEmpty) {
  LooseBody body = take_apart(testing::encode(testing::plain_events(1)).bytes);
  body[Section::related_targets] = ints_section(Section::related_targets, {1, 0});
  EXPECT_NE(decode(put_together(body)), "accepted");
}

// A dictionary of `count` strings of one letter each that a few bytes decompress to.
testing::LooseSection bomb(Section section, std::uint32_t length) {
  return strings_section(section, {"", std::string(length, 'x')});
}

TEST(DecodedBody, CompressionBombIsBounded) {
  LooseBody body;
  body.rows = 1;
  // Each is allowed for itself: together they are more than two blocks.
  for (const Section section : {Section::kind, Section::role, Section::type}) {
    body.sections.push_back(bomb(section, limits::block_bytes_max - 1));
  }
  const auto bytes = put_together(body);
  EXPECT_LT(bytes.size(), std::size_t{1} << 20);
  EXPECT_NE(decode(bytes), "accepted");
  body.sections.pop_back();
  EXPECT_EQ(decode(put_together(body)), "accepted");
}

TEST(DecodedBody, StatedSizeOfCompressedStringsIsNotBelieved) {
  auto section = bomb(Section::kind, 100'000);
  const std::size_t at = packed_bytes(section.entry.items, section.entry.width);
  section.bytes[at + 3] = std::byte{0x7f};  // two gigabytes
  LooseBody body;
  body.rows = 1;
  body.sections = {section};
  EXPECT_NE(decode(put_together(body)), "accepted");
}

}  // namespace
}  // namespace docket
