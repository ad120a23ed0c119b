#include "engine/time_strips.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <random>

#include "engine/section.hpp"

namespace docket {
namespace {

PackedInts packed(const std::vector<std::uint64_t>& times) {
  std::vector<std::byte> bytes;
  pack_bits(times, 64, bytes);
  bytes.resize(bytes.size() + section_padding);
  const std::shared_ptr<std::byte> shared(new std::byte[bytes.size()],
                                          std::default_delete<std::byte[]>());
  std::copy(bytes.begin(), bytes.end(), shared.get());
  return {shared, static_cast<std::uint32_t>(times.size()), 64, 0, 1};
}

TEST(TimeStrips, RowsOutsideNeedNoLook) {
  std::mt19937_64 random(3);
  for (const std::uint32_t rows : {0U, 1U, 127U, 128U, 129U, 5000U, 8192U}) {
    for (const std::uint64_t disorder : {1ULL, 500ULL, 1'000'000ULL}) {
      std::vector<std::uint64_t> times;
      for (std::uint32_t row = 0; row < rows; ++row) {
        const auto late = static_cast<std::int64_t>(random() % disorder);
        times.push_back(static_cast<std::uint64_t>(std::int64_t{row} * 10 - 20'000 - late));
      }
      const TimeStrips strips = TimeStrips::of(packed(times));
      for (int i = 0; i < 300; ++i) {
        const Nanos instant = rows == 0 || i % 2 == 0
                                  ? static_cast<Nanos>(random() % 120'000) - 40'000
                                  : static_cast<Nanos>(times[random() % rows] + random() % 2);
        const IdRange around = strips.around(instant);
        ASSERT_LE(around.begin, around.end);
        ASSERT_LE(around.end, rows);
        for (std::uint32_t row = 0; row < rows; ++row) {
          const bool before = static_cast<Nanos>(times[row]) < instant;
          ASSERT_TRUE(row >= around.begin || before) << row;
          ASSERT_TRUE(row < around.end || !before) << row;
        }
        const Nanos until = i % 3 == 0 ? INT64_MAX : instant + static_cast<Nanos>(random() % 9000);
        const IdRange within = strips.within(instant, until);
        ASSERT_LE(within.begin, within.end);
        for (std::uint32_t row = 0; row < rows; ++row) {
          const auto ts = static_cast<Nanos>(times[row]);
          const bool inside = row >= within.begin && row < within.end;
          ASSERT_TRUE(inside || ts < instant || ts >= until) << row;
        }
        // In order, but for a few: one strip and those that may reach into it.
        if (disorder <= 500) {
          ASSERT_LE(around.size(), 2 * time_strip_rows);
        }
      }
    }
  }
}

TEST(TimeStrips, AnInstantBetweenStripsNeedsNoLookAtAll) {
  std::vector<std::uint64_t> times(4 * std::size_t{time_strip_rows});
  for (std::size_t row = 0; row < times.size(); ++row) {
    times[row] = row;
  }
  const TimeStrips strips = TimeStrips::of(packed(times));
  EXPECT_TRUE(strips.around(2 * time_strip_rows).empty());
  EXPECT_EQ(strips.around(2 * time_strip_rows).begin, 2 * time_strip_rows);
  EXPECT_EQ(strips.around(2 * time_strip_rows + 1).size(), time_strip_rows);
  EXPECT_EQ(strips.around(INT64_MIN), (IdRange{0, 0}));
  EXPECT_EQ(strips.around(INT64_MAX).begin, 4 * time_strip_rows);
  EXPECT_EQ(strips.within(INT64_MIN, INT64_MAX), (IdRange{0, 4 * time_strip_rows}));
  EXPECT_EQ(strips.within(time_strip_rows, 2 * time_strip_rows),
            (IdRange{time_strip_rows, 2 * time_strip_rows}));
}

}  // namespace
}  // namespace docket
