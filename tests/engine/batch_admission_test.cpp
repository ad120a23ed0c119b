#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "engine/batch.hpp"
#include "engine/block.hpp"
#include "engine/bytes.hpp"
#include "engine/limits.hpp"
#include "tests/engine/batches.hpp"
#include "tests/support/random_events.hpp"

namespace docket {
namespace {

using testing::encode;
using testing::events_of;
using testing::ints_section;
using testing::LooseBody;
using testing::put_together;
using testing::receipt_time;
using testing::strings_section;
using testing::take_apart;

Result<AdmittedBatch> admit(std::vector<std::byte> wire, const EventRules& rules = {}) {
  return admit_batch(std::move(wire), rules, receipt_time, testing::looks_like_object);
}

TEST(BatchAdmission, CleanBatchIsTakenOverByteForByte) {
  testing::RandomEvents random(2);
  const EncodedBatch batch = encode(random.take(500));
  const auto admitted = admit(batch.bytes);
  ASSERT_TRUE(admitted) << admitted.error().message;
  EXPECT_TRUE(admitted->rejected.empty());
  EXPECT_EQ(admitted->batch.bytes, batch.bytes);
  EXPECT_EQ(admitted->batch.rows, 500U);
  EXPECT_EQ(admitted->batch.ts_min, batch.ts_min);
  EXPECT_EQ(admitted->batch.ts_max, batch.ts_max);
}

TEST(BatchAdmission, BatchWithoutRowsIsAdmitted) {
  const auto admitted = admit(encode({}).bytes);
  ASSERT_TRUE(admitted);
  EXPECT_EQ(admitted->batch.rows, 0U);
  EXPECT_EQ(admitted->batch.ts_min, 0);
}

struct Violation {
  const char* field;
  std::function<void(Event&)> commit;
};

std::vector<Violation> violations() {
  const std::string s256(256, 's');
  const std::string bad = "\xff";
  return {
      {"ts", [](Event& e) { e.ts = receipt_time + limits::future_ns_max + 1; }},
      {"actor.kind", [](Event& e) { e.actor.kind = ""; }},
      {"actor.kind", [=](Event& e) { e.actor.kind = s256; }},
      {"actor.kind", [=](Event& e) { e.actor.kind = bad; }},
      {"actor.id", [](Event& e) { e.actor.id = ""; }},
      {"actor.id", [=](Event& e) { e.actor.id = s256; }},
      {"actor.id", [=](Event& e) { e.actor.id = bad; }},
      {"actor.name", [=](Event& e) { e.actor.name = s256; }},
      {"actor.name", [=](Event& e) { e.actor.name = bad; }},
      {"actor.role", [=](Event& e) { e.actor.role = s256; }},
      {"actor.role", [=](Event& e) { e.actor.role = bad; }},
      {"actor.kind", [](Event& e) { e.actor = {}; }},
      {"verb", [](Event& e) { e.verb = ""; }},
      {"verb", [](Event& e) { e.verb = std::string(65, 'V'); }},
      {"verb", [](Event& e) { e.verb = "Edit"; }},
      {"verb", [=](Event& e) { e.verb = bad; }},
      {"target.type", [](Event& e) { e.target.type = ""; }},
      {"target.type", [=](Event& e) { e.target.type = s256; }},
      {"target.type", [=](Event& e) { e.target.type = bad; }},
      {"target.type", [](Event& e) { e.target = {}; }},
      {"target.id", [=](Event& e) { e.target.id = s256; }},
      {"target.id", [=](Event& e) { e.target.id = bad; }},
      {"target.name", [=](Event& e) { e.target.name = s256; }},
      {"target.name", [=](Event& e) { e.target.name = bad; }},
      {"related", [](Event& e) { e.related.assign(257, {"List", "1", ""}); }},
      {"related[1].type", [](Event& e) { e.related = {{"List", "", ""}, {"", "1", ""}}; }},
      {"related[0].id", [=](Event& e) { e.related = {{"List", s256, ""}}; }},
      {"related[0].name", [=](Event& e) { e.related = {{"List", "", bad}}; }},
      {"reason", [=](Event& e) { e.reason = s256; }},
      {"reason", [=](Event& e) { e.reason = bad; }},
      {"session", [](Event& e) { e.session = std::string(129, 's'); }},
      {"session", [=](Event& e) { e.session = bad; }},
      {"request", [](Event& e) { e.request = std::string(129, 's'); }},
      {"request", [=](Event& e) { e.request = bad; }},
      {"payload", [](Event& e) { e.payload = "{" + std::string(65535, ' ') + "}"; }},
      {"payload", [](Event& e) { e.payload = "[1]"; }},
  };
}

TEST(BatchAdmission, RowThatBreaksARuleIsNamedAndItsNeighboursAreKept) {
  const auto all = violations();
  for (std::size_t v = 0; v < all.size(); ++v) {
    SCOPED_TRACE(std::string(all[v].field) + ", violation " + std::to_string(v));
    auto events = testing::plain_events(9);
    all[v].commit(events[4]);
    const auto admitted = admit(encode(events).bytes);
    ASSERT_TRUE(admitted) << admitted.error().message;
    ASSERT_EQ(admitted->rejected.size(), 1U);
    EXPECT_EQ(admitted->rejected[0].row, 4U);
    EXPECT_TRUE(admitted->rejected[0].error.starts_with(std::string(all[v].field) + ": "))
        << admitted->rejected[0].error;
    events.erase(events.begin() + 4);
    EXPECT_EQ(admitted->batch.rows, 8U);
    EXPECT_EQ(events_of(admitted->batch.bytes), events);
    EXPECT_EQ(admitted->batch.bytes, encode(events).bytes) << "a trace of the rejected is left";
  }
}

TEST(BatchAdmission, RuleThatEveryRowBreaksIsNamedForEach) {
  for (const Violation& violation : violations()) {
    SCOPED_TRACE(violation.field);
    auto events = testing::plain_events(3);
    for (Event& event : events) {
      violation.commit(event);
    }
    const auto admitted = admit(encode(events).bytes);
    ASSERT_TRUE(admitted) << admitted.error().message;
    ASSERT_EQ(admitted->rejected.size(), 3U);
    for (std::uint32_t row = 0; row < 3; ++row) {
      EXPECT_EQ(admitted->rejected[row].row, row);
      EXPECT_TRUE(admitted->rejected[row].error.starts_with(std::string(violation.field) + ": "))
          << admitted->rejected[row].error;
    }
    EXPECT_EQ(admitted->batch.rows, 0U);
  }
}

TEST(BatchAdmission, EachOfManyRejectedRowsIsNamedInOrder) {
  const auto all = violations();
  std::vector<Event> events;
  std::vector<Event> good;
  for (std::size_t v = 0; v < all.size(); ++v) {
    good.push_back(testing::plain_event(v));
    events.push_back(good.back());
    events.push_back(testing::plain_event(v + 100));
    all[v].commit(events.back());
  }
  const auto admitted = admit(encode(events).bytes);
  ASSERT_TRUE(admitted) << admitted.error().message;
  ASSERT_EQ(admitted->rejected.size(), all.size());
  for (std::size_t v = 0; v < all.size(); ++v) {
    EXPECT_EQ(admitted->rejected[v].row, 2 * v + 1);
    EXPECT_TRUE(admitted->rejected[v].error.starts_with(all[v].field));
  }
  EXPECT_EQ(events_of(admitted->batch.bytes), good);
}

TEST(BatchAdmission, BatchOfWhichNothingIsLeftHasNoRows) {
  auto events = testing::plain_events(3);
  for (Event& event : events) {
    event.verb.clear();
  }
  const auto admitted = admit(encode(events).bytes);
  ASSERT_TRUE(admitted);
  EXPECT_EQ(admitted->rejected.size(), 3U);
  EXPECT_EQ(admitted->batch.rows, 0U);
}

TEST(BatchAdmission, PayloadLimitIsTheOneAskedFor) {
  auto events = testing::plain_events(1);
  events[0].payload = "{" + std::string(98, ' ') + "}";
  EXPECT_TRUE(admit(encode(events).bytes, {100})->rejected.empty());
  EXPECT_EQ(admit(encode(events).bytes, {99})->rejected.size(), 1U);
}

TEST(BatchAdmission, EventAtTheEdgeOfTheFutureIsAdmitted) {
  auto events = testing::plain_events(2);
  events[0].ts = receipt_time + limits::future_ns_max;
  events[1].ts = INT64_MIN;
  EXPECT_TRUE(admit(encode(events).bytes)->rejected.empty());
}

// --- bodies that no builder makes ----------------------------------------------------------------

TEST(BatchAdmission, WhatOnlyTheServerSaysIsRefusedFromTheWire) {
  const LooseBody good = take_apart(encode(testing::plain_events(5)).bytes);
  const auto refused = [&good](testing::LooseSection section) {
    LooseBody body = good;
    body.insert(std::move(section));
    return !admit(put_together(body));
  };
  EXPECT_TRUE(refused(ints_section(Section::row_received, {1, 2, 3, 4, 5})));
  EXPECT_TRUE(refused({{.section = Section::row_received, .items = 5, .base = 7}, {}}));
  EXPECT_TRUE(refused(strings_section(Section::node, {"", "me"})));
  // Not even where they say nothing: the server adds its own.
  EXPECT_TRUE(refused({{.section = Section::row_received, .items = 5}, {}}));
  EXPECT_TRUE(refused(ints_section(Section::row_received, {0, 0, 0, 0, 0})));
  EXPECT_TRUE(refused({{.section = Section::row_node, .items = 5}, {}}));
  EXPECT_TRUE(refused({{.section = Section::row_node, .width = 1, .items = 5}, {std::byte{}}}));
  EXPECT_TRUE(refused(strings_section(Section::node, {""})));
}

// What is admitted must be readable once it is on the disk.
void expect_readable_block(AdmittedBatch admitted) {
  const HotBlock block = make_hot_block(std::move(admitted.batch), "node", 1, 1, receipt_time);
  auto body = std::vector<std::byte>(block.head.begin() + block_header_bytes, block.head.end());
  body.insert(body.end(), block.sections.begin(), block.sections.end());
  const auto directory = parse_directory(body);
  ASSERT_TRUE(directory) << directory.error().message;
  EXPECT_EQ(directory->body_bytes, block.header.body_bytes);
  EXPECT_LE(directory->body_bytes, limits::block_bytes_max);
}

TEST(BatchAdmission, NothingUnreferencedIsStored) {
  // A dictionary may hold what no row refers to; nobody has checked it for any row.
  LooseBody body = take_apart(encode(testing::plain_events(3)).bytes);
  const std::string secret(300'000, 'x');
  body[Section::reason] = strings_section(Section::reason, {"", "rate_limited", secret});
  const auto admitted = admit(put_together(body));
  ASSERT_TRUE(admitted) << admitted.error().message;
  EXPECT_TRUE(admitted->rejected.empty());
  EXPECT_EQ(events_of(admitted->batch.bytes), testing::plain_events(3));
  EXPECT_EQ(admitted->batch.bytes, encode(testing::plain_events(3)).bytes);

  body[Section::reason] = strings_section(Section::reason, {"", "rate_limited", "\xff"});
  const auto not_utf8 = admit(put_together(body));
  ASSERT_TRUE(not_utf8) << not_utf8.error().message;
  EXPECT_EQ(not_utf8->batch.bytes, encode(testing::plain_events(3)).bytes);
}

TEST(BatchAdmission, EmptyStringUnderAnotherIdIsAbsentLikeEveryOther) {
  LooseBody body = take_apart(encode(testing::plain_events(3)).bytes);
  body[Section::reason] = strings_section(Section::reason, {"", ""});
  auto expected = testing::plain_events(3);
  expected[2].reason.clear();
  const auto admitted = admit(put_together(body));
  ASSERT_TRUE(admitted) << admitted.error().message;
  EXPECT_EQ(admitted->batch.bytes, encode(expected).bytes);
}

TEST(BatchAdmission, CharacterCutInTwoByTwoStringsIsNotUtf8) {
  LooseBody body = take_apart(encode(testing::plain_events(3)).bytes);
  body[Section::reason] = strings_section(Section::reason, {"", "\xc3", "\xa9"});
  const auto admitted = admit(put_together(body));
  ASSERT_TRUE(admitted) << admitted.error().message;
  ASSERT_EQ(admitted->rejected.size(), 1U);
  EXPECT_EQ(admitted->rejected[0].error, "reason: is not valid UTF-8");
}

// Rows with payloads of these sizes, stored as they are: which a sender may do however well they
// could be compressed.
std::vector<std::byte> body_with_payloads(const std::vector<std::uint64_t>& lengths) {
  auto events = testing::plain_events(lengths.size());
  for (Event& event : events) {
    event.payload.clear();
  }
  LooseBody body = take_apart(encode(events).bytes);
  testing::LooseSection data;
  data.entry = {.section = Section::payload_data,
                .codec = Codec::chunks,
                .items = static_cast<std::uint32_t>(lengths.size())};
  std::string all;
  for (std::uint32_t row = 0; row < lengths.size(); ++row) {
    append_le(data.bytes, row);
    append_le(data.bytes, static_cast<std::uint32_t>(lengths[row]));
    append_le(data.bytes, static_cast<std::uint32_t>(lengths[row]));
    append_le(data.bytes, std::uint32_t{0});
    all += "{" + std::string(lengths[row] - 2, ' ') + "}";
  }
  append_bytes(data.bytes, as_byte_span(all));
  body.insert(ints_section(Section::payload_lengths, lengths));
  body.insert(std::move(data));
  return put_together(body);
}

// A body of exactly `bytes` whose payloads take up nearly all of it.
std::vector<std::byte> body_of_size(std::size_t bytes) {
  constexpr std::uint64_t row_bytes = 60'000;
  std::vector<std::uint64_t> lengths(bytes / (row_bytes + 100), row_bytes);
  std::size_t rest = bytes - body_with_payloads(lengths).size();
  for (std::uint64_t& length : lengths) {
    const std::size_t more = std::min<std::size_t>(rest, 5'000);
    length += more;
    rest -= more;
  }
  auto body = body_with_payloads(lengths);
  EXPECT_EQ(body.size(), bytes);
  return body;
}

TEST(BatchAdmission, WhateverFitsOnTheWireFitsABlockOrIsRefused) {
  for (const std::size_t below : {0, 1, 60, 100, 140, 300}) {
    SCOPED_TRACE(below);
    if (auto admitted = admit(body_of_size(limits::block_bytes_max - below))) {
      expect_readable_block(std::move(*admitted));
    }
  }
  auto largest = admit(body_of_size(limits::batch_bytes_max));
  ASSERT_TRUE(largest) << largest.error().message;
  expect_readable_block(std::move(*largest));
  EXPECT_FALSE(admit(body_of_size(limits::batch_bytes_max + 1)));
}

TEST(BatchAdmission, ABrokenRowOfALargeBatchIsLeftOutAndTheOthersAreKept) {
  // Larger than what a builder puts in one batch.
  LooseBody body = take_apart(body_of_size(limits::batch_bytes_max - 1000));
  const std::uint32_t rows = body.rows;
  std::vector<std::uint64_t> verbs(rows, 1);
  verbs[rows / 2] = 0;
  body.remove(Section::row_verb);
  body.insert(ints_section(Section::row_verb, verbs));
  auto admitted = admit(put_together(body));
  ASSERT_TRUE(admitted) << admitted.error().message;
  ASSERT_EQ(admitted->rejected.size(), 1U);
  EXPECT_EQ(admitted->rejected[0].row, rows / 2);
  EXPECT_EQ(admitted->rejected[0].error, "verb: is required");
  EXPECT_EQ(admitted->batch.rows, rows - 1);
  auto expected = events_of(put_together(body));
  expected.erase(expected.begin() + rows / 2);
  EXPECT_EQ(events_of(admitted->batch.bytes), expected);
  expect_readable_block(std::move(*admitted));
}

TEST(BatchAdmission, WhatIsEncodedAgainIsAdmittedAgainUnchanged) {
  testing::RandomEvents random(7);
  for (int i = 0; i < 20; ++i) {
    auto events = random.take(200);
    events[static_cast<std::size_t>(i)].verb.clear();
    events[100].actor.id = "\xff";
    const auto once = admit(encode(events).bytes);
    ASSERT_TRUE(once) << once.error().message;
    EXPECT_EQ(once->batch.rows, 198U);
    const auto twice = admit(once->batch.bytes);
    ASSERT_TRUE(twice) << twice.error().message;
    EXPECT_TRUE(twice->rejected.empty());
    EXPECT_EQ(twice->batch.bytes, once->batch.bytes);
  }
}

// 8,192 rows that share a related target of the longest strings 128 times each, in a few bytes.
TEST(BatchAdmission, ManyReferencesToABrokenTargetAreRejectedEachByItsPlace) {
  auto events = testing::plain_events(limits::block_rows_max);
  for (Event& event : events) {
    event.payload.clear();
    event.related.clear();
  }
  const std::string bad = std::string(254, 'n') + "\xff";
  events[0].related = {{"List", "1", "fine"}, {"List", "2", bad}};
  LooseBody body = take_apart(encode(events).bytes);
  const std::uint64_t targets = body[Section::target_type].entry.items;
  body.remove(Section::related_counts);
  body.remove(Section::related_targets);
  std::vector<std::uint64_t> ids(std::size_t{128} * limits::block_rows_max, 2);
  for (std::size_t i = 127; i < ids.size(); i += 128) {
    ids[i] = 3;
  }
  ASSERT_GT(targets, 3U);
  body.insert(ints_section(Section::related_counts,
                           std::vector<std::uint64_t>(limits::block_rows_max, 128)));
  body.insert(ints_section(Section::related_targets, ids));
  const auto admitted = admit(put_together(body));
  ASSERT_TRUE(admitted) << admitted.error().message;
  ASSERT_EQ(admitted->rejected.size(), limits::block_rows_max);
  for (const RejectedRow& rejected : admitted->rejected) {
    ASSERT_EQ(rejected.error, "related[127].name: is not valid UTF-8");
  }
}

TEST(BatchAdmission, MoreRelatedTargetsThanThereMayBeAreRejectedUnread) {
  auto events = testing::plain_events(3);
  events[1].related = {{"List", "1", ""}};
  LooseBody body = take_apart(encode(events).bytes);
  body.remove(Section::related_counts);
  body.remove(Section::related_targets);
  body.insert(ints_section(Section::related_counts, {0, limits::block_related_max, 0}));
  body.insert(
      {{.section = Section::related_targets, .items = limits::block_related_max, .base = 1}, {}});
  const auto admitted = admit(put_together(body));
  ASSERT_TRUE(admitted) << admitted.error().message;
  ASSERT_EQ(admitted->rejected.size(), 1U);
  EXPECT_EQ(admitted->rejected[0].error, "related: has more than 256 entries");
  EXPECT_EQ(admitted->batch.rows, 2U);
}

TEST(BatchAdmission, PayloadsThatDecompressToMoreThanABatchAreRefused) {
  for (const std::uint32_t row_bytes : {11'000U, 14'000U}) {
    auto events = testing::plain_events(1000);
    const std::string payload = "{" + std::string(row_bytes - 2, ' ') + "}";
    std::string all;
    for (Event& event : events) {
      event.payload.clear();
      all += payload;
    }
    LooseBody body = take_apart(encode(events).bytes);
    BodyWriter writer;
    writer.start(1000);
    writer.add_payloads(std::vector<std::uint32_t>(1000, row_bytes), as_byte_span(all));
    for (auto& section : take_apart(writer.finish()).sections) {
      body.insert(std::move(section));
    }
    const auto wire = put_together(body);
    EXPECT_LT(wire.size(), 500'000U);
    EXPECT_EQ(admit(wire).has_value(), all.size() <= limits::batch_bytes_max) << row_bytes;
  }
}

TEST(BatchAdmission, TruncatedAnywhereIsAnErrorAndNeverACrash) {
  testing::RandomEvents random(3);
  const auto wire = encode(random.take(6)).bytes;
  for (std::size_t size = 0; size < wire.size(); ++size) {
    auto cut = std::vector<std::byte>(wire.begin(), wire.begin() + static_cast<long>(size));
    ASSERT_FALSE(admit(cut)) << size;
    testing::repair_checksums(cut);
    ASSERT_FALSE(admit(cut)) << size << " with checksums repaired";
  }
}

TEST(BatchAdmission, WhateverIsAdmittedFromAFlippedBitKeepsEveryRule) {
  const auto wire = encode(testing::plain_events(9)).bytes;
  std::size_t admitted_count = 0;
  for (std::size_t bit = 0; bit < wire.size() * 8; ++bit) {
    auto damaged = wire;
    testing::flip_bit(damaged, bit);
    testing::repair_checksums(damaged);
    auto admitted = admit(damaged);
    if (!admitted) {
      continue;
    }
    ++admitted_count;
    std::vector<TargetView> related;
    for (const Event& event : events_of(admitted->batch.bytes)) {
      const auto checked = check_event(view_of(event, related), {}, receipt_time, false);
      ASSERT_TRUE(checked) << "bit " << bit << ": " << checked.error().message;
    }
    expect_readable_block(std::move(*admitted));
  }
  EXPECT_GT(admitted_count, wire.size()) << "the checksums were not repaired";
}

TEST(BatchAdmission, AbsurdCountsAreRefusedBeforeMemoryIsGivenToThem) {
  const LooseBody good = take_apart(encode(testing::plain_events(5)).bytes);
  for (std::size_t s = 0; s < good.sections.size(); ++s) {
    for (const std::uint32_t items : {1'100'000U, 0x7fffffffU, 0xffffffffU}) {
      LooseBody body = good;
      body.sections[s].entry.items = items;
      EXPECT_FALSE(admit(put_together(body)));
      body.sections[s].entry.width = 0;
      body.sections[s].bytes.clear();
      EXPECT_FALSE(admit(put_together(body)));
    }
  }
}

}  // namespace
}  // namespace docket
