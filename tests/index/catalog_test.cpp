#include "index/catalog.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "index/index_builder.hpp"
#include "index/index_file.hpp"
#include "index/segment_index.hpp"
#include "tests/support/memory_segment.hpp"
#include "tests/support/random_events.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket::index {
namespace {

using docket::testing::Fault;
using docket::testing::Io;
using docket::testing::MemorySegment;
using docket::testing::RandomEvents;
using docket::testing::SimDisk;

constexpr const char* index_path = "activity/00000000000000000003.idx";

std::shared_ptr<MemorySegment> make_segment(std::size_t events = 3000, std::uint64_t seed = 1) {
  auto segment =
      MemorySegment::sealed("activity", SegmentId(3), Seq(1000), RandomEvents(seed).take(events));
  segment->set_path("activity/00000000000000000003.seg");
  return segment;
}

class CatalogTest : public ::testing::Test {
 protected:
  CatalogTest() { EXPECT_TRUE(disk_.make_directories("activity")); }

  void flip(std::uint64_t offset) {
    auto file = disk_.open(index_path, OpenMode::read_write);
    ASSERT_TRUE(file);
    std::byte byte{};
    ASSERT_TRUE((*file)->read_at(FileOffset(offset), std::span(&byte, 1)));
    byte ^= std::byte{4};
    const std::span<const std::byte> part(&byte, 1);
    ASSERT_TRUE((*file)->write_at(FileOffset(offset), std::span(&part, 1)));
  }
  std::uint64_t file_bytes() {
    auto file = disk_.open(index_path, OpenMode::read);
    return file ? *(*file)->size() : 0;
  }

  SimDisk disk_;
};

TEST_F(CatalogTest, BuildWritesTheFileBesideTheSegment) {
  Catalog catalog(disk_, {});
  ASSERT_TRUE(catalog.build(make_segment()));
  EXPECT_GT(file_bytes(), 0U);
  EXPECT_EQ(catalog.stats().built, 1U);
}

TEST_F(CatalogTest, AnActiveSegmentHasNone) {
  Catalog catalog(disk_, {});
  const std::vector<Event> events = RandomEvents(1).take(10);
  const std::shared_ptr<const SegmentReader> segment =
      MemorySegment::active("activity", SegmentId(1), Seq(1), events, {4});
  const auto index = catalog.of(segment);
  ASSERT_TRUE(index);
  EXPECT_EQ(*index, nullptr);
  EXPECT_FALSE(catalog.build(segment));
}

TEST_F(CatalogTest, AnotherCatalogLoadsWhatIsThere) {
  ASSERT_TRUE(Catalog(disk_, {}).build(make_segment()));
  Catalog catalog(disk_, {});
  ASSERT_TRUE(catalog.of(make_segment()));
  ASSERT_TRUE(catalog.of(make_segment()));
  EXPECT_EQ(catalog.stats().built, 0U);
  EXPECT_EQ(catalog.stats().loaded, 1U);
}

TEST_F(CatalogTest, AMissingIndexIsBuiltAndWritten) {
  Catalog catalog(disk_, {});
  ASSERT_TRUE(catalog.of(make_segment()));
  EXPECT_EQ(catalog.stats().built, 1U);
  EXPECT_GT(file_bytes(), 0U);
}

TEST_F(CatalogTest, ReadOnlyBuildsInMemory) {
  Catalog catalog(disk_, {.read_only = true});
  const auto index = catalog.of(make_segment());
  ASSERT_TRUE(index);
  EXPECT_TRUE((*index)->page(Dimension::verb, 1));
  EXPECT_EQ(file_bytes(), 0U);
  EXPECT_GT(catalog.stats().bytes, 0U);
}

TEST_F(CatalogTest, SegmentsOfOneLogHaveEachTheirOwn) {
  Catalog catalog(disk_, {});
  const auto first = catalog.of(make_segment(3000));
  const auto other =
      MemorySegment::sealed("activity", SegmentId(4), Seq(4000), RandomEvents(2).take(100));
  other->set_path("activity/00000000000000000004.seg");
  const auto second = catalog.of(other);
  ASSERT_TRUE(first && second);
  EXPECT_EQ((*first)->shape().rows, 3000U);
  EXPECT_EQ((*second)->shape().rows, 100U);
}

TEST_F(CatalogTest, CountsOfABlockAreThoseOfItsRows) {
  const auto segment =
      MemorySegment::sealed("activity", SegmentId(3), Seq(1000), RandomEvents(1).take(3000), 512);
  segment->set_path("activity/00000000000000000003.seg");
  const auto index = Catalog(disk_, {}).of(segment);
  ASSERT_TRUE(index);
  const auto counts = (*index)->block_counts(Dimension::verb);
  ASSERT_TRUE(counts);
  const auto blocks = segment->blocks().value();
  for (std::size_t block = 0; block < blocks.size(); ++block) {
    std::uint32_t rows = 0;
    for (std::uint32_t value = 0; value < (*counts)->values; ++value) {
      rows += (*counts)->rows[block * (*counts)->values + value];
    }
    EXPECT_EQ(rows, blocks[block].rows) << "every event has one verb";
  }
}

TEST_F(CatalogTest, AnIndexOfAnotherSegmentIsReplaced) {
  ASSERT_TRUE(Catalog(disk_, {}).build(make_segment(3000)));
  Catalog catalog(disk_, {});
  const auto segment = make_segment(2999);  // another digest
  const auto index = catalog.of(segment);
  ASSERT_TRUE(index);
  EXPECT_EQ((*index)->digest(), segment->info().digest);
  EXPECT_EQ(catalog.stats().damaged, 1U);
  EXPECT_EQ(catalog.stats().built, 1U);
}

TEST_F(CatalogTest, EveryFlippedBytePositionIsFoundByVerify) {
  const auto segment = make_segment(400);
  Catalog catalog(disk_, {});
  ASSERT_TRUE(catalog.build(segment));
  ASSERT_TRUE(catalog.verify(segment));
  const std::uint64_t bytes = file_bytes();
  for (std::uint64_t offset = 0; offset < bytes; offset += offset < 200 ? 1 : 37) {
    flip(offset);
    const auto verified = catalog.verify(segment);
    EXPECT_FALSE(verified) << "offset " << offset;
    flip(offset);
  }
  EXPECT_TRUE(catalog.verify(segment));
}

TEST_F(CatalogTest, VerifyFindsAnIndexThatIsWholeButWrong) {
  ASSERT_TRUE(Catalog(disk_, {}).build(make_segment(3000, 1)));
  Catalog catalog(disk_, {});
  // The same number, seqs and size, so the same digest here, but other events.
  const auto verified = catalog.verify(make_segment(3000, 2));
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ErrorCode::corrupt);
}

TEST_F(CatalogTest, VerifyFindsTheSectionThatLiesUnderMatchingChecksums) {
  const auto segment = make_segment(3000);
  const std::vector<std::byte> whole = build_index(*segment).value();
  const std::span<const std::byte> bytes(whole);
  const Header header = parse_header(bytes, bytes.size()).value();
  const auto table =
      parse_table(bytes.subspan(header_bytes, header.sections * section_entry_bytes), header)
          .value();
  ASSERT_GT(table.size(), 20U);
  Catalog catalog(disk_, {});
  for (const SectionEntry& wrong : table) {
    IndexFileWriter writer;
    for (const SectionEntry& entry : table) {
      std::vector<std::byte> section(
          bytes.begin() + static_cast<std::ptrdiff_t>(entry.offset),
          bytes.begin() + static_cast<std::ptrdiff_t>(entry.offset + entry.bytes));
      if (entry.offset == wrong.offset && entry.bytes != 0) {
        section[entry.bytes / 2] ^= std::byte{0x10};
      }
      writer.add(entry.kind, entry.dimension, entry.first, section);
    }
    ASSERT_TRUE(replace_file(disk_, index_path, writer.finish(header)));
    const auto verified = catalog.verify(segment);
    ASSERT_EQ(verified.has_value(), wrong.bytes == 0);
    if (!verified) {
      EXPECT_EQ(verified.error().offset, wrong.offset);
    }
  }
}

TEST_F(CatalogTest, VerifyOfAMissingIndexIsNotFound) {
  Catalog catalog(disk_, {});
  const auto verified = catalog.verify(make_segment());
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, ErrorCode::not_found);
}

TEST_F(CatalogTest, ADamagedHeaderIsBuiltAnew) {
  ASSERT_TRUE(Catalog(disk_, {}).build(make_segment()));
  flip(30);
  Catalog catalog(disk_, {});
  ASSERT_TRUE(catalog.of(make_segment()));
  EXPECT_EQ(catalog.stats().damaged, 1U);
  EXPECT_TRUE(catalog.verify(make_segment()));
}

TEST_F(CatalogTest, ADamagedSectionIsBuiltAnewForTheNextQuery) {
  ASSERT_TRUE(Catalog(disk_, {}).build(make_segment()));
  flip(file_bytes() - 1);  // the last section: the text filter
  Catalog catalog(disk_, {});
  const auto index = catalog.of(make_segment());
  ASSERT_TRUE(index);
  EXPECT_FALSE((*index)->text_filter());
  EXPECT_TRUE((*index)->damaged());
  const auto again = catalog.of(make_segment());
  ASSERT_TRUE(again);
  EXPECT_TRUE((*again)->text_filter());
  EXPECT_EQ(catalog.stats().damaged, 1U);
}

TEST_F(CatalogTest, AnUnreadableSegmentIsTriedOnceOnly) {
  const auto segment = make_segment();
  segment->damage_column(0, RowColumn::verb);
  Catalog catalog(disk_, {});
  EXPECT_FALSE(catalog.of(segment));
  EXPECT_FALSE(catalog.of(segment));
  EXPECT_EQ(catalog.stats().built, 0U);
}

TEST_F(CatalogTest, AFullDiskDoesNotStopQueries) {
  disk_.inject(Fault{.at = 1, .kinds = Io::growing, .forever = true, .error_number = ENOSPC});
  Catalog catalog(disk_, {});
  EXPECT_FALSE(catalog.build(make_segment()));
  const auto index = catalog.of(make_segment());
  ASSERT_TRUE(index);
  EXPECT_TRUE((*index)->page(Dimension::actor, 1));
}

TEST_F(CatalogTest, MemoryStaysWithinTheBudget) {
  constexpr std::uint64_t budget = 200'000;
  Catalog catalog(disk_, {.memory_bytes = budget});
  for (std::uint64_t id = 1; id <= 8; ++id) {
    auto segment =
        MemorySegment::sealed("activity", SegmentId(id), Seq(1), RandomEvents(id).take(2000));
    const auto index = catalog.of(segment);
    ASSERT_TRUE(index);
    for (const Dimension dimension : all_dimensions) {
      for (std::uint32_t value = 0; value < (*index)->values(dimension); value += page_values) {
        EXPECT_TRUE((*index)->page(dimension, value));
      }
    }
    EXPECT_LE(catalog.stats().bytes, 2 * budget);
  }
}

TEST_F(CatalogTest, ManyThreadsBuildItOnce) {
  Catalog catalog(disk_, {});
  const auto segment = make_segment();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto index = catalog.of(segment);
      EXPECT_TRUE(index);
      for (std::uint32_t verb = 0; verb < (*index)->values(Dimension::verb); ++verb) {
        EXPECT_TRUE((*index)->page(Dimension::verb, verb));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(catalog.stats().built, 1U);
}

// What is let go of is loaded again, or built again where its file could not be written.
TEST_F(CatalogTest, WhatWasLetGoOfAnswersAgain) {
  for (const bool read_only : {true, false}) {
    Catalog catalog(disk_, {.read_only = read_only, .memory_bytes = 1});
    std::vector<std::shared_ptr<const SegmentReader>> segments;
    for (std::uint64_t id = 1; id <= 4; ++id) {
      const auto segment =
          MemorySegment::sealed("activity", SegmentId(id), Seq(1), RandomEvents(id).take(200));
      segment->set_path("activity/" + std::to_string(id));  // without an extension
      segments.push_back(segment);
    }
    for (int round = 0; round < 2; ++round) {
      for (const auto& segment : segments) {
        const auto index = catalog.of(segment);
        ASSERT_TRUE(index);
        EXPECT_EQ((*index)->segment(), segment->info().id);
        EXPECT_TRUE((*index)->page(Dimension::verb, 0));
        EXPECT_NE(catalog.existing(segment), nullptr);
      }
    }
    EXPECT_EQ(catalog.stats().built, read_only ? 8U : 4U);
    EXPECT_EQ(catalog.stats().loaded, read_only ? 0U : 4U);
  }
}

TEST_F(CatalogTest, AnActiveSegmentIsNotVerified) {
  Catalog catalog(disk_, {});
  const std::vector<Event> events = RandomEvents(1).take(10);
  const std::shared_ptr<const SegmentReader> segment =
      MemorySegment::active("activity", SegmentId(1), Seq(1), events, {4});
  EXPECT_EQ(catalog.verify(segment).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(catalog.existing(segment), nullptr);
}

}  // namespace
}  // namespace docket::index
