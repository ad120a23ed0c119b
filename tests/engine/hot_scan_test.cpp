#include "engine/hot_scan.hpp"

#include <gtest/gtest.h>

#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "engine/limits.hpp"
#include "tests/engine/stores.hpp"
#include "tests/support/sim_disk.hpp"
#include "tests/support/sim_inode.hpp"

namespace docket {
namespace {

using testing::HotFile;
using testing::plain_events;

struct Scanned {
  HotScan scan;
  std::vector<Seq> blocks;  // first seqs of those visited
  std::vector<std::string> nodes;
};

Scanned scan_of(const std::vector<std::byte>& bytes, SegmentId id = SegmentId(1),
                Seq expected = Seq(1), FileOffset from = FileOffset(segment_header_bytes),
                Seq proven = Seq(0)) {
  testing::SimDisk disk;
  disk.plant("f.hot", bytes);
  const auto file = disk.open("f.hot", OpenMode::read);
  Scanned scanned;
  auto scan = scan_hot_segment(**file, "activity", id, from, expected, proven,
                               [&](const BlockHeader& header, const BlockSender& sender) {
                                 scanned.blocks.push_back(header.first_seq);
                                 scanned.nodes.push_back(sender.node);
                               });
  EXPECT_TRUE(scan) << scan.error().describe();
  scanned.scan = std::move(*scan);
  return scanned;
}

std::vector<Seq> seqs(std::initializer_list<std::uint64_t> values) {
  std::vector<Seq> result;
  for (const std::uint64_t value : values) {
    result.emplace_back(value);
  }
  return result;
}

// Blocks of 10 events each, every one committed on its own.
HotFile file_of(std::size_t blocks) {
  HotFile file;
  for (std::size_t n = 0; n < blocks; ++n) {
    file.add(plain_events(10, n * 10));
  }
  return file;
}

// Damages the body of block `n` in the middle.
void damage(HotFile& file, std::size_t n) {
  const BlockHeader& header = file.headers()[n];
  testing::flip_bit(file.bytes(), (header.offset.value + header.block_bytes() / 2) * 8 + 3);
}

TEST(HotScan, SoundFileIsReadToItsEnd) {
  HotFile file = file_of(3);
  const std::uint64_t end = file.end();
  for (const std::size_t zeros : {0, 1, 63, 64, 5000, 3 << 20}) {
    file.bytes().resize(end + zeros);
    const Scanned got = scan_of(file.bytes());
    EXPECT_EQ(got.blocks, seqs({1, 11, 21}));
    EXPECT_EQ(got.nodes, std::vector<std::string>(3, "node-1"));
    EXPECT_EQ(got.scan.next_seq, Seq(31));
    EXPECT_EQ(got.scan.durable_seq, Seq(20));
    EXPECT_EQ(got.scan.end, FileOffset(end));
    EXPECT_EQ(got.scan.torn_end, FileOffset(end)) << "zeros are not a torn tail";
    EXPECT_TRUE(got.scan.damage.empty());
    EXPECT_FALSE(got.scan.header_damaged);
  }
}

TEST(HotScan, FileWithoutBlocksIsEmpty) {
  const Scanned got = scan_of(HotFile(SegmentId(1), Seq(77)).bytes(), SegmentId(1), Seq(77));
  EXPECT_TRUE(got.blocks.empty());
  EXPECT_EQ(got.scan.next_seq, Seq(77));
  EXPECT_EQ(got.scan.end, FileOffset(segment_header_bytes));
}

TEST(HotScan, LastBlockCutAnywhereIsATornTail) {
  HotFile file = file_of(3);
  const auto whole = file.bytes();
  const std::uint64_t last = file.block_at(2);
  for (std::uint64_t size = last; size < whole.size(); size += 1 + size % 7) {
    auto torn = whole;
    std::fill(torn.begin() + static_cast<long>(size), torn.end(), std::byte{0});
    const Scanned got = scan_of(torn);
    // The padding of a block may be lost without harm.
    if (size < last + block_header_bytes + file.headers()[2].body_bytes && torn != whole) {
      ASSERT_EQ(got.blocks, seqs({1, 11})) << size;
      ASSERT_EQ(got.scan.end, FileOffset(last));
      ASSERT_LE(got.scan.torn_end, FileOffset(size));
      ASSERT_TRUE(got.scan.damage.empty());
    }
    torn.resize(size);
    ASSERT_EQ(scan_of(torn).scan.next_seq, Seq(21)) << "the file itself ends at " << size;
  }
}

TEST(HotScan, TornEndIsBehindTheLastByteThatIsNotZero) {
  HotFile file = file_of(2);
  const std::uint64_t end = file.end();
  file.pad(2 << 20);
  file.bytes()[end + 100'003] = std::byte{1};
  const Scanned got = scan_of(file.bytes());
  EXPECT_EQ(got.scan.end, FileOffset(end));
  EXPECT_EQ(got.scan.torn_end, FileOffset(end + 100'004));
}

TEST(HotScan, TornGroupOfWhichALaterBlockIsWholeIsCutWhole) {
  HotFile file = file_of(2);
  const Seq durable = file.next_seq() - 1;
  file.add(plain_events(10, 20), durable);
  file.add(plain_events(10, 30), durable);  // the same group: nothing says that 21 was durable
  damage(file, 2);
  const Scanned got = scan_of(file.bytes());
  EXPECT_EQ(got.blocks, seqs({1, 11}));
  EXPECT_TRUE(got.scan.damage.empty());
  EXPECT_EQ(got.scan.end, FileOffset(file.block_at(2)));
  EXPECT_EQ(got.scan.torn_end, FileOffset(file.end())) << "the whole block behind it included";
}

TEST(HotScan, DamagedAcknowledgedBlockIsNamedAndWhatFollowsIsKept) {
  HotFile file = file_of(4);
  damage(file, 1);
  const Scanned got = scan_of(file.bytes());
  EXPECT_EQ(got.blocks, seqs({1, 21, 31}));
  ASSERT_EQ(got.scan.damage.size(), 1U);
  const DamagedRange& range = got.scan.damage[0];
  EXPECT_EQ(range.first_seq, Seq(11));
  EXPECT_EQ(range.last_seq, Seq(20));
  EXPECT_EQ(range.begin, FileOffset(file.block_at(1)));
  EXPECT_EQ(range.end, FileOffset(file.block_at(2)));
  EXPECT_EQ(got.scan.next_seq, Seq(41));
}

TEST(HotScan, TornGroupIsDamageWhereItIsKnownToHaveBeenSynced) {
  HotFile file = file_of(2);
  const Seq durable = file.next_seq() - 1;
  file.add(plain_events(10, 20), durable);
  file.add(plain_events(10, 30), durable);
  damage(file, 2);
  const auto proven_up_to = [&file](std::uint64_t seq) {
    return scan_of(file.bytes(), SegmentId(1), Seq(1), FileOffset(segment_header_bytes), Seq(seq));
  };
  const Scanned got = proven_up_to(40);
  EXPECT_EQ(got.blocks, seqs({1, 11, 31}));
  ASSERT_EQ(got.scan.damage.size(), 1U);
  EXPECT_EQ(got.scan.damage[0].first_seq, Seq(21));
  EXPECT_EQ(got.scan.damage[0].last_seq, Seq(30));
  damage(file, 3);
  const Scanned both = proven_up_to(40);
  EXPECT_EQ(both.blocks, seqs({1, 11}));
  ASSERT_EQ(both.scan.damage.size(), 1U);
  EXPECT_EQ(both.scan.damage[0].first_seq, Seq(21));
  EXPECT_EQ(both.scan.damage[0].last_seq, Seq(40));
  EXPECT_EQ(both.scan.next_seq, Seq(41));
  EXPECT_EQ(both.scan.torn_end, both.scan.end) << "there is nothing to cut";
  EXPECT_TRUE(proven_up_to(20).scan.damage.empty());
}

TEST(HotScan, MarkTellsDamageToTheLastGroupFromATornTail) {
  HotFile file = file_of(2);
  file.add_mark();
  EXPECT_EQ(scan_of(file.bytes()).blocks, seqs({1, 11, 21}));
  EXPECT_EQ(scan_of(file.bytes()).scan.durable_seq, Seq(20));
  damage(file, 1);
  const Scanned got = scan_of(file.bytes());
  EXPECT_EQ(got.blocks, seqs({1, 21}));
  ASSERT_EQ(got.scan.damage.size(), 1U);
  EXPECT_EQ(got.scan.damage[0].first_seq, Seq(11));
  EXPECT_EQ(got.scan.damage[0].last_seq, Seq(20));
}

TEST(HotScan, HeadOfATornGroupTellsDamageToTheGroupBeforeIt) {
  HotFile file = file_of(3);
  const BlockHeader& last = file.headers()[2];
  const std::uint64_t head_end = last.offset.value + block_header_bytes + last.directory_bytes;
  std::fill(file.bytes().begin() + static_cast<long>(head_end), file.bytes().end(), std::byte{0});
  EXPECT_TRUE(scan_of(file.bytes()).scan.damage.empty()) << "there is only a torn tail";
  HotFile damaged = file;
  damage(damaged, 1);
  for (const bool with_header : {true, false}) {
    if (!with_header) {
      std::fill_n(damaged.bytes().begin(), 512, std::byte{0x5a});
    }
    const Scanned got = scan_of(damaged.bytes());
    ASSERT_EQ(got.scan.damage.size(), 1U) << with_header;
    EXPECT_EQ(got.scan.damage[0].first_seq, Seq(with_header ? 11 : 1));
    EXPECT_EQ(got.scan.damage[0].last_seq, Seq(20));
    EXPECT_EQ(got.scan.next_seq, Seq(21));
    EXPECT_GE(got.scan.end.value, head_end);
  }
  damaged.bytes()[last.offset.value + block_header_bytes] ^= std::byte{1};
  EXPECT_TRUE(scan_of(damaged.bytes()).scan.damage.empty())
      << "a head that is not whole is nothing";
}

TEST(HotScan, HeadThatStatesMoreThanASegmentHoldsIsNotBelieved) {
  HotFile file = file_of(1);
  file.skip(limits::segment_rows_limit + 20);
  file.add(plain_events(10, 10));
  damage(file, 1);
  const Scanned got = scan_of(file.bytes());
  EXPECT_EQ(got.scan.next_seq, Seq(11));
  EXPECT_TRUE(got.scan.damage.empty());
}

TEST(HotScan, DamagedBlockWithoutRowsDoesNotCostTheAcknowledgedOneBehindIt) {
  HotFile file = file_of(1);
  file.add({}, Seq(10), 1);
  file.add(plain_events(10, 10), Seq(10));
  damage(file, 1);
  const Scanned got = scan_of(file.bytes());
  EXPECT_EQ(got.blocks, seqs({1, 11}));
  ASSERT_EQ(got.scan.damage.size(), 1U);
  EXPECT_GT(got.scan.damage[0].first_seq, got.scan.damage[0].last_seq) << "no event stood there";
}

TEST(HotScan, BlockThatASenderHasMadeUpIsNotABlock) {
  HotFile file(SegmentId(1), Seq(1), 77);
  file.add(plain_events(10));
  file.add(plain_events(10, 10));
  HotFile forged(SegmentId(1), Seq(1), 78);
  forged.add(plain_events(10));
  forged.add(plain_events(10, 10));
  ASSERT_EQ(file.bytes().size(), forged.bytes().size());
  std::copy(forged.bytes().begin() + static_cast<long>(forged.block_at(1)), forged.bytes().end(),
            file.bytes().begin() + static_cast<long>(file.block_at(1)));
  EXPECT_EQ(scan_of(file.bytes()).blocks, seqs({1}));
  std::fill_n(file.bytes().begin(), segment_header_bytes, std::byte{0});
  EXPECT_EQ(scan_of(file.bytes()).blocks, seqs({1})) << "the first block tells the salt, too";
}

TEST(HotScan, BlockWithAStringLongerThanAnyFieldMayBeIsNotABlock) {
  for (const std::size_t length : {255, 256, 100'000}) {
    HotFile file = file_of(1);
    auto events = plain_events(2, 10);
    events[1].target.id = std::string(length, 'x');
    file.add(events);
    file.add(plain_events(10, 12));
    const Scanned got = scan_of(file.bytes());
    EXPECT_EQ(got.blocks, length == 255 ? seqs({1, 11, 13}) : seqs({1, 13})) << length;
    EXPECT_EQ(got.scan.damage.size(), length == 255 ? 0U : 1U);
    EXPECT_GT(got.scan.strings_bytes, 500U);
  }
}

TEST(HotScan, MoreRowsThanASegmentCanHaveAreNotTaken) {
  std::vector<Event> events(limits::block_rows_max, plain_events(1)[0]);
  const EncodedBatch batch = testing::encode(events);
  HotFile file;
  for (std::uint64_t rows = 0; rows <= limits::segment_rows_limit; rows += batch.rows) {
    file.add_body(batch);
  }
  file.add_body(batch);
  const Scanned got = scan_of(file.bytes());
  EXPECT_EQ(got.scan.next_seq, Seq(1 + limits::segment_rows_limit));
}

TEST(HotScan, OneAcknowledgedEventIsEnoughToBeNamed) {
  HotFile file;
  file.add(plain_events(10));
  file.add(plain_events(1, 10));
  file.add(plain_events(1, 11));
  damage(file, 1);
  const Scanned got = scan_of(file.bytes());
  EXPECT_EQ(got.blocks, seqs({1, 12}));
  ASSERT_EQ(got.scan.damage.size(), 1U);
  EXPECT_EQ(got.scan.damage[0].first_seq, Seq(11));
  EXPECT_EQ(got.scan.damage[0].last_seq, Seq(11));
}

TEST(HotScan, DamageIsFoundWhereverTheBitFlips) {
  HotFile file = file_of(3);
  const std::uint64_t from = file.block_at(1);
  const std::uint64_t bytes = block_header_bytes + file.headers()[1].body_bytes;
  for (std::uint64_t bit = 0; bit < bytes * 8; bit += 13) {
    auto damaged = file.bytes();
    testing::flip_bit(damaged, from * 8 + bit);
    const Scanned got = scan_of(damaged);
    ASSERT_EQ(got.blocks, seqs({1, 21})) << bit;
    ASSERT_EQ(got.scan.damage.size(), 1U) << bit;
  }
}

TEST(HotScan, EachOfSeveralDamagedPlacesIsNamed) {
  HotFile file = file_of(9);
  for (const std::size_t n : {0, 3, 4, 6}) {
    damage(file, n);
  }
  const Scanned got = scan_of(file.bytes());
  EXPECT_EQ(got.blocks, seqs({11, 21, 51, 71, 81}));
  ASSERT_EQ(got.scan.damage.size(), 3U);
  EXPECT_EQ(got.scan.damage[0].first_seq, Seq(1));
  EXPECT_EQ(got.scan.damage[1].first_seq, Seq(31));
  EXPECT_EQ(got.scan.damage[1].last_seq, Seq(50));
  EXPECT_EQ(got.scan.damage[2].first_seq, Seq(61));
  EXPECT_EQ(got.scan.damage[2].last_seq, Seq(70));
}

TEST(HotScan, DamageBeforeATornTailIsBothNamedAndCut) {
  HotFile file = file_of(5);
  damage(file, 1);
  damage(file, 4);
  const Scanned got = scan_of(file.bytes());
  EXPECT_EQ(got.blocks, seqs({1, 21, 31}));
  EXPECT_EQ(got.scan.damage.size(), 1U);
  EXPECT_EQ(got.scan.end, FileOffset(file.block_at(4)));
  EXPECT_EQ(got.scan.next_seq, Seq(41));
}

TEST(HotScan, OverwrittenWithGarbageIsDamageToo) {
  HotFile file = file_of(4);
  for (std::uint64_t at = file.block_at(1); at < file.block_at(2); ++at) {
    file.bytes()[at] = static_cast<std::byte>(at * 31);
  }
  EXPECT_EQ(scan_of(file.bytes()).blocks, seqs({1, 21, 31}));
  std::fill(file.bytes().begin() + static_cast<long>(file.block_at(1)),
            file.bytes().begin() + static_cast<long>(file.block_at(2)), std::byte{0});
  EXPECT_EQ(scan_of(file.bytes()).blocks, seqs({1, 21, 31}));
}

TEST(HotScan, BlockOfAnEarlierLifeOfTheFileIsNotTakenForANewOne) {
  HotFile file;
  file.set_epoch(2);
  file.add(plain_events(10));
  HotFile stale = file;
  stale.set_epoch(1);
  stale.add(plain_events(10, 10), Seq(5));
  const Scanned got = scan_of(stale.bytes());
  EXPECT_EQ(got.blocks, seqs({1}));
  EXPECT_EQ(got.scan.epoch, WriterEpoch(2));
  EXPECT_EQ(got.scan.end, FileOffset(stale.block_at(1)));
  file.set_epoch(3);
  file.add(plain_events(10, 10));
  EXPECT_EQ(scan_of(file.bytes()).blocks, seqs({1, 11}));
  EXPECT_EQ(scan_of(file.bytes()).scan.epoch, WriterEpoch(3));
}

TEST(HotScan, MisdirectedWriteIsNotABlock) {
  HotFile other(SegmentId(2));
  other.add(plain_events(10));
  other.add(plain_events(10, 10));
  // Of another segment.
  EXPECT_TRUE(scan_of(other.bytes()).blocks.empty());
  // Of this one, but at another place.
  HotFile file = file_of(3);
  const auto moved = file.bytes();
  const std::uint64_t block_bytes = file.block_at(2) - file.block_at(1);
  ASSERT_EQ(block_bytes, file.block_at(1) - file.block_at(0)) << "blocks of one size";
  std::copy_n(moved.begin() + static_cast<long>(file.block_at(1)), block_bytes,
              file.bytes().begin() + static_cast<long>(file.block_at(0)));
  EXPECT_EQ(scan_of(file.bytes()).blocks, seqs({11, 21}));
}

TEST(HotScan, BlockThatWouldGoOnButStandsElsewhereIsNotABlock) {
  HotFile file = file_of(3);
  const auto place = [&file](std::size_t n) {
    return file.bytes().begin() + static_cast<long>(file.block_at(n));
  };
  std::copy(place(0), place(1), place(1));
  std::fill(place(0), place(1), std::byte{0x5a});
  EXPECT_EQ(scan_of(file.bytes()).blocks, seqs({21}));
}

TEST(HotScan, HeaderDamagedIsSaidAndTheBlocksAreRead) {
  HotFile file = file_of(2);
  testing::flip_bit(file.bytes(), 100);
  Scanned got = scan_of(file.bytes());
  EXPECT_TRUE(got.scan.header_damaged);
  EXPECT_EQ(got.blocks, seqs({1, 11}));
  std::fill_n(file.bytes().begin(), segment_header_bytes, std::byte{0});
  got = scan_of(file.bytes());
  EXPECT_TRUE(got.scan.header_damaged);
  EXPECT_EQ(got.blocks, seqs({1, 11}));
}

TEST(HotScan, FileCutWithinItsHeaderIsEmptyAndDamaged) {
  const auto bytes = HotFile().bytes();
  for (const std::size_t size : {0, 1, 64, 127}) {
    const Scanned got = scan_of({bytes.begin(), bytes.begin() + static_cast<long>(size)});
    EXPECT_TRUE(got.scan.header_damaged) << size;
    EXPECT_TRUE(got.blocks.empty());
    EXPECT_EQ(got.scan.end, FileOffset(segment_header_bytes));
  }
}

TEST(HotScan, BlocksOfAnotherLogAreNoneOfThisOne) {
  // A misdirected write has put the head of another log's file here: header and blocks fit one
  // another, ids, offsets and seqs are those of this file.
  HotFile file;
  for (std::size_t n = 0; n < 4; ++n) {
    file.add(plain_events(10, 20 + n * 10));
  }
  HotFile other(SegmentId(1), Seq(1), 7);
  for (std::size_t n = 0; n < 2; ++n) {
    other.add(plain_events(10, 70 + n * 10));
  }
  SegmentFileHeader header{SegmentKind::active, "campaign", SegmentId(1), Seq(1), 7};
  const auto foreign = encode_segment_header(header);
  std::copy(foreign.begin(), foreign.end(), other.bytes().begin());
  ASSERT_EQ(other.end(), file.headers()[2].offset.value) << "the blocks have to be as long";
  std::copy_n(other.bytes().begin(), other.end(), file.bytes().begin());
  const Scanned got = scan_of(file.bytes());
  EXPECT_TRUE(got.scan.header_damaged);
  EXPECT_EQ(got.blocks, seqs({21, 31}));
  ASSERT_EQ(got.scan.damage.size(), 1U);
  EXPECT_EQ(got.scan.damage[0].first_seq, Seq(1));
  EXPECT_EQ(got.scan.damage[0].last_seq, Seq(20));
}

TEST(HotScan, NewerFormatIsRefused) {
  HotFile file = file_of(1);
  SegmentFileHeader header{SegmentKind::active, "activity", SegmentId(1), Seq(1)};
  auto bytes = encode_segment_header(header);
  store_le(bytes.data() + 8, format_version + 1);
  store_le(bytes.data() + 120, checksum64(std::span<const std::byte>(bytes).first(120)));
  std::copy(bytes.begin(), bytes.end(), file.bytes().begin());
  testing::SimDisk disk;
  disk.plant("f.hot", file.bytes());
  const auto opened = disk.open("f.hot", OpenMode::read);
  const auto scan =
      scan_hot_segment(**opened, "activity", SegmentId(1), FileOffset(segment_header_bytes), Seq(1),
                       Seq(0), [](const BlockHeader&, const BlockSender&) {});
  ASSERT_FALSE(scan);
  EXPECT_EQ(scan.error().code, ErrorCode::newer_format);
}

TEST(HotScan, BlocksWithoutRowsAreVisitedAndTakeNoSeq) {
  HotFile file;
  file.add(plain_events(5));
  file.add({}, Seq(5), 9);
  file.add(plain_events(5, 5));
  const Scanned got = scan_of(file.bytes());
  EXPECT_EQ(got.blocks, seqs({1, 6, 6}));
  EXPECT_EQ(got.scan.next_seq, Seq(11));
}

TEST(HotScan, MayBeContinuedWhereItEnded) {
  HotFile file = file_of(2);
  const Scanned first = scan_of(file.bytes());
  file.add(plain_events(10, 20));
  const Scanned more = scan_of(file.bytes(), SegmentId(1), first.scan.next_seq, first.scan.end);
  EXPECT_EQ(more.blocks, seqs({21}));
  EXPECT_EQ(more.scan.end, FileOffset(file.end()));
}

TEST(HotScan, WrongExpectationNamesWhatIsMissingOnlyWhenItWasAcknowledged) {
  HotFile file(SegmentId(1), Seq(1));
  file.add(plain_events(10));
  file.skip(5);  // 11 to 15 are nowhere
  file.add(plain_events(10, 10), Seq(15));
  const Scanned got = scan_of(file.bytes());
  EXPECT_EQ(got.blocks, seqs({1, 16}));
  ASSERT_EQ(got.scan.damage.size(), 1U);
  EXPECT_EQ(got.scan.damage[0].first_seq, Seq(11));
  EXPECT_EQ(got.scan.damage[0].last_seq, Seq(15));
}

TEST(HotScan, BadSectorAnywhereCostsNoMoreThanItsBlock) {
  HotFile file = file_of(4);
  for (std::uint64_t at = 0; at < file.end(); at += testing::sector_bytes) {
    testing::SimDisk disk;
    disk.plant("f.hot", file.bytes());
    disk.spoil("f.hot", at, 1);
    const auto opened = disk.open("f.hot", OpenMode::read);
    std::vector<Seq> blocks;
    const auto scan =
        scan_hot_segment(**opened, "activity", SegmentId(1), FileOffset(segment_header_bytes),
                         Seq(1), Seq(40), [&blocks](const BlockHeader& header, const BlockSender&) {
                           blocks.push_back(header.first_seq);
                         });
    ASSERT_TRUE(scan) << scan.error().describe();
    ASSERT_GE(blocks.size(), 2U) << "two blocks may share the sector";
    std::uint64_t events = blocks.size() * 10;
    for (const DamagedRange& range : scan->damage) {
      events += range.last_seq + 1 - range.first_seq;
    }
    ASSERT_EQ(events, 40U) << at;
  }
}

TEST(HotScan, ErrorOfTheDiskIsAnErrorAndNotDamage) {
  HotFile file = file_of(3);
  testing::SimDisk disk;
  disk.plant("f.hot", file.bytes());
  const auto opened = disk.open("f.hot", OpenMode::read);
  for (std::uint64_t n = 1;; ++n) {
    disk.inject({.at = n});
    const auto scan =
        scan_hot_segment(**opened, "activity", SegmentId(1), FileOffset(segment_header_bytes),
                         Seq(1), Seq(0), [](const BlockHeader&, const BlockSender&) {});
    if (!disk.fault_hit()) {
      break;
    }
    ASSERT_FALSE(scan) << n;
    ASSERT_EQ(scan.error().code, ErrorCode::io) << n;
  }
}

}  // namespace
}  // namespace docket
