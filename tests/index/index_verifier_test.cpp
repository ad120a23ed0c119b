#include "index/index_verifier.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "tests/index/sections.hpp"
#include "tests/support/memory_segment.hpp"
#include "tests/support/random_events.hpp"

namespace docket::index {
namespace {

using docket::testing::MemorySegment;
using docket::testing::RandomEvents;

class IndexVerifier : public ::testing::Test {
 protected:
  [[nodiscard]] std::string said(const Sections& sections) const {
    const auto verified = verify_index(*sections.open(), *segment_);
    if (!verified) {
      EXPECT_EQ(verified.error().code, ErrorCode::corrupt);
      EXPECT_EQ(verified.error().segment, 3U);
    }
    return verified ? "" : verified.error().message;
  }
  // What is said when the first section of the kind is not what it should be.
  [[nodiscard]] std::string said_of(SectionKind kind,
                                    const std::function<void(Sections::Section&)>& change) const {
    Sections sections(*segment_);
    change(sections.first(kind));
    return said(sections);
  }

  std::shared_ptr<MemorySegment> segment_ =
      MemorySegment::sealed("activity", SegmentId(3), Seq(1), RandomEvents(1).take(6000), 2048);
};

TEST_F(IndexVerifier, AnIndexAsItIsBuiltIsRight) {
  EXPECT_EQ(said(Sections(*segment_)), "");
}

TEST_F(IndexVerifier, TheSectionThatDiffersIsNamed) {
  const auto change = [](Sections::Section& section) { section.bytes[0] ^= std::byte{1}; };
  const auto cut = [](Sections::Section& section) { section.bytes.pop_back(); };
  for (const auto& how : {std::function<void(Sections::Section&)>(change), {cut}}) {
    EXPECT_EQ(said_of(SectionKind::value_page, how),
              "index: the values of verb from 0 on differ from the segment");
    EXPECT_EQ(said_of(SectionKind::row_bitmap, how),
              "index: the rows of value 1 of verb differ from the segment");
    EXPECT_EQ(said_of(SectionKind::name_filter, how),
              "index: the names of the actor table differ from the segment");
    EXPECT_EQ(said_of(SectionKind::time_sorted, how),
              "index: the order of time differ from the segment");
    EXPECT_EQ(said_of(SectionKind::block_counts, how),
              "index: the counts by block of verb differ from the segment");
  }
}

TEST_F(IndexVerifier, ASectionThatIsLeftOutIsNamed) {
  Sections sections(*segment_);
  const auto bitmap =
      std::find_if(sections.all.begin(), sections.all.end(), [](const Sections::Section& section) {
        return section.entry.kind == SectionKind::row_bitmap;
      });
  sections.all.erase(bitmap);
  EXPECT_EQ(said(sections), "index: the rows of value 1 of verb differ from the segment");
}

// Its bytes, and so its checksum, are those of the right one.
TEST_F(IndexVerifier, ASectionThatStandsForAnotherValueIsFound) {
  Sections sections(*segment_);
  for (std::size_t i = 0; i + 1 < sections.all.size(); ++i) {
    SectionEntry& entry = sections.all[i].entry;
    const SectionEntry& next = sections.all[i + 1].entry;
    const bool is_free = next.kind != entry.kind || next.dimension != entry.dimension ||
                         next.first > entry.first + 1;
    if (entry.kind == SectionKind::row_bitmap && is_free &&
        entry.first + 1 < sections.header.values[entry.dimension]) {
      const std::string value = std::to_string(entry.first++);
      EXPECT_TRUE(said(sections).starts_with("index: the rows of value " + value + " of "));
      return;
    }
  }
  FAIL() << "no such section";
}

TEST_F(IndexVerifier, ASectionTooFewAtTheEndIsFound) {
  Sections sections(*segment_);
  sections.all.pop_back();
  EXPECT_EQ(said(sections), "index: its header differs from the segment");
}

TEST_F(IndexVerifier, AHeaderThatSaysSomethingElseOfTheSegmentIsFound) {
  for (const auto& change : std::vector<void (*)(Header&)>{
           [](Header& header) { header.segment += 1; }, [](Header& header) { ++header.digest; },
           [](Header& header) { ++header.blocks; },
           [](Header& header) { ++header.shape.bitmap_rows_min; },
           [](Header& header) { header.facts.targets_overlap = !header.facts.targets_overlap; },
           [](Header& header) { ++header.values[static_cast<std::size_t>(Dimension::verb)]; }}) {
    Sections sections(*segment_);
    change(sections.header);
    EXPECT_EQ(said(sections), "index: its header differs from the segment");
  }
}

TEST_F(IndexVerifier, BytesThatDoNotMatchTheirChecksumAreFoundAtTheirPlace) {
  const Sections sections(*segment_);
  std::vector<std::byte> file = sections.file();
  const SectionEntry& last = sections.all.back().entry;
  file.back() ^= std::byte{1};
  const auto index =
      SegmentIndex::open(memory_source(file), std::make_shared<SectionCache>(1 << 24)).value();
  const auto verified = verify_index(*index, *segment_);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().message, "index: a section's checksum does not match");
  EXPECT_EQ(verified.error().offset, last.offset);
}

TEST_F(IndexVerifier, ASegmentThatCannotBeReadIsToldAndNotTheIndex) {
  const Sections sections(*segment_);
  segment_->damage_column(1, RowColumn::verb);
  const auto verified = verify_index(*sections.open(), *segment_);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().message, "a column is damaged");
}

}  // namespace
}  // namespace docket::index
