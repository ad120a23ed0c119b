#include "engine/producers.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "engine/bytes.hpp"
#include "engine/limits.hpp"
#include "tests/engine/batches.hpp"

namespace docket {
namespace {

using Verdict = ProducerTable::Verdict;

ProducerStamp stamp(std::uint64_t batch, std::uint64_t epoch = 1, std::string node = "node-1") {
  return {std::move(node), epoch, batch};
}

// Batch n holds 10 rows from seq 10 * n on.
void store(ProducerTable& table, std::uint64_t from, std::uint64_t to, std::uint64_t epoch = 1) {
  for (std::uint64_t n = from; n <= to; ++n) {
    table.stored(stamp(n, epoch), Seq(10 * n), 10, static_cast<Nanos>(n));
  }
}

std::string answer(const ProducerTable& table, const ProducerStamp& s, Nanos received = 1) {
  Receipt receipt;
  const auto verdict = table.check(s, received, receipt);
  if (!verdict) {
    return std::string(to_string(verdict.error().code)) + " " +
           std::to_string(verdict.error().offset);
  }
  if (*verdict == Verdict::next) {
    return "next";
  }
  EXPECT_TRUE(receipt.duplicate);
  return "duplicate " + std::to_string(receipt.first_seq.value) + "+" +
         std::to_string(receipt.rows);
}

ProducerTable reread(const ProducerTable& table) {
  std::vector<std::byte> bytes;
  table.encode(bytes);
  std::span<const std::byte> from(bytes);
  auto decoded = ProducerTable::decode(from);
  EXPECT_TRUE(decoded) << decoded.error().message;
  EXPECT_TRUE(from.empty());
  return decoded ? std::move(*decoded) : ProducerTable();
}

TEST(Producers, BatchTakenBackIsNextAgain) {
  ProducerTable table;
  store(table, 1, 3);
  table.take_back(stamp(3));
  EXPECT_EQ(answer(table, stamp(3)), "next");
  EXPECT_EQ(answer(table, stamp(2)), "duplicate 20+10");
  table.take_back(stamp(3));
  table.take_back(stamp(2, 2));
  table.take_back(stamp(2, 1, "node-2"));
  EXPECT_EQ(answer(table, stamp(3)), "next") << "only the newest can be taken back";
}

TEST(Producers, FirstBatchOfAnEpochTakenBackLeavesTheEpochBefore) {
  ProducerTable table;
  store(table, 1, 3);
  store(table, 1, 1, 2);
  table.take_back(stamp(1, 2));
  EXPECT_EQ(answer(table, stamp(1, 2)), "next");
  EXPECT_EQ(answer(table, stamp(3)), "duplicate 30+10");
  EXPECT_EQ(answer(table, stamp(4)), "next");
  table.take_back(stamp(3));
  EXPECT_EQ(answer(table, stamp(3)), "next") << "a group is taken back from its end";
}

TEST(Producers, FirstBatchOfAllTakenBackLeavesNothing) {
  ProducerTable table;
  store(table, 1, 1);
  table.take_back(stamp(1));
  EXPECT_EQ(answer(table, stamp(1)), "next");
  EXPECT_EQ(answer(reread(table), stamp(1)), "next");
  EXPECT_EQ(answer(table, stamp(2)), "out_of_order 1");
  store(table, 1, 1, 2);
  EXPECT_EQ(answer(table, stamp(1)), "out_of_order 2") << "nothing of it was stored";
}

TEST(Producers, BatchesInOrderAreNext) {
  ProducerTable table;
  EXPECT_EQ(answer(table, stamp(1)), "next");
  store(table, 1, 1);
  EXPECT_EQ(answer(table, stamp(2)), "next");
  store(table, 2, 5);
  EXPECT_EQ(answer(table, stamp(6)), "next");
}

TEST(Producers, DuplicateGetsItsOriginalReceipt) {
  ProducerTable table;
  store(table, 1, 5);
  EXPECT_EQ(answer(table, stamp(5)), "duplicate 50+10");
  EXPECT_EQ(answer(table, stamp(1)), "duplicate 10+10");
}

TEST(Producers, ReceiptsOfTheNewestBatchesAreKeptAndOlderOnesForgotten) {
  ProducerTable table;
  store(table, 1, 100);
  const std::uint64_t oldest = 100 - limits::producer_receipts_max + 1;
  EXPECT_EQ(answer(table, stamp(oldest)), "duplicate " + std::to_string(oldest * 10) + "+10");
  EXPECT_EQ(answer(table, stamp(oldest - 1)), "duplicate 0+0");
  EXPECT_EQ(answer(table, stamp(1)), "duplicate 0+0");
  EXPECT_EQ(table.all().at("node-1").newest.receipts.size(), limits::producer_receipts_max);
}

TEST(Producers, GapNamesTheBatchThatIsExpected) {
  ProducerTable table;
  EXPECT_EQ(answer(table, stamp(2)), "out_of_order 1");
  store(table, 1, 7);
  EXPECT_EQ(answer(table, stamp(9)), "out_of_order 8");
  EXPECT_EQ(answer(table, stamp(UINT64_MAX)), "out_of_order 8");
}

TEST(Producers, NewEpochStartsAgainWithBatchOne) {
  ProducerTable table;
  store(table, 1, 7);
  EXPECT_EQ(answer(table, stamp(8, 2)), "out_of_order 1");
  EXPECT_EQ(answer(table, stamp(1, 2)), "next");
  store(table, 1, 1, 2);
  EXPECT_EQ(answer(table, stamp(2, 2)), "next");
  EXPECT_EQ(answer(table, stamp(1, 2)), "duplicate 10+10");
}

TEST(Producers, EpochThatIsOverIsRefusedWithANumberAboveTheBatch) {
  ProducerTable table;
  store(table, 1, 7);
  store(table, 1, 2, 4);
  EXPECT_EQ(answer(table, stamp(1, 3)), "out_of_order 3");
  EXPECT_EQ(answer(table, stamp(2, 3)), "out_of_order 3");
  EXPECT_EQ(answer(table, stamp(3, 3)), "out_of_order 4");
  EXPECT_EQ(answer(table, stamp(8, 1)), "out_of_order 9");
}

TEST(Producers, WhatIsStoredOfTheEpochBeforeIsADuplicateAndTheRestIsRefused) {
  ProducerTable table;
  store(table, 1, 3);
  table.stored(stamp(1, 5), Seq(500), 7, 4);
  for (const ProducerTable& known : {table, reread(table)}) {
    EXPECT_EQ(answer(known, stamp(1)), "duplicate 10+10");
    EXPECT_EQ(answer(known, stamp(3)), "duplicate 30+10");
    EXPECT_EQ(answer(known, stamp(4)), "out_of_order 5") << "above the batch itself";
    EXPECT_EQ(answer(known, stamp(1, 4)), "out_of_order 2") << "an epoch between the two";
    EXPECT_EQ(answer(known, stamp(1, 5)), "duplicate 500+7");
    EXPECT_EQ(answer(known, stamp(2, 5)), "next");
  }
}

TEST(Producers, AThirdEpochMakesTheFirstForgotten) {
  ProducerTable table;
  store(table, 1, 3);
  store(table, 1, 2, 2);
  store(table, 1, 1, 3);
  EXPECT_EQ(answer(table, stamp(3, 1)), "out_of_order 4");
  EXPECT_EQ(answer(table, stamp(2, 2)), "duplicate 20+10");
  EXPECT_EQ(answer(table, stamp(3, 2)), "out_of_order 4");
}

TEST(Producers, OfTheEpochBeforeTheNewestReceiptsAreKept) {
  ProducerTable table;
  store(table, 1, 100);
  store(table, 1, 1, 2);
  const std::uint64_t oldest = 100 - receipts_before_max + 1;
  EXPECT_EQ(answer(table, stamp(oldest)), "duplicate " + std::to_string(oldest * 10) + "+10");
  EXPECT_EQ(answer(table, stamp(oldest - 1)), "duplicate 0+0") << "stored, at seqs not known";
  EXPECT_EQ(answer(table, stamp(1)), "duplicate 0+0");
  EXPECT_EQ(table.all().at("node-1").before.receipts.size(), receipts_before_max);
}

TEST(Producers, NodesDoNotKnowOfEachOther) {
  ProducerTable table;
  store(table, 1, 7);
  EXPECT_EQ(answer(table, stamp(1, 1, "node-2")), "next");
  EXPECT_EQ(answer(table, stamp(8, 1, "node-2")), "out_of_order 1");
}

TEST(Producers, UnnumberedBatchesAreAlwaysNextAndChangeNoNumber) {
  ProducerTable table;
  EXPECT_EQ(answer(table, stamp(0, 0)), "next");
  table.stored(stamp(0, 0), Seq(1), 5, 77);
  EXPECT_EQ(table.all().at("node-1").last_received, 77);
  EXPECT_EQ(answer(table, stamp(1, 0)), "next");
  store(table, 1, 3);
  table.stored(stamp(0, 9), Seq(100), 5, 88);
  EXPECT_EQ(answer(table, stamp(4)), "next");
}

TEST(Producers, NameMustBeOneTo128BytesOfUtf8) {
  ProducerTable table;
  EXPECT_EQ(answer(table, stamp(1, 1, "")), "invalid_argument 0");
  EXPECT_EQ(answer(table, stamp(1, 1, std::string(128, 'x'))), "next");
  EXPECT_EQ(answer(table, stamp(1, 1, std::string(129, 'x'))), "invalid_argument 0");
  EXPECT_EQ(answer(table, stamp(0, 1, "\xff")), "invalid_argument 0");
}

TEST(Producers, WhatIsOlderThanKnownChangesNothing) {
  ProducerTable table;
  store(table, 1, 7, 2);
  table.stored(stamp(3, 2), Seq(999), 1, 3);
  table.stored(stamp(9, 1), Seq(999), 1, 3);
  EXPECT_EQ(answer(table, stamp(3, 2)), "duplicate 30+10");
  EXPECT_EQ(answer(table, stamp(8, 2)), "next");
  EXPECT_EQ(table.all().at("node-1").last_received, 7);
}

TEST(Producers, MergeTakesWhateverIsNewer) {
  ProducerTable ours;
  store(ours, 1, 3);
  ours.stored(stamp(1, 1, "only-ours"), Seq(1), 1, 5);
  ProducerTable theirs;
  store(theirs, 1, 6);
  theirs.stored(stamp(1, 1, "only-theirs"), Seq(2), 1, 5);
  ProducerTable merged = ours;
  merged.merge(theirs);
  EXPECT_EQ(answer(merged, stamp(7)), "next");
  EXPECT_EQ(answer(merged, stamp(2, 1, "only-ours")), "next");
  EXPECT_EQ(answer(merged, stamp(2, 1, "only-theirs")), "next");
  ProducerTable other_way = theirs;
  other_way.merge(ours);
  EXPECT_EQ(answer(other_way, stamp(7)), "next");
  ProducerTable newer_epoch;
  store(newer_epoch, 1, 1, 2);
  merged.merge(newer_epoch);
  EXPECT_EQ(answer(merged, stamp(2, 2)), "next");
  EXPECT_EQ(answer(merged, stamp(6)), "duplicate 60+10") << "the epoch before";
}

TEST(Producers, MergeKeepsTheTwoNewestEpochsOfFour) {
  // Each knows two epochs; of each epoch the batches up to the number.
  using Known = std::array<std::array<std::uint64_t, 2>, 2>;
  const auto table_of = [](const Known& known) {
    ProducerTable table;
    for (const auto& [epoch, last] : known) {
      store(table, 1, last, epoch);
    }
    return table;
  };
  const auto expect_both = [&](const Known& one, const Known& other,
                               const std::vector<std::string>& answers) {
    for (const bool swapped : {false, true}) {
      ProducerTable merged = table_of(swapped ? other : one);
      merged.merge(table_of(swapped ? one : other));
      for (std::uint64_t epoch = 1; epoch <= answers.size(); ++epoch) {
        EXPECT_EQ(answer(merged, stamp(3, epoch)), answers[epoch - 1]) << epoch;
      }
    }
  };
  const std::string stored = "duplicate 30+10";
  expect_both({{{1, 3}, {2, 3}}}, {{{3, 3}, {4, 3}}},
              {"out_of_order 4", "out_of_order 4", stored, stored});
  expect_both({{{1, 3}, {4, 3}}}, {{{2, 3}, {3, 3}}},
              {"out_of_order 4", "out_of_order 4", stored, stored});
  expect_both({{{1, 3}, {3, 3}}}, {{{2, 3}, {3, 2}}}, {"out_of_order 4", stored, stored});
  expect_both({{{1, 3}, {2, 1}}}, {{{1, 2}, {2, 2}}}, {stored, "next"});
}

TEST(Producers, OneOffsAreForgottenAfterTheHorizonAndSendersNever) {
  ProducerTable table;
  table.stored(stamp(1, 1, "idempotency:a"), Seq(1), 1, 100);
  table.stored(stamp(1, 1, "idempotency:b"), Seq(2), 1, 200);
  table.stored(stamp(1, 1, "node-1"), Seq(3), 1, 100);
  table.expire(200);
  EXPECT_EQ(table.all().count("idempotency:a"), 0U);
  EXPECT_EQ(table.all().count("idempotency:b"), 1U);
  for (const std::uint64_t other : {0, 2}) {
    Receipt receipt;
    EXPECT_FALSE(table.check(stamp(1, other, "idempotency:b"), 300, receipt)) << other;
  }
  EXPECT_EQ(table.all().count("node-1"), 1U);
}

TEST(Producers, AOneOffIsKnownByWhomItShows) {
  ProducerTable table;
  ProducerStamp one = stamp(1, 7, "idempotency:a");
  one.shown = "http";
  table.stored(one, Seq(1), 2, 100);
  const auto senders = table.senders();
  ASSERT_EQ(senders.size(), 1U);
  EXPECT_EQ(senders[0].node, "http");
  EXPECT_EQ(senders[0].last_received, 100);
  table.take_back(one);
  Receipt receipt;
  EXPECT_EQ(table.check(stamp(1, 8, "idempotency:a"), 100, receipt), ProducerTable::Verdict::next)
      << "what could not be written has used no key";
}

constexpr std::size_t senders_max = producers_of_kind_max[0];
constexpr std::size_t one_offs_max = producers_of_kind_max[1];
constexpr std::size_t unnumbered_max = producers_of_kind_max[2];

// As many senders as there may be; the n-th was heard of last at n + 1.
ProducerTable full_of_senders() {
  ProducerTable table;
  for (std::size_t i = 0; i < senders_max; ++i) {
    table.stored(stamp(1, 1, "node-" + std::to_string(i)), Seq(i + 1), 1,
                 static_cast<Nanos>(i + 1));
  }
  return table;
}

TEST(Producers, AFullTableRefusesNewSendersUntilOneHasBeenSilentForLong) {
  ProducerTable table = full_of_senders();
  EXPECT_EQ(answer(table, stamp(1, 1, "new"), 1), "overloaded 0");
  EXPECT_EQ(answer(table, stamp(1, 1, "new"), 1 + sender_lifetime_min), "overloaded 0");
  EXPECT_EQ(answer(table, stamp(2, 1, "node-77")), "next") << "the known ones go on";
  EXPECT_EQ(answer(table, stamp(1, 1, "new"), 2 + sender_lifetime_min), "next");
  table.stored(stamp(1, 1, "new"), Seq(7), 1, 2 + sender_lifetime_min);
  EXPECT_EQ(answer(table, stamp(1, 1, "new")), "duplicate 7+1");
  EXPECT_EQ(table.all().count("node-0"), 0U) << "the one silent longest gave way";
  EXPECT_EQ(table.all().count("node-1"), 1U);
  EXPECT_EQ(answer(table, stamp(1, 1, "newer"), 2 + sender_lifetime_min), "overloaded 0");
  EXPECT_EQ(table.all().size(), senders_max);
}

TEST(Producers, UnnumberedSendersGiveWayToEachOtherAndToNobodyElse) {
  ProducerTable table;
  store(table, 1, 3);
  for (std::size_t i = 0; i < 5 * unnumbered_max; ++i) {
    const std::string node = "10.0.0." + std::to_string(i);
    EXPECT_EQ(answer(table, stamp(0, 0, node)), "next");
    table.stored(stamp(0, 0, node), Seq(i + 1), 1, static_cast<Nanos>(i));
    ASSERT_EQ(table.all().count(node), 1U);
    ASSERT_LE(table.all().size(), unnumbered_max + 1);
  }
  EXPECT_EQ(table.all().count("10.0.0.0"), 0U);
  EXPECT_GE(table.all().size(), unnumbered_max / 2);
  EXPECT_EQ(answer(table, stamp(3)), "duplicate 30+10");
  EXPECT_EQ(answer(table, stamp(1, 1, "new")), "next");
}

TEST(Producers, OneOffsHaveABoundOfTheirOwnAndGiveWayAfterAnHour) {
  ProducerTable table;
  const auto key = [](std::size_t i) { return std::string(one_off_prefix) + std::to_string(i); };
  for (std::size_t i = 0; i < one_offs_max; ++i) {
    table.stored(stamp(1, 1, key(i)), Seq(i + 1), 1, static_cast<Nanos>(i + 1));
  }
  EXPECT_EQ(answer(table, stamp(1, 1, key(one_offs_max)), 1 + one_off_lifetime_min),
            "overloaded 0");
  EXPECT_EQ(answer(table, stamp(1, 1, "node-1")), "next");
  const Nanos later = 2 + one_off_lifetime_min;
  EXPECT_EQ(answer(table, stamp(1, 1, key(one_offs_max)), later), "next");
  table.stored(stamp(1, 1, key(one_offs_max)), Seq(7), 1, later);
  EXPECT_EQ(answer(table, stamp(1, 1, key(one_offs_max))), "duplicate 7+1");
  EXPECT_EQ(table.all().count(key(0)), 0U);
  EXPECT_EQ(table.all().count(key(1)), 1U) << "an hour has not passed";
  const Nanos much_later = later + one_off_lifetime_min;
  EXPECT_EQ(answer(table, stamp(1, 1, key(one_offs_max + 1)), much_later), "next");
  table.stored(stamp(1, 1, key(one_offs_max + 1)), Seq(8), 1, much_later);
  EXPECT_LT(table.all().size(), one_offs_max)
      << "many at once, so that not each takes a look at all";
  EXPECT_EQ(table.all().count(key(one_offs_max)), 1U) << "the newest stay";
}

TEST(Producers, WhatIsStoredIsRememberedAlsoWhereCheckWasNotAsked) {
  // As in a recovery whose table differs from the one that had accepted the batch.
  ProducerTable table = full_of_senders();
  table.stored(stamp(1, 1, "recovered"), Seq(7), 1, 5);
  EXPECT_EQ(answer(table, stamp(1, 1, "recovered")), "duplicate 7+1");
  EXPECT_EQ(table.all().size(), senders_max);
  EXPECT_EQ(reread(table).all().size(), senders_max);
}

TEST(Producers, ASenderThatBeginsToNumberCountsAsOne) {
  ProducerTable table = full_of_senders();
  table.stored(stamp(0, 0, "later numbered"), Seq(1), 1, 1);
  EXPECT_EQ(answer(table, stamp(1, 1, "later numbered"), 1), "overloaded 0");
  const Nanos later = 2 + sender_lifetime_min;
  EXPECT_EQ(answer(table, stamp(1, 1, "later numbered"), later), "next");
  table.stored(stamp(1, 1, "later numbered"), Seq(2), 1, later);
  EXPECT_EQ(answer(table, stamp(1, 1, "later numbered")), "duplicate 2+1");
  EXPECT_EQ(table.all().size(), senders_max);
}

TEST(Producers, RecoveryForgetsWhomTheRunningLogForgot) {
  ProducerTable live = full_of_senders();
  ProducerTable recovered = reread(live);
  std::mt19937_64 random(5);
  const auto below = [&random](std::uint64_t bound) { return random() % bound; };
  Nanos now = sender_lifetime_min;
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t kind = below(3);
    std::string node = kind == 0 ? "node-" : kind == 1 ? "new-" : std::string(one_off_prefix);
    node += std::to_string(below(kind == 0 ? 300 : 100));
    const auto known = live.all().find(node);
    const std::uint64_t batch = below(4) == 0               ? 0
                                : known == live.all().end() ? 1
                                                            : known->second.newest.last_batch + 1;
    now += static_cast<Nanos>(below(3));
    const ProducerStamp next = stamp(batch, 1, node);
    if (answer(live, next, now) != "next") {
      continue;
    }
    live.stored(next, Seq(1), 1, now);
    recovered.stored(next, Seq(1), 1, now);
    if (batch != 0) {
      ASSERT_EQ(answer(live, next, now), "duplicate 1+1") << node;
    }
  }
  std::vector<std::byte> one;
  std::vector<std::byte> other;
  live.encode(one);
  recovered.encode(other);
  EXPECT_EQ(one, other);
}

TEST(Producers, ATableFullOfSendersOfOlderBoundsStaysReadable) {
  std::vector<std::byte> bytes;
  append_le(bytes, static_cast<std::uint32_t>(limits::producers_max));
  for (std::size_t i = 0; i < limits::producers_max; ++i) {
    const std::string node = std::to_string(1'000'000 + i);
    append_le(bytes, static_cast<std::uint8_t>(node.size()));
    append_bytes(bytes, as_byte_span(node));
    append_le(bytes, static_cast<Nanos>(1000));
    append_le(bytes, std::uint8_t{1});
    append_le(bytes, std::uint64_t{1});
    append_le(bytes, std::uint64_t{5});
    append_le(bytes, std::uint8_t{0});
  }
  std::span<const std::byte> from(bytes);
  ProducerTable table = ProducerTable::decode(from).value();
  EXPECT_EQ(answer(table, stamp(6, 1, "1000007")), "next");
  EXPECT_EQ(answer(table, stamp(1, 1, "new"), 1000), "overloaded 0");
  table.stored(stamp(0, 0, "10.0.0.1"), Seq(1), 1, 1000);
  table.stored(stamp(1, 1, "idempotency:x"), Seq(1), 1, 1000);
  table.stored(stamp(6, 1, "1000007"), Seq(1), 1, 1000);
  EXPECT_LE(reread(table).all().size(), limits::producers_max);
  EXPECT_EQ(answer(table, stamp(1, 1, "idempotency:x")), "duplicate 1+1");
}

void expect_same(const ProducerEpoch& one, const ProducerEpoch& other) {
  EXPECT_EQ(one.number, other.number);
  EXPECT_EQ(one.last_batch, other.last_batch);
  ASSERT_EQ(one.receipts.size(), other.receipts.size());
  for (std::size_t i = 0; i < one.receipts.size(); ++i) {
    EXPECT_EQ(one.receipts[i].batch, other.receipts[i].batch);
    EXPECT_EQ(one.receipts[i].first_seq, other.receipts[i].first_seq);
    EXPECT_EQ(one.receipts[i].rows, other.receipts[i].rows);
  }
}

TEST(Producers, EncodingKeepsEverything) {
  ProducerTable table;
  EXPECT_TRUE(reread(table).all().empty());
  store(table, 1, 70, 2);
  store(table, 1, 100, 3);
  table.stored(stamp(1, 9, std::string(128, 'x')), Seq(UINT64_MAX / 4), UINT32_MAX, INT64_MAX);
  table.stored(stamp(0, 0, "unnumbered"), Seq(5), 1, INT64_MIN);
  const ProducerTable read = reread(table);
  ASSERT_EQ(read.all().size(), 3U);
  for (const auto& [node, producer] : table.all()) {
    const Producer& got = read.all().at(node);
    EXPECT_EQ(got.last_received, producer.last_received);
    EXPECT_EQ(got.is_numbered, producer.is_numbered);
    expect_same(got.newest, producer.newest);
    expect_same(got.before, producer.before);
  }
}

TEST(Producers, DamagedEncodingIsAnErrorOrAnotherTableAndNeverACrash) {
  ProducerTable table;
  store(table, 1, 3);
  store(table, 1, 2, 2);
  table.stored(stamp(1, 1, "node-2"), Seq(1), 1, 1);
  std::vector<std::byte> bytes;
  table.encode(bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<long>(size));
    std::span<const std::byte> from(cut);
    ASSERT_FALSE(ProducerTable::decode(from)) << size;
  }
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    testing::flip_bit(damaged, bit);
    std::span<const std::byte> from(damaged);
    if (const auto decoded = ProducerTable::decode(from)) {
      ASSERT_LE(decoded->all().size(), limits::producers_max);
    }
  }
}

TEST(Producers, MoreThanThereMayBeIsRefused) {
  std::vector<std::byte> bytes;
  append_le(bytes, static_cast<std::uint32_t>(limits::producers_max + 1));
  bytes.resize(bytes.size() + 1'000'000);
  std::span<const std::byte> from(bytes);
  EXPECT_FALSE(ProducerTable::decode(from));
}

}  // namespace
}  // namespace docket
