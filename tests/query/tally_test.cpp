#include "query/tally.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace docket::query::testing {
namespace {

std::vector<Tally::Entry> read(const Tally& tally) {
  std::vector<Tally::Entry> entries;
  Tally::Entry entry;
  for (Tally::Reader reader(tally); reader.next(entry);) {
    entries.push_back(entry);
  }
  return entries;
}

std::vector<Tally::Entry> entries_of_every_size() {
  std::vector<Tally::Entry> entries;
  std::uint32_t number = 0;
  for (const std::uint32_t passed : {0U, 1U, 2U, 3U, 4U, 130U, 131U, 70'000U, 1'000'000'000U}) {
    for (const std::uint32_t count : {1U, 2U, 63U, 64U, 65U, 191U, 192U, 4'194'304U, UINT32_MAX}) {
      number += passed;
      entries.push_back(Tally::Entry{number, count});
      ++number;
      if (passed == 1'000'000'000U) {
        break;
      }
    }
  }
  entries.push_back(Tally::Entry{UINT32_MAX - 1, 1});
  return entries;
}

Tally tally_of(const std::vector<Tally::Entry>& entries) {
  Tally tally;
  for (const Tally::Entry& entry : entries) {
    tally.add(entry.number, entry.count);
  }
  return tally;
}

TEST(Tally, WhatWasAddedComesOut) {
  const auto entries = entries_of_every_size();
  const Tally tally = tally_of(entries);
  EXPECT_EQ(read(tally), entries);
  EXPECT_EQ(tally.entries(), entries.size());
  EXPECT_TRUE(read(Tally()).empty());
}

TEST(Tally, ManySmallCountsTakeAByteEach) {
  Tally tally;
  for (std::uint32_t number = 1; number <= 100'000; ++number) {
    tally.add(number, 1 + number % 60);
  }
  tally.shrink();
  EXPECT_EQ(tally.memory_bytes(), 100'000U);
}

TEST(Tally, APartOfTheNumbersIsKept) {
  const auto entries = entries_of_every_size();
  for (const std::uint32_t begin : {0U, 5U, 80'000U}) {
    for (const std::uint32_t end : {0U, 6U, 70'000U, UINT32_MAX}) {
      Tally tally = tally_of(entries);
      tally.keep(begin, end);
      std::vector<Tally::Entry> expected;
      for (const Tally::Entry& entry : entries) {
        if (entry.number >= begin && entry.number < end) {
          expected.push_back(entry);
        }
      }
      EXPECT_EQ(read(tally), expected) << begin << " to " << end;
      EXPECT_EQ(tally.entries(), expected.size());
      EXPECT_LE(tally.memory_bytes(), expected.size() * 12);
    }
  }
}

}  // namespace
}  // namespace docket::query::testing
