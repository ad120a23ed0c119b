#include "engine/log_list.hpp"

#include <gtest/gtest.h>

#include "tests/engine/batches.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

LogList example() {
  LogList list;
  list.generation = 7;
  list.put({"campaign", SegmentId(9), Seq(1001), Seq(20'000'000)});
  list.put({"activity", SegmentId(2), Seq(1), Seq(11)});
  return list;
}

TEST(LogList, RoundTripKeepsEverythingInOrder) {
  const auto bytes = encode_log_list(example());
  const auto read = decode_log_list(bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->generation, 7U);
  ASSERT_EQ(read->logs.size(), 2U);
  EXPECT_EQ(read->logs[0], (ListedLog{"activity", SegmentId(2), Seq(1), Seq(11)}));
  EXPECT_EQ(read->logs[1], (ListedLog{"campaign", SegmentId(9), Seq(1001), Seq(20'000'000)}));
  EXPECT_EQ(encode_log_list(*read), bytes);
}

TEST(LogList, WhatIsPutAgainTakesThePlaceOfWhatWasKnown) {
  LogList list = example();
  list.put({"activity", SegmentId(3), Seq(5), Seq(50)});
  EXPECT_EQ(list.logs.size(), 2U);
  EXPECT_EQ(list.find("activity")->reserved, Seq(50));
  EXPECT_EQ(list.find("api"), nullptr);
}

TEST(LogList, EveryFlippedBitAndEveryCutIsDetected) {
  const auto bytes = encode_log_list(example());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    testing::flip_bit(damaged, bit);
    ASSERT_FALSE(decode_log_list(damaged)) << "bit " << bit;
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(decode_log_list(std::span(bytes).first(size))) << size;
  }
}

TEST(LogList, ContradictionsUnderAMatchingChecksumAreCorrupt) {
  const auto refused = [](const auto& change) {
    LogList list = example();
    change(list);
    const auto read = decode_log_list(encode_log_list(list));
    return !read && read.error().code == ErrorCode::corrupt;
  };
  EXPECT_FALSE(refused([](LogList&) {}));
  EXPECT_TRUE(refused([](LogList& list) { std::swap(list.logs[0], list.logs[1]); }));
  EXPECT_TRUE(refused([](LogList& list) { list.logs[1].log = list.logs[0].log; }));
  EXPECT_TRUE(refused([](LogList& list) { list.logs[0].log = "Not A Log"; }));
  EXPECT_TRUE(refused([](LogList& list) { list.logs[0].oldest = Seq(0); }));
  EXPECT_TRUE(refused([](LogList& list) { list.logs[0].oldest = Seq(12); }));
  EXPECT_TRUE(refused([](LogList& list) { list.logs[0].reserved = Seq(UINT64_MAX); }));
}

TEST(LogList, IsKeptInTwoCopiesOfOneContent) {
  testing::SimDisk disk;
  ASSERT_TRUE(disk.make_directories("data"));
  LogList list = example();
  ASSERT_TRUE(save_log_list(disk, "data", list));
  EXPECT_EQ(disk.content("data/loglist.a"), disk.content("data/loglist.b"));
  std::vector<std::string> damaged;
  const auto loaded = load_log_list(disk, "data", damaged);
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(loaded->is_in_both_copies);
  EXPECT_EQ(loaded->value.generation, 8U);
  EXPECT_EQ(loaded->value.logs, list.logs);
}

}  // namespace
}  // namespace docket
