// What readers of an index are told where a section lies under checksums that match, or is not
// there: an error, and that the index is damaged. Never another answer.
#include "index/segment_index.hpp"

#include <gtest/gtest.h>

#include <array>

#include "tests/index/sections.hpp"
#include "tests/support/memory_segment.hpp"
#include "tests/support/random_events.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket::index {
namespace {

using docket::testing::MemorySegment;
using docket::testing::RandomEvents;
using docket::testing::SimDisk;

// Asks for what the first section of the kind holds. Whether there is an answer.
bool asks(const SegmentIndex& index, SectionKind kind) {
  switch (kind) {
    case SectionKind::value_page:
      return index.page(Dimension::verb, 1).has_value();
    case SectionKind::row_bitmap:
      return index.bitmap(Dimension::verb, 1).has_value();
    case SectionKind::name_filter:
      // A filter that cannot be read rules nothing out.
      EXPECT_TRUE(index.may_have_name(Dimension::actor, "nobody has it") || !index.damaged());
      return !index.damaged();
    case SectionKind::time_sorted:
      return index.time_sorted().has_value();
    case SectionKind::block_counts:
      return index.block_counts(Dimension::verb).has_value();
    case SectionKind::changed_names:
      return index.changed_names().has_value();
    case SectionKind::text_filter:
      return index.text_filter().has_value();
  }
  return false;
}

// Those that the index of any segment with diffs has.
constexpr std::array all_kinds = {SectionKind::value_page,   SectionKind::row_bitmap,
                                  SectionKind::name_filter,  SectionKind::time_sorted,
                                  SectionKind::block_counts, SectionKind::changed_names};

class SegmentIndexTest : public ::testing::Test {
 protected:
  std::shared_ptr<MemorySegment> segment_ =
      MemorySegment::sealed("activity", SegmentId(3), Seq(1), RandomEvents(1).take(6000), 2048);
};

TEST_F(SegmentIndexTest, EverySectionOfASoundIndexIsRead) {
  const auto index = Sections(*segment_).open();
  for (const SectionKind kind : all_kinds) {
    EXPECT_TRUE(asks(*index, kind)) << static_cast<int>(kind);
  }
  EXPECT_FALSE(index->damaged());
}

TEST_F(SegmentIndexTest, ASectionOfAnotherSizeIsAnErrorAndTheIndexDamaged) {
  for (const SectionKind kind : all_kinds) {
    for (const int more : {-1, 1}) {
      Sections sections(*segment_);
      auto& bytes = sections.first(kind).bytes;
      bytes.resize(bytes.size() + static_cast<std::size_t>(more));
      const auto index = sections.open();
      EXPECT_FALSE(asks(*index, kind)) << static_cast<int>(kind) << ' ' << more;
      EXPECT_TRUE(index->damaged()) << static_cast<int>(kind) << ' ' << more;
    }
  }
}

TEST_F(SegmentIndexTest, ASectionThatIsMissingIsAnErrorAndTheIndexDamaged) {
  for (const SectionKind kind : all_kinds) {
    Sections sections(*segment_);
    std::erase_if(sections.all,
                  [kind](const Sections::Section& each) { return each.entry.kind == kind; });
    const auto index = sections.open();
    EXPECT_FALSE(asks(*index, kind)) << static_cast<int>(kind);
    EXPECT_TRUE(index->damaged()) << static_cast<int>(kind);
  }
}

TEST_F(SegmentIndexTest, WhatTheDiskCannotReadIsAnError) {
  SimDisk disk;
  const Sections sections(*segment_);
  disk.plant("x.idx", sections.file());
  const auto open = [&]() -> Result<std::shared_ptr<const SegmentIndex>> {
    DOCKET_ASSIGN(auto source, file_source(disk, "x.idx"));
    return SegmentIndex::open(std::move(source), std::make_shared<SectionCache>(1 << 24));
  };
  for (const SectionKind kind : all_kinds) {
    const auto index = open().value();
    disk.inject({.at = 1, .forever = true});
    EXPECT_FALSE(asks(*index, kind)) << static_cast<int>(kind);
    disk.inject({});
    EXPECT_TRUE(asks(*open().value(), kind));
  }
  // Opening: each of its calls.
  for (std::uint64_t at = 1;; ++at) {
    disk.inject({.at = at});
    const bool opened = open().has_value();
    EXPECT_EQ(opened, !disk.fault_hit()) << at;
    if (opened) {
      break;
    }
  }
}

// With requests on several pages, and verbs on one.
class SegmentTotals : public ::testing::Test {
 protected:
  SegmentTotals() {
    std::vector<Event> events = RandomEvents(2).take(2 * page_values + 100);
    for (std::size_t i = 0; i < events.size(); ++i) {
      events[i].request = std::to_string(i - i % 3);
      events[i].request.resize(1 + i % 128, 'x');
    }
    segment_ = MemorySegment::sealed("activity", SegmentId(3), Seq(1), events);
  }
  // The pages of requests begin with this one.
  static std::size_t first_page(const Sections& sections) {
    std::size_t at = 0;
    while (sections.all[at].entry.kind != SectionKind::value_page ||
           sections.all[at].entry.dimension != static_cast<std::uint8_t>(Dimension::request)) {
      ++at;
    }
    return at;
  }

  std::shared_ptr<MemorySegment> segment_;
};

TEST_F(SegmentTotals, AreThoseOfThePages) {
  const auto index = Sections(*segment_).open();
  ASSERT_GT(index->values(Dimension::request), page_values);
  ASSERT_LT(index->values(Dimension::verb), page_values);
  for (const Dimension dimension : {Dimension::request, Dimension::verb, Dimension::target}) {
    const auto totals = index->totals(dimension);
    ASSERT_TRUE(totals);
    ASSERT_EQ(totals->size(), index->values(dimension));
    for (std::uint32_t value = 0; value < totals->size(); ++value) {
      const auto page = *index->page(dimension, value);
      ASSERT_EQ((*totals)[value], page->rows(value % page_values)) << value;
    }
  }
}

TEST_F(SegmentTotals, APageThatIsMissingOrNoneIsAnErrorAndTheIndexDamaged) {
  Sections missing(*segment_);
  missing.all.erase(missing.all.begin() + static_cast<std::ptrdiff_t>(first_page(missing)) + 1);
  Sections cut(*segment_);
  cut.all[first_page(cut) + 1].bytes.pop_back();
  for (const Sections* const sections : {&missing, &cut}) {
    const auto index = sections->open();
    EXPECT_FALSE(index->totals(Dimension::request));
    EXPECT_TRUE(index->damaged());
    EXPECT_TRUE(index->totals(Dimension::verb));
  }
}

TEST_F(SegmentIndexTest, AFileThatEndsWithinItsHeaderOrTableIsNoIndex) {
  const std::vector<std::byte> file = Sections(*segment_).file();
  for (const std::size_t size : {std::size_t{0}, header_bytes - 1, header_bytes, file.size() - 1}) {
    const auto opened = SegmentIndex::open(
        memory_source({file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size)}),
        std::make_shared<SectionCache>(1 << 24));
    ASSERT_FALSE(opened) << size;
    EXPECT_EQ(opened.error().code, ErrorCode::corrupt) << size;
  }
}

}  // namespace
}  // namespace docket::index
