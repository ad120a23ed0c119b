#include "engine/hot_segment.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/engine/stores.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

using testing::as_stored;
using testing::HotFile;
using testing::plain_events;
using testing::read_all;

std::shared_ptr<const SegmentSource> source_of(testing::SimDisk& disk, HotFile& file,
                                               SectionCache& cache) {
  disk.plant("f.hot", file.bytes());
  return std::make_shared<const SegmentSource>(disk.open("f.hot", OpenMode::read).value(), cache,
                                               file.id(), "f.hot");
}

TEST(AppendOnly, ViewKeepsWhatItWasShownWhileMoreIsAppended) {
  AppendOnly<int> array;
  std::vector<AppendOnly<int>::View> views;
  for (int i = 0; i < 1000; ++i) {
    views.push_back(array.view());
    array.append(i);
  }
  EXPECT_EQ(array.size(), 1000U);
  EXPECT_EQ(array.back(), 999);
  for (std::size_t size = 0; size < views.size(); ++size) {
    const auto span = views[size].span();
    ASSERT_EQ(span.size(), size);
    for (std::size_t i = 0; i < size; i += 37) {
      ASSERT_EQ(span[i], static_cast<int>(i));
    }
  }
}

TEST(AppendOnly, OneThreadMayAppendWhileOthersReadTheirViews) {
  AppendOnly<std::uint64_t> array;
  std::mutex mutex;
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      AppendOnly<std::uint64_t>::View view;
      {
        const std::lock_guard lock(mutex);
        view = array.view();
      }
      for (std::size_t i = 0; i < view.size; ++i) {
        ASSERT_EQ(view.span()[i], i);
      }
    }
  });
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const std::lock_guard lock(mutex);
    array.append(i);
  }
  done = true;
  reader.join();
}

TEST(HotBlocks, InfoIsThatOfTheBlocksAppended) {
  testing::SimDisk disk;
  SectionCache cache(1 << 20);
  HotFile file(SegmentId(4), Seq(101));
  file.add(plain_events(10));
  file.skip(2);
  file.add(plain_events(5, 10));
  const auto segment = file.open(disk, "f.hot", cache);
  const SegmentInfo& info = segment->info();
  EXPECT_EQ(info.id, SegmentId(4));
  EXPECT_EQ(info.log, "activity");
  EXPECT_EQ(info.first_seq, Seq(101));
  EXPECT_EQ(info.last_seq, Seq(117));
  EXPECT_EQ(info.rows, 15U);
  EXPECT_EQ(info.ts_min, testing::plain_event(0).ts);
  EXPECT_EQ(info.ts_max, testing::plain_event(14).ts);
  EXPECT_EQ(info.received_max, testing::receipt_time);
  EXPECT_EQ(info.bytes, file.bytes().size());
  EXPECT_FALSE(info.sealed);
  const auto blocks = segment->blocks().value();
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[1].first_row, 10U);
  EXPECT_EQ(blocks[1].first_seq, Seq(113));
  EXPECT_TRUE(blocks[0].has_payload);
  EXPECT_TRUE(blocks[0].has_related);
}

TEST(HotBlocks, WithoutRowsTheSegmentIsEmpty) {
  testing::SimDisk disk;
  SectionCache cache(1 << 20);
  HotFile file(SegmentId(4), Seq(101));
  file.add({}, Seq(100), 3);
  const auto segment = file.open(disk, "f.hot", cache);
  EXPECT_EQ(segment->info().rows, 0U);
  EXPECT_EQ(segment->info().first_seq, Seq(101));
  EXPECT_EQ(segment->info().last_seq, Seq(100));
  EXPECT_TRUE(segment->blocks().value().empty());
}

TEST(HotBlocks, ReaderIsFrozenWhileMoreIsAppended) {
  testing::SimDisk disk;
  SectionCache cache(1 << 20);
  HotFile file;
  for (std::uint64_t n = 0; n < 10; ++n) {
    file.add(plain_events(3, n * 3));
  }
  HotBlocks blocks(source_of(disk, file, cache), "activity", Seq(1));
  std::vector<std::shared_ptr<const SegmentBase>> readers;
  for (const BlockHeader& header : file.headers()) {
    readers.push_back(blocks.reader(0));
    blocks.append(header);
  }
  for (std::size_t n = 0; n < readers.size(); ++n) {
    EXPECT_EQ(readers[n]->info().rows, n * 3);
    EXPECT_TRUE(read_all(*readers[n]) == as_stored(plain_events(n * 3)));
  }
}

TEST(HotBlocks, EachBlockHasDictionariesOfItsOwn) {
  testing::SimDisk disk;
  SectionCache cache(1 << 20);
  HotFile file;
  file.add(plain_events(3));
  file.add(plain_events(3));
  const auto segment = file.open(disk, "f.hot", cache);
  const auto first = segment->dictionaries(0).value();
  EXPECT_NE(first, segment->dictionaries(1).value());
  EXPECT_EQ(first, segment->dictionaries(0).value()) << "kept in the cache";
  EXPECT_FALSE(first->sorted());
  std::string text;
  ASSERT_TRUE(first->strings(DictionaryField::verb).value()->read(1, text));
  EXPECT_EQ(text, "DELETE") << "in order of first appearance";
}

TEST(HotBlocks, BlockThatIsNotTheOneExpectedIsCorrupt) {
  testing::SimDisk disk;
  SectionCache cache(1 << 20);
  HotFile file;
  file.add(plain_events(3));
  auto header = file.headers()[0];
  for (const auto& change :
       {+[](BlockHeader& h) { h.first_seq += 1; }, +[](BlockHeader& h) { h.rows += 1; },
        +[](BlockHeader& h) { h.offset += 64; }}) {
    BlockHeader other = header;
    change(other);
    HotBlocks blocks(source_of(disk, file, cache), "activity", Seq(1));
    blocks.append(other);
    const auto column = blocks.reader(0)->column(0, RowColumn::ts);
    ASSERT_FALSE(column);
    EXPECT_EQ(column.error().segment, 1U);
  }
}

}  // namespace
}  // namespace docket
