#include "engine/sealed_segment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <thread>
#include <utility>

#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/limits.hpp"
#include "engine/sealer.hpp"
#include "engine/segment_file.hpp"
#include "tests/engine/stores.hpp"
#include "tests/engine/watched_disk.hpp"
#include "tests/support/random_events.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

using testing::Io;
using testing::plain_events;

class SealedSegmentTest : public ::testing::Test {
 protected:
  SealedSegmentTest() { static_cast<void>(disk_.make_directories("log")); }

  std::shared_ptr<SealedSegment> seal(const std::vector<Event>& events) {
    testing::HotFile file;
    for (std::size_t at = 0; at < events.size(); at += 5000) {
      const std::size_t end = std::min(events.size(), at + 5000);
      file.add({events.begin() + static_cast<long>(at), events.begin() + static_cast<long>(end)});
    }
    SectionCache cache(1 << 20);
    const auto hot = file.open(disk_, "log/1.hot", cache);
    const auto sealed = seal_segment(disk_, {hot.get(), "log", {}});
    EXPECT_TRUE(sealed) << sealed.error().describe();
    info_ = sealed->info;
    return open();
  }
  std::shared_ptr<SealedSegment> open() {
    return std::make_shared<SealedSegment>(disk_, cache_, info_);
  }

  testing::SimDisk disk_;
  SectionCache cache_{8 << 20};
  SegmentInfo info_;
};

TEST_F(SealedSegmentTest, NothingIsReadBeforeItIsAskedFor) {
  seal(plain_events(100));
  const std::uint64_t before = disk_.io_count();
  const auto segment = open();
  EXPECT_EQ(segment->info().rows, 100U);
  EXPECT_EQ(disk_.io_count(), before);
  EXPECT_TRUE(segment->blocks());
  EXPECT_GT(disk_.io_count(), before);
}

TEST_F(SealedSegmentTest, DictionariesAreOneSortedObjectForAllBlocks) {
  testing::RandomEvents random(3);
  const auto segment = seal(random.take(10'000));
  ASSERT_EQ(segment->blocks().value().size(), 2U);
  const auto dictionaries = segment->dictionaries(0).value();
  EXPECT_EQ(dictionaries, segment->dictionaries(1).value());
  EXPECT_TRUE(dictionaries->sorted());
  const StringTable* names = dictionaries->target_names().value();
  const StringTable* ids = dictionaries->target_ids().value();
  const PackedInts types = dictionaries->target_types().value();
  ASSERT_EQ(ids->size(), dictionaries->target_count());
  ASSERT_GT(ids->size(), 2 * limits::dictionary_page_entries) << "this test is about pages";
  std::string scanned;
  std::tuple<std::uint64_t, std::string, std::string> last;
  ASSERT_TRUE(ids->scan(0, ids->size(), [&](std::uint32_t id, std::string_view text) {
    std::string single;
    EXPECT_TRUE(ids->read(id, single));
    EXPECT_EQ(single, text);
    std::string name;
    EXPECT_TRUE(names->read(id, name));
    std::tuple next(types[id], std::string(text), name);
    EXPECT_TRUE(id == 0 || last < next) << id;
    last = std::move(next);
    return true;
  }));
}

// So that a device can fetch together what would else be asked for piece by piece.
class SealedSegmentOnADevice : public SealedSegmentTest {
 protected:
  std::shared_ptr<SealedSegment> open_watched() {
    auto segment = std::make_shared<SealedSegment>(watched_, cache_, info_);
    EXPECT_TRUE(segment->blocks());
    watched_.look_at_ranges(&ranges_);
    return segment;
  }
  // How many of what was read between two places was announced before, and how many not.
  std::pair<int, int> reads_within(std::uint64_t begin, std::uint64_t end) {
    std::pair<int, int> reads;
    for (auto range = ranges_.begin(); range != ranges_.end(); ++range) {
      if (!range->is_announced && begin <= range->begin && range->end <= end) {
        const bool announced = std::any_of(ranges_.begin(), range, [&](const auto& other) {
          return other.is_announced && other.begin <= range->begin && range->end <= other.end;
        });
        ++(announced ? reads.first : reads.second);
      }
    }
    return reads;
  }
  std::ptrdiff_t announced() {
    return std::count_if(ranges_.begin(), ranges_.end(),
                         [](const auto& range) { return range.is_announced; });
  }

  testing::WatchedDisk watched_{disk_};
  std::vector<testing::WatchedDisk::Range> ranges_;
};

class SealedBlocksOnADevice : public SealedSegmentOnADevice,
                              public ::testing::WithParamInterface<bool> {};

INSTANTIATE_TEST_SUITE_P(Payloads, SealedBlocksOnADevice, ::testing::Bool());

TEST_P(SealedBlocksOnADevice, ABlockIsAnnouncedAtOnceUnlessItIsAtHand) {
  testing::RandomEvents random(3);
  std::vector<Event> events = random.take(10'000);
  for (Event& event : events) {
    event.payload = GetParam() ? event.payload : "";
  }
  seal(events);
  const auto segment = open_watched();
  for (const std::uint32_t block : {1U, 0U}) {
    // As a search does that found rows by their time and target.
    ASSERT_TRUE(segment->column(block, RowColumn::ts));
    ASSERT_TRUE(segment->column(block, RowColumn::target));
    ranges_.clear();
    segment->will_read(block);
    EXPECT_EQ(announced(), 1);
    EventReader reader(*segment);
    const BlockInfo info = segment->blocks().value()[block];
    Event event;
    ASSERT_TRUE(reader.read(info.first_row + info.rows - 1, event));
    EXPECT_EQ(event.target, events[info.first_row + info.rows - 1].target);
    const FileRange range = segment->range(block);
    const auto [told, untold] = reads_within(range.at.value, range.at.value + range.bytes);
    EXPECT_GE(told, 8);
    EXPECT_EQ(untold, 0);
    ranges_.clear();
    segment->will_read(block);
    EXPECT_EQ(announced(), 0) << "what is in memory is not fetched";
  }
}

TEST_F(SealedSegmentOnADevice, PagesOfDictionariesAreAnnouncedOnceOneIsMissing) {
  testing::RandomEvents random(3);
  seal(random.take(10'000));
  const auto segment = open_watched();
  const StringTable* ids = segment->dictionaries(0).value()->target_ids().value();
  constexpr std::uint32_t page = limits::dictionary_page_entries;
  ASSERT_GT(ids->size(), 8 * page) << "this test is about pages";
  std::string text;
  ASSERT_TRUE(ids->read(0, text));  // and the tokens, which all pages share
  ranges_.clear();
  const std::vector<std::uint32_t> wanted{1,        page,     page + 1, 2 * page,
                                          5 * page, 6 * page, 7 * page};
  const auto read = [&](std::span<const std::uint32_t> some) {
    ASSERT_TRUE(ids->read_ascending(some, [](std::size_t, std::span<const std::string_view>) {}));
  };
  read(wanted);
  // 1 and 2 in one, and 5 to 7.
  EXPECT_EQ(announced(), 2);
  EXPECT_EQ(reads_within(0, UINT64_MAX), std::pair(5, 0));
  ranges_.clear();
  read(wanted);
  EXPECT_TRUE(ranges_.empty());
}

TEST_F(SealedSegmentTest, ScanTakesAnyRangeAndStopsWhenTold) {
  const auto segment = seal(plain_events(1000));
  const StringTable* ids = segment->dictionaries(0).value()->target_ids().value();
  for (const auto& [begin, end] :
       {std::pair(0U, 0U), std::pair(255U, 257U), std::pair(300U, 900U), std::pair(1000U, 1000U)}) {
    std::uint32_t expected = begin;
    ASSERT_TRUE(ids->scan(begin, end, [&](std::uint32_t id, std::string_view) {
      EXPECT_EQ(id, expected++);
      return true;
    }));
    EXPECT_EQ(expected, end);
  }
  int calls = 0;
  ASSERT_TRUE(ids->scan(0, 1000, [&](std::uint32_t, std::string_view) { return ++calls < 7; }));
  EXPECT_EQ(calls, 7);
}

TEST_F(SealedSegmentTest, RunsHoldThePayloadsOfTheirRows) {
  testing::RandomEvents random(4);
  const std::vector<Event> events = random.take(10'000);
  const auto segment = seal(events);
  PayloadBuffer buffer;
  std::size_t row = 0;
  std::size_t runs_read = 0;
  for (std::uint32_t block = 0; block < segment->blocks().value().size(); ++block) {
    const auto runs = segment->payload_runs(block).value();
    ASSERT_NE(runs, nullptr);
    const auto starts = runs->starts();
    const auto first_rows = runs->first_rows();
    ASSERT_EQ(first_rows.front(), 0U);
    ASSERT_EQ(first_rows.back(), segment->blocks().value()[block].rows);
    ASSERT_EQ(starts.size(), first_rows.back() + 1);
    for (std::size_t run = 0; run + 1 < first_rows.size(); ++run, ++runs_read) {
      const std::string_view text = runs->read(run, buffer).value();
      for (std::uint32_t r = first_rows[run]; r < first_rows[run + 1]; ++r, ++row) {
        EXPECT_EQ(text.substr(starts[r] - starts[first_rows[run]], starts[r + 1] - starts[r]),
                  events[row].payload);
      }
    }
  }
  EXPECT_EQ(row, events.size());
  EXPECT_GT(runs_read, 4U) << "this test is about several runs";
  // Together they are what each is alone.
  const auto runs = segment->payload_runs(0).value();
  const std::size_t count = runs->first_rows().size() - 1;
  PayloadBuffer alone;
  for (const std::vector<std::size_t>& numbers :
       {std::vector<std::size_t>{count - 1, 0}, {2, 0, 1}, {0, 1, 2, count - 1}}) {
    const RunTexts texts = runs->read(numbers, buffer).value();
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      EXPECT_EQ(texts[i], runs->read(numbers[i], alone).value());
    }
  }
  EXPECT_EQ(seal(std::vector<Event>(1))->payload_runs(0).value(), nullptr);
}

TEST_F(SealedSegmentTest, ADamagedRunIsNamedAmongOthers) {
  testing::RandomEvents random(4);
  const auto segment = seal(random.take(10'000));
  const auto runs = segment->payload_runs(0).value();
  PayloadBuffer buffer;
  bool found = false;
  for (std::uint64_t byte = 4096; byte < info_.bytes && !found; byte += 501) {
    disk_.flip_bit(info_.path, byte * 8);
    const auto alone = runs->read(1, buffer);
    if (!alone) {
      found = true;
      const auto together = runs->read(std::array<std::size_t, 3>{0, 1, 2}, buffer);
      ASSERT_FALSE(together);
      EXPECT_EQ(together.error().describe(), alone.error().describe());
      EXPECT_TRUE(runs->read(std::array<std::size_t, 2>{0, 2}, buffer));
    }
    disk_.flip_bit(info_.path, byte * 8);
  }
  EXPECT_TRUE(found);
}

TEST_F(SealedSegmentTest, FileThatIsNotTheManifestsIsCorrupt) {
  seal(plain_events(100));
  const auto refused = [this](const auto& change) {
    const SegmentInfo good = info_;
    change(info_);
    const auto blocks = open()->blocks();
    info_ = good;
    return !blocks && blocks.error().code == ErrorCode::corrupt;
  };
  EXPECT_FALSE(refused([](SegmentInfo&) {}));
  EXPECT_TRUE(refused([](SegmentInfo& i) { i.digest ^= 1; }));
  EXPECT_TRUE(refused([](SegmentInfo& i) { i.rows += 1; }));
  EXPECT_TRUE(refused([](SegmentInfo& i) { i.first_seq += 1; }));
}

TEST_F(SealedSegmentTest, ErrorOfOpeningIsNotKeptForEver) {
  seal(plain_events(100));
  const auto segment = open();
  disk_.inject({.at = 1, .kinds = Io::open});
  const auto blocks = segment->blocks();
  ASSERT_FALSE(blocks);
  EXPECT_EQ(blocks.error().code, ErrorCode::io);
  EXPECT_TRUE(segment->blocks());
}

TEST_F(SealedSegmentTest, EveryDamagedByteIsReportedWithItsPlaceOrTouchesNothingRead) {
  const auto events = plain_events(200);
  seal(events);
  const auto expected = testing::as_stored(events);
  std::size_t reported = 0;
  const std::size_t size = disk_.content(info_.path).size();
  for (std::uint64_t byte = segment_header_bytes; byte < size; byte += 3) {
    disk_.flip_bit(info_.path, byte * 8 + byte % 8);
    SectionCache cache(1 << 20);
    const SealedSegment segment(disk_, cache, info_);
    EventReader reader(segment);
    bool damaged = false;
    Event event;
    for (std::uint32_t row = 0; row < 200 && !damaged; ++row) {
      const auto read = reader.read(row, event);
      if (!read) {
        ASSERT_EQ(read.error().code, ErrorCode::corrupt);
        ASSERT_EQ(read.error().segment, 1U);
        damaged = true;
      } else {
        ASSERT_EQ(event, expected[row]) << "damage at " << byte << " was believed";
      }
    }
    reported += damaged ? 1 : 0;
    disk_.flip_bit(info_.path, byte * 8 + byte % 8);
  }
  EXPECT_GT(reported, size / 3 / 2);
}

TEST_F(SealedSegmentTest, FilesOfARetiredSegmentStayUntilTheLastReaderLetsGo) {
  auto segment = seal(plain_events(100));
  disk_.plant("log/1.idx", {});
  ASSERT_TRUE(disk_.unlink("log/1.hot"));
  auto reader = segment;
  segment->remove_when_released({info_.path, "log/1.idx"},
                                std::make_shared<const SegmentRemoval>(disk_, "log"));
  segment.reset();
  EXPECT_EQ(disk_.files().size(), 2U);
  EXPECT_EQ(testing::read_all(*reader).size(), 100U) << "opened after it was retired";
  reader.reset();
  EXPECT_TRUE(disk_.files().empty());
  EXPECT_TRUE(disk_.after_power_loss(1)->files().empty()) << "the directory was not synced";
}

TEST_F(SealedSegmentTest, FilesOfOthersStay) {
  seal(plain_events(100)).reset();
  EXPECT_EQ(disk_.files().size(), 2U);
}

TEST_F(SealedSegmentTest, ThreadsMayAskForTheFirstTimeAtOnce) {
  const auto events = plain_events(9000);
  const auto expected = testing::as_stored(events);
  seal(events);
  const auto segment = open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      EventReader reader(*segment);
      Event event;
      for (std::uint32_t row = static_cast<std::uint32_t>(t); row < 9000; row += 40) {
        ASSERT_TRUE(reader.read(row, event));
        ASSERT_EQ(event, expected[row]);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

// A block whose columns lie under checksums that match: as a hostile directory may hold.
TEST_F(SealedSegmentTest, IdThatTheDictionaryDoesNotHaveIsReportedFromEveryColumn) {
  seal(plain_events(100));
  const auto original = disk_.content(info_.path);
  const auto file = disk_.open(info_.path, OpenMode::read);
  const Footer footer = load_footer(**file, info_.id).value().footer;
  for (const Section section :
       {Section::row_actor, Section::row_verb, Section::row_target, Section::row_ip,
        Section::row_outcome, Section::row_reason, Section::row_session, Section::row_node}) {
    Footer lying = footer;
    for (SectionEntry& entry : lying.blocks[0].directory.entries) {
      if (entry.section == section) {
        entry.base += 1'000'000;
      }
    }
    auto bytes = original;
    const std::size_t at = original.size() - encode_footer(footer, FileOffset(0)).size();
    bytes.resize(at);
    append_bytes(bytes, encode_footer(lying, FileOffset(at)));
    disk_.plant(info_.path, bytes);
    info_.digest = trailer_digest(bytes);
    const auto segment = open();
    // In all orders, so that nothing is found in the cache that was not inspected.
    for (std::size_t first = 0; first < row_column_count; ++first) {
      SectionCache cache(1 << 20);
      const SealedSegment fresh(disk_, cache, info_);
      EXPECT_TRUE(fresh.blocks());
      static_cast<void>(fresh.column(0, static_cast<RowColumn>(first)));
      static_cast<void>(fresh.related(0));
      EventReader reader(fresh);
      Event event;
      const auto read = reader.read(0, event);
      ASSERT_FALSE(read) << static_cast<int>(section);
      ASSERT_EQ(read.error().code, ErrorCode::corrupt);
    }
  }
}

}  // namespace
}  // namespace docket
