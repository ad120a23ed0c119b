#include "engine/segment_source.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

class SegmentSourceTest : public ::testing::Test {
 protected:
  // Encodes a list behind what there is; where it starts is the file's size before.
  SectionEntry add(const std::vector<std::string>& strings) {
    std::vector<std::uint32_t> lengths;
    std::string all;
    for (const std::string& string : strings) {
      lengths.push_back(static_cast<std::uint32_t>(string.size()));
      all += string;
    }
    return encode_strings(lengths, bytes_of(all), bytes);
  }
  std::unique_ptr<SegmentSource> open() {
    disk.plant("f", bytes);
    return std::make_unique<SegmentSource>(disk.open("f", OpenMode::read).value(), cache,
                                           SegmentId(1), "f");
  }

  std::vector<std::byte> bytes;
  testing::SimDisk disk;
  SectionCache cache{1 << 20};
};

TEST_F(SegmentSourceTest, ListsThatShareAPlaceAreToldApart) {
  const SectionEntry none = add({""});
  ASSERT_TRUE(bytes.empty()) << "this test is about lists without bytes";
  const SectionEntry some = add({"", "one", "two"});
  const auto source = open();
  for (int round = 0; round < 2; ++round) {  // from the file, then from the cache
    ASSERT_EQ(source->strings(none, FileOffset(0)).value()->size(), 1U);
    const auto list = source->strings(some, FileOffset(0)).value();
    ASSERT_EQ(list->size(), 3U);
    EXPECT_EQ((*list)[2], "two");
  }
}

TEST_F(SegmentSourceTest, WhatIsCachedIsNotReadAgain) {
  const SectionEntry entry = add({"", "one", "two"});
  const auto source = open();
  ASSERT_TRUE(source->strings(entry, FileOffset(0)));
  disk.inject({.at = 1, .forever = true});
  EXPECT_TRUE(source->strings(entry, FileOffset(0)));
  EXPECT_FALSE(disk.fault_hit());
}

TEST_F(SegmentSourceTest, DamageIsReportedWithItsPlaceAndNotCached) {
  const std::vector<std::string> before{"0123456789"};
  static_cast<void>(add(before));
  const FileOffset at(bytes.size());
  const SectionEntry entry = add({"", "one", "two"});
  const auto source = open();
  disk.flip_bit("f", at.value * 8);
  const auto damaged = source->strings(entry, at);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::corrupt);
  EXPECT_EQ(damaged.error().segment, 1U);
  EXPECT_EQ(damaged.error().offset, at.value);
  disk.flip_bit("f", at.value * 8);
  EXPECT_TRUE(source->strings(entry, at));
}

}  // namespace
}  // namespace docket
