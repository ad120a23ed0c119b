#include "engine/active_segment.hpp"

#include <gtest/gtest.h>

#include "tests/engine/stores.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

using testing::Io;
using testing::plain_events;
using testing::receipt_time;

const std::string path = "log/00000000000000000003.hot";
const std::string prepared_path = "log/00000000000000000003.next";

class ActiveSegmentTest : public ::testing::Test {
 protected:
  ActiveSegmentTest() { static_cast<void>(disk_.make_directories("log")); }

  Result<std::unique_ptr<ActiveSegment>> create() {
    DOCKET_ASSIGN(auto segment, ActiveSegment::prepare_file(disk_, "log", header_));
    DOCKET_TRY(segment->begin(disk_, "log", Seq(101)));
    return segment;
  }
  // Writes a group of one block a batch at the next seqs.
  Result<void> append(ActiveSegment& segment, const std::vector<std::vector<Event>>& batches) {
    std::vector<HotBlock> blocks;
    std::uint64_t bytes = 0;
    for (const auto& events : batches) {
      blocks.push_back(make_hot_block(testing::encode(events), "node-1", 0, 0, receipt_time));
      bytes += blocks.back().head.size() + blocks.back().sections.size();
    }
    DOCKET_TRY(segment.prepare(bytes));
    const Seq durable = next_ - 1;
    for (HotBlock& block : blocks) {
      segment.place(block, next_, durable);
      next_ += block.header.rows;
    }
    return segment.write();
  }
  HotScan scan(Disk& disk) {
    const auto file = disk.open(path, OpenMode::read);
    auto scan = scan_hot_segment(**file, "activity", SegmentId(3), FileOffset(segment_header_bytes),
                                 Seq(101), Seq(0), [](const BlockHeader&, const BlockSender&) {});
    EXPECT_TRUE(scan);
    return *scan;
  }

  testing::SimDisk disk_;
  const SegmentFileHeader header_{SegmentKind::active, "activity", SegmentId(3), Seq(0), 77};
  Seq next_{101};
};

TEST_F(ActiveSegmentTest, PreparedFileIsDurableUnderItsOwnNameAndHoldsNothing) {
  ASSERT_TRUE(ActiveSegment::prepare_file(disk_, "log", header_));
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto survivor = disk_.after_power_loss(seed);
    EXPECT_EQ(survivor->files(), std::vector<std::string>{prepared_path});
    const auto header = decode_segment_header(survivor->content(prepared_path));
    ASSERT_TRUE(header);
    EXPECT_EQ(header->first_seq, Seq(0));
    EXPECT_EQ(header->salt, 77U);
  }
}

TEST_F(ActiveSegmentTest, PreparedFileOfAnEarlierProcessIsTakenWithItsSpaceAndSalt) {
  ASSERT_TRUE(ActiveSegment::prepare_file(disk_, "log", header_));
  const auto bytes = disk_.content(prepared_path).size();
  auto taken = ActiveSegment::take_prepared(disk_, "log", "activity", SegmentId(3));
  ASSERT_TRUE(taken) << taken.error().describe();
  ASSERT_TRUE((*taken)->begin(disk_, "log", Seq(101)));
  ASSERT_TRUE(append(**taken, {plain_events(10)}));
  EXPECT_EQ(disk_.content(path).size(), bytes);
  EXPECT_EQ(scan(disk_).next_seq, Seq(111));
  EXPECT_EQ(scan(disk_).salt, 77U);
}

TEST_F(ActiveSegmentTest, DamagedPreparedFileOrOneOfAnotherLogIsCorrupt) {
  ASSERT_TRUE(ActiveSegment::prepare_file(disk_, "log", header_));
  const auto other = ActiveSegment::take_prepared(disk_, "log", "campaign", SegmentId(3));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::corrupt);
  disk_.flip_bit(prepared_path, 300);
  const auto damaged = ActiveSegment::take_prepared(disk_, "log", "activity", SegmentId(3));
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::corrupt);
}

// Its first events are acknowledged behind this: the name must not come without the header.
TEST_F(ActiveSegmentTest, WhereverBeginningIsCutShortTheFileHasOneNameAndAWholeHeader) {
  for (std::uint64_t n = 1;; ++n) {
    testing::SimDisk disk;
    ASSERT_TRUE(disk.make_directories("log"));
    auto segment = ActiveSegment::prepare_file(disk, "log", header_);
    ASSERT_TRUE(segment);
    disk.inject({.at = n, .forever = true, .seed = n});
    const auto begun = (*segment)->begin(disk, "log", Seq(101));
    EXPECT_EQ(begun.has_value(), !disk.fault_hit());
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      const auto survivor = disk.after_power_loss(seed);
      ASSERT_EQ(survivor->files().size(), 1U) << n;
      if (survivor->files().front() == path) {
        const auto header = decode_segment_header(survivor->content(path));
        ASSERT_TRUE(header) << n;
        EXPECT_EQ(header->first_seq, Seq(101)) << n;
      } else {
        EXPECT_FALSE(begun) << n;
      }
    }
    const bool hit = disk.fault_hit();
    disk.inject({});
    ASSERT_TRUE(begun || (*segment)->begin(disk, "log", Seq(102))) << n << ": not another time";
    const auto header = decode_segment_header(disk.after_power_loss(n)->content(path));
    EXPECT_EQ(header->first_seq, begun ? Seq(101) : Seq(102)) << n;
    if (!hit) {
      break;
    }
  }
}

TEST_F(ActiveSegmentTest, CreatedFileIsDurableWithItsHeaderAndPreparedSpace) {
  ASSERT_TRUE(create());
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto survivor = disk_.after_power_loss(seed);
    const auto bytes = survivor->content(path);
    const auto header = decode_segment_header(bytes);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->first_seq, Seq(101));
    EXPECT_GT(bytes.size(), 60'000U);
    EXPECT_FALSE(scan(*survivor).header_damaged);
  }
}

TEST_F(ActiveSegmentTest, FailedPreparationLeavesNoFile) {
  for (std::uint64_t n = 1;; ++n) {
    disk_.inject({.at = n, .seed = n});
    const auto created = ActiveSegment::prepare_file(disk_, "log", header_);
    if (!disk_.fault_hit()) {
      ASSERT_TRUE(created);
      break;
    }
    EXPECT_FALSE(created) << n;
    EXPECT_TRUE(disk_.files().empty()) << n;
  }
}

TEST_F(ActiveSegmentTest, GroupIsOneWriteAndDurableOnlyAfterSync) {
  auto segment = create();
  ASSERT_TRUE(segment);
  const std::uint64_t before = disk_.io_count();
  ASSERT_TRUE(append(**segment, {plain_events(10), plain_events(20, 10), plain_events(1, 30)}));
  EXPECT_EQ(disk_.io_count(), before + 1);
  EXPECT_EQ(scan(disk_).next_seq, Seq(132)) << "readable at once";
  bool lost = false;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    lost = lost || scan(*disk_.after_power_loss(seed)).next_seq != Seq(132);
  }
  EXPECT_TRUE(lost) << "this test cannot tell";
  ASSERT_TRUE((*segment)->sync());
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    ASSERT_EQ(scan(*disk_.after_power_loss(seed)).next_seq, Seq(132));
  }
}

TEST_F(ActiveSegmentTest, BlocksTakenBackAreNotWrittenAndOthersTakeTheirPlace) {
  auto segment = create();
  ASSERT_TRUE(segment);
  ASSERT_TRUE(append(**segment, {plain_events(10)}));
  const FileOffset end = (*segment)->end();
  HotBlock block = make_hot_block(testing::encode(plain_events(5)), "node-1", 0, 0, receipt_time);
  ASSERT_TRUE((*segment)->prepare(block.head.size() + block.sections.size()));
  (*segment)->place(block, next_, next_ - 1);
  (*segment)->take_back();
  EXPECT_EQ((*segment)->end(), end);
  ASSERT_TRUE(append(**segment, {plain_events(3)}));
  ASSERT_TRUE((*segment)->sync());
  EXPECT_EQ(scan(disk_).next_seq, Seq(114));
}

TEST_F(ActiveSegmentTest, BlocksGoIntoSpacePreparedBefore) {
  auto segment = create();
  ASSERT_TRUE(segment);
  for (int n = 0; n < 30; ++n) {
    const std::size_t size = disk_.content(path).size();
    ASSERT_LE((*segment)->end().value, size);
    ASSERT_TRUE(append(**segment, {plain_events(100)}));
    EXPECT_LE((*segment)->end().value, disk_.content(path).size());
  }
  // All behind the end is zero.
  const auto bytes = disk_.content(path);
  for (std::size_t at = (*segment)->end().value; at < bytes.size(); ++at) {
    ASSERT_EQ(bytes[at], std::byte{0});
  }
}

TEST_F(ActiveSegmentTest, FullDiskInPreparingLeavesTheSegmentUsable) {
  auto segment = create();
  ASSERT_TRUE(segment);
  ASSERT_TRUE(append(**segment, {plain_events(10)}));
  disk_.set_capacity(disk_.content(path).size() + 1000);
  const auto full = (*segment)->prepare(std::uint64_t{1} << 20);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::no_space);
  EXPECT_TRUE(append(**segment, {plain_events(10)})) << "what is prepared is there to be used";
  disk_.set_capacity(std::uint64_t{1} << 40);
  EXPECT_TRUE((*segment)->prepare(std::uint64_t{1} << 20));
  EXPECT_TRUE(append(**segment, {plain_events(10)}));
  EXPECT_EQ(scan(disk_).next_seq, Seq(131));
}

TEST_F(ActiveSegmentTest, ResumedSegmentGoesOnUnderAHigherEpoch) {
  {
    auto segment = create();
    ASSERT_TRUE(append(**segment, {plain_events(10)}));
    ASSERT_TRUE((*segment)->sync());
  }
  const HotScan first = scan(disk_);
  auto resumed = ActiveSegment::resume(disk_, "log", SegmentId(3), first);
  ASSERT_TRUE(resumed);
  EXPECT_EQ((*resumed)->end(), first.end);
  ASSERT_TRUE(append(**resumed, {plain_events(10)}));
  const HotScan second = scan(disk_);
  EXPECT_EQ(second.next_seq, Seq(121));
  EXPECT_GT(second.epoch, first.epoch);
}

TEST_F(ActiveSegmentTest, ErrorsOfWriteAndSyncAreTold) {
  auto segment = create();
  ASSERT_TRUE(segment);
  disk_.inject({.at = 1, .kinds = Io::write});
  EXPECT_FALSE(append(**segment, {plain_events(10)}));
  disk_.inject({.at = 1, .kinds = Io::sync});
  EXPECT_FALSE((*segment)->sync());
}

}  // namespace
}  // namespace docket
