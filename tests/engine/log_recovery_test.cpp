// What a store makes of a directory after damage. Crashes without damage are the business of
// writable_log_open_test.cpp and tests/durability.
#include "engine/log_recovery.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/hot_scan.hpp"
#include "engine/limits.hpp"
#include "engine/quarantine.hpp"
#include "engine/sealer.hpp"
#include "engine/segment_file.hpp"
#include "tests/engine/stores.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

using testing::as_stored;
using testing::log_of;
using testing::open_store;
using testing::plain_events;
using testing::read_all;
using testing::SimDisk;
using testing::store_events;
using testing::store_options;
using testing::submit;

const std::string directory = "data/logs/activity/";

std::string path_of(std::uint64_t id, const char* extension) {
  return directory + segment_file_name(SegmentId(id), extension);
}

std::vector<QuarantineRecord> records_on(Disk& disk) {
  return read_quarantine(disk, "data/logs/activity").value().records;
}

class LogRecovery : public ::testing::Test {
 protected:
  // Opens the store, does something to its log and closes it again.
  template <typename Action>
  void live(const Action& action) {
    const auto store = open_store(disk_, store_options(&notices_));
    ASSERT_TRUE(store);
    action(log_of(*store));
  }
  // `segments` sealed segments of ten events each, then ten events in the active one.
  void fill(std::uint64_t segments) {
    live([segments](Log& log) {
      for (std::uint64_t n = 0; n < segments; ++n) {
        store_events(log, plain_events(10, n * 10));
        ASSERT_TRUE(log.seal());
      }
      store_events(log, plain_events(10, segments * 10));
    });
  }
  // The seqs that can be read, as "1-10 21-30".
  static std::string readable(const LogSnapshot& snapshot) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> runs;
    for (const Event& event : read_all(snapshot)) {
      EXPECT_EQ(event.target.id, "c-" + std::to_string(event.seq.value - 1));
      if (runs.empty() || runs.back().second + 1 != event.seq.value) {
        runs.emplace_back(event.seq.value, event.seq.value);
      }
      runs.back().second = event.seq.value;
    }
    return text_of(runs);
  }
  static std::string gaps(const LogSnapshot& snapshot) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> runs;
    for (const Gap& gap : snapshot.gaps) {
      EXPECT_EQ(gap.log, "activity");
      EXPECT_FALSE(gap.reason.empty());
      runs.emplace_back(gap.first_seq.value, gap.last_seq.value);
    }
    return text_of(runs);
  }
  static std::string text_of(const std::vector<std::pair<std::uint64_t, std::uint64_t>>& runs) {
    std::string text;
    for (const auto& [first, last] : runs) {
      text += (text.empty() ? "" : " ") + std::to_string(first) + "-" + std::to_string(last);
    }
    return text;
  }
  // Opens the store twice, since what was found must be found again, and compares.
  void expect(const std::string& events, const std::string& gaps_expected, std::uint64_t last) {
    for (int life = 0; life < 2; ++life) {
      live([&](Log& log) {
        const LogSnapshot snapshot = log.snapshot();
        EXPECT_EQ(readable(snapshot), events) << "life " << life << "\n" << notices_.text();
        EXPECT_EQ(gaps(snapshot), gaps_expected) << "life " << life;
        EXPECT_EQ(snapshot.last_seq, Seq(last));
      });
    }
  }
  void remove_manifests() {
    ASSERT_TRUE(disk_.unlink(directory + "manifest.a"));
    ASSERT_TRUE(disk_.unlink(directory + "manifest.b"));
  }
  void damage_footer(std::uint64_t id) {
    const std::string path = path_of(id, "seg");
    disk_.flip_bit(path, (disk_.content(path).size() - 20) * 8);
  }
  // Puts so many bytes, the last of them garbage, behind the end of the first hot file.
  void tear(std::size_t bytes) {
    const std::string hot = path_of(1, "hot");
    const BlockHeader last = blocks_of(hot, 1, Seq(1)).back();
    auto content = disk_.content(hot);
    content.resize(last.offset.value + last.block_bytes() + bytes);
    content.back() = std::byte{0x5a};
    disk_.plant(hot, content);
  }
  void expect_to_go_on_in_another_file() {
    live([](Log& log) {
      EXPECT_EQ(store_events(log, plain_events(10, 10)), Seq(11));
      EXPECT_EQ(readable(log.snapshot()), "1-20");
    });
    expect("1-20", "", 20);
  }
  [[nodiscard]] bool exists(const std::string& path) const {
    const auto files = disk_.files();
    return std::find(files.begin(), files.end(), path) != files.end();
  }
  // Where the blocks of a hot file are.
  std::vector<BlockHeader> blocks_of(const std::string& path, std::uint64_t id, Seq first) {
    std::vector<BlockHeader> blocks;
    const auto file = disk_.open(path, OpenMode::read);
    EXPECT_TRUE(scan_hot_segment(
        **file, "activity", SegmentId(id), FileOffset(segment_header_bytes), first, Seq(0),
        [&](const BlockHeader& header, const BlockSender&) { blocks.push_back(header); }));
    return blocks;
  }

  SimDisk disk_;
  testing::Notices notices_;
};

// --- manifests -----------------------------------------------------------------------------------

TEST_F(LogRecovery, LostManifestIsRebuiltFromTheFooters) {
  fill(3);
  remove_manifests();
  expect("1-40", "", 40);
  EXPECT_EQ(notices_.count("damage_quarantined"), 1U) << "an operator must know";
}

TEST_F(LogRecovery, OneManifestIsEnoughAndWithoutAnyGoodOneItIsRebuilt) {
  fill(3);
  disk_.flip_bit(directory + "manifest.a", 400);
  expect("1-40", "", 40);
  EXPECT_EQ(notices_.count("damage_quarantined"), 1U) << "told once, and made anew";
  disk_.flip_bit(directory + "manifest.a", 400);
  disk_.flip_bit(directory + "manifest.b", 500);
  expect("1-40", "", 40);
  EXPECT_EQ(notices_.count("damage_quarantined"), 4U);
}

TEST_F(LogRecovery, ManifestOnABadSectorIsReplacedByItsCopy) {
  fill(3);
  disk_.spoil(directory + "manifest.a", 0, 1);
  expect("1-40", "", 40);
  disk_.spoil(directory + "manifest.a", 0, 1);
  disk_.spoil(directory + "manifest.b", 0, 1);
  expect("1-40", "", 40);
}

TEST_F(LogRecovery, BadSectorAnywhereLeavesTheRestReadableAndNamesWhatIsNot) {
  fill(1);
  const std::uint64_t mark = blocks_of(path_of(2, "hot"), 2, Seq(11)).back().offset.value;
  for (const char* extension : {"seg", "hot"}) {
    const std::string path = path_of(std::string(extension) == "seg" ? 1 : 2, extension);
    for (std::size_t at = 0; at < disk_.content(path).size() && at < 8000; at += 512) {
      if (std::string(extension) == "hot" && at / 512 == mark / 512) {
        continue;  // takes the last block with what vouches for it
      }
      const auto copy = disk_.after_kill();
      copy->spoil(path, at, 1);
      const auto store = open_store(*copy);
      ASSERT_TRUE(store);
      Log& log = log_of(*store);
      EXPECT_EQ(log.snapshot().last_seq, Seq(20)) << path << ' ' << at;
      ASSERT_TRUE(log.seal()) << path << ' ' << at;
      EXPECT_EQ(store_events(log, plain_events(10, 20)), Seq(21));
    }
  }
}

TEST_F(LogRecovery, RebuiltManifestRemembersProducers) {
  live([](Log& log) {
    for (std::uint64_t batch = 1; batch <= 3; ++batch) {
      ASSERT_TRUE(
          submit(log, testing::encode(plain_events(10, batch * 10 - 10)), {"node-1", 1, batch}));
      ASSERT_TRUE(log.seal());
    }
  });
  remove_manifests();
  live([](Log& log) {
    const auto again = submit(log, testing::encode(plain_events(10)), {"node-1", 1, 3});
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->duplicate);
    EXPECT_EQ(again->first_seq, Seq(21));
    EXPECT_TRUE(submit(log, testing::encode(plain_events(10, 30)), {"node-1", 1, 4}));
  });
}

TEST_F(LogRecovery, RebuiltManifestKeepsOldOneOffProducersFromCrowdingOutTheOthers) {
  // Segment 1 was sealed while the table was nearly full of one-offs that were forgotten later.
  const auto seal_with = [this](std::uint64_t id, const std::string& prefix) {
    testing::HotFile file(SegmentId(id), Seq(id * 10 - 9));
    file.add(plain_events(10, id * 10 - 10));
    SectionCache cache(1 << 20);
    const auto hot = file.open(disk_, "scratch.hot", cache);
    ProducerTable producers;
    for (std::size_t n = 0; n < 33'000; ++n) {
      producers.stored({"idempotency:" + prefix + std::to_string(n), 0, 1}, Seq(1), 1, 1);
    }
    ASSERT_TRUE(seal_segment(disk_, {hot.get(), "data/logs/activity", producers}));
  };
  live([](Log&) {});
  seal_with(1, "a");
  seal_with(2, "b");
  remove_manifests();
  expect("1-20", "", 20);
  live([](Log& log) { EXPECT_LE(log.producers().size(), limits::producers_max); });
}

// --- segment files -------------------------------------------------------------------------------

TEST_F(LogRecovery, MissingSegmentFileIsAGapAndTheOthersAreKept) {
  fill(3);
  ASSERT_TRUE(disk_.unlink(path_of(2, "seg")));
  expect("1-10 21-40", "11-20", 40);
  EXPECT_GE(notices_.count("damage_quarantined"), 1U);
  live([](Log& log) { EXPECT_EQ(store_events(log, plain_events(1, 40)), Seq(41)); });
}

TEST_F(LogRecovery, GapBeforeARetiredSegmentIsRetiredWithIt) {
  fill(3);
  ASSERT_TRUE(disk_.unlink(path_of(1, "seg")));
  expect("11-40", "1-10", 40);
  {
    const auto store = open_store(disk_);
    const auto plans = store->plan_retirement(
        [](std::string_view) { return RetentionPolicy{-1, {}}; }, 0, testing::receipt_time);
    ASSERT_TRUE(store->retire(plans[0]));
  }
  expect("21-40", "", 40);
}

TEST_F(LogRecovery, DamagedFooterDoesNotStopTheStartAndIsReportedByWhoReads) {
  fill(2);
  damage_footer(1);
  live([](Log& log) {
    const auto snapshot = log.snapshot();
    ASSERT_EQ(snapshot.segments.size(), 3U);
    const auto blocks = snapshot.segments[0]->blocks();
    ASSERT_FALSE(blocks);
    EXPECT_EQ(blocks.error().code, ErrorCode::corrupt);
    EXPECT_EQ(blocks.error().segment, 1U);
    EXPECT_EQ(read_all(*snapshot.segments[1]).size(), 10U);
  });
}

class LogRecoveryOfOneOfThree : public LogRecovery,
                                public ::testing::WithParamInterface<std::uint64_t> {};

TEST_P(LogRecoveryOfOneOfThree, DamagedFooterWithoutAManifestIsAGap) {
  const std::uint64_t damaged = GetParam();
  fill(3);
  damage_footer(damaged);
  remove_manifests();
  const std::string expected[] = {"11-40", "1-10 21-40", "1-20 31-40"};
  const std::string gap[] = {"1-10", "11-20", "21-30"};
  expect(expected[damaged - 1], gap[damaged - 1], 40);
  EXPECT_TRUE(exists(path_of(damaged, "seg.unlisted"))) << "evidence is kept";
}

INSTANTIATE_TEST_SUITE_P(Segments, LogRecoveryOfOneOfThree, ::testing::Values(1, 2, 3));

TEST_F(LogRecovery, NewestFooterDamagedWithoutAManifestDoesNotGiveSeqsTwice) {
  live([](Log& log) {
    for (std::uint64_t n = 0; n < 2; ++n) {
      store_events(log, plain_events(10, n * 10));
      ASSERT_TRUE(log.seal());
    }
  });
  damage_footer(2);
  remove_manifests();
  expect("1-10", "11-20", 20);
  live([](Log& log) { EXPECT_EQ(store_events(log, plain_events(1, 20)), Seq(21)); });
}

// --- the active segment --------------------------------------------------------------------------

TEST_F(LogRecovery, DamagedBlockIsAGapAndItsFileIsKeptAside) {
  live([](Log& log) {
    for (std::uint64_t n = 0; n < 4; ++n) {
      store_events(log, plain_events(10, n * 10));
    }
  });
  const auto blocks = blocks_of(path_of(1, "hot"), 1, Seq(1));
  ASSERT_GE(blocks.size(), 4U);
  disk_.flip_bit(path_of(1, "hot"), (blocks[1].offset.value + 900) * 8);
  expect("1-10 21-40", "11-20", 40);
  EXPECT_GE(notices_.count("damage_quarantined"), 1U);
  live([](Log& log) {
    ASSERT_TRUE(log.seal());
    EXPECT_EQ(readable(log.snapshot()), "1-10 21-40");
    EXPECT_TRUE(log.snapshot().segments[0]->info().sealed);
    EXPECT_EQ(store_events(log, plain_events(10, 40)), Seq(41));
  });
  EXPECT_TRUE(exists(path_of(1, "hot.damaged")));
  expect("1-10 21-50", "11-20", 50);
}

TEST_F(LogRecovery, DamageToTheLastBlockIsAGapAfterACleanStop) {
  fill(0);
  const auto blocks = blocks_of(path_of(1, "hot"), 1, Seq(1));
  disk_.flip_bit(path_of(1, "hot"), (blocks[0].offset.value + 900) * 8);
  expect("", "1-10", 10);
  live([](Log& log) { EXPECT_EQ(store_events(log, plain_events(10, 10)), Seq(11)); });
  expect("11-20", "1-10", 20);
}

TEST_F(LogRecovery, DamageToTheLastBlockIsAGapWhereALaterFileProvesThatItWasStored) {
  fill(0);
  const std::string hot = path_of(1, "hot");
  auto bytes = disk_.content(hot);
  // As a crash leaves it before the mark is written.
  const auto blocks = blocks_of(hot, 1, Seq(1));
  ASSERT_TRUE(blocks.back().is_mark());
  std::fill(bytes.begin() + static_cast<long>(blocks.back().offset.value), bytes.end(),
            std::byte{0});
  bytes[blocks[0].offset.value + 900] ^= std::byte{1};
  disk_.plant(hot, bytes);
  testing::HotFile later(SegmentId(2), Seq(11));
  later.add(plain_events(10, 10));
  disk_.plant(path_of(2, "hot"), later.bytes());
  expect("11-20", "1-10", 20);
}

TEST_F(LogRecovery, DamageInSeveralPlacesIsAsManyGaps) {
  live([](Log& log) {
    for (std::uint64_t n = 0; n < 6; ++n) {
      store_events(log, plain_events(10, n * 10));
    }
  });
  const auto blocks = blocks_of(path_of(1, "hot"), 1, Seq(1));
  disk_.flip_bit(path_of(1, "hot"), (blocks[0].offset.value + 50) * 8);
  disk_.flip_bit(path_of(1, "hot"), (blocks[3].offset.value + 300) * 8);
  expect("11-30 41-60", "1-10 31-40", 60);
}

TEST_F(LogRecovery, WhatIsSetAsideIsWrittenDownOnceWithItsPlace) {
  live([](Log& log) {
    for (std::uint64_t n = 0; n < 6; ++n) {
      store_events(log, plain_events(10, n * 10));
    }
  });
  const std::string hot = path_of(1, "hot");
  const auto blocks = blocks_of(hot, 1, Seq(1));
  disk_.flip_bit(hot, (blocks[0].offset.value + 50) * 8);
  disk_.flip_bit(hot, (blocks[3].offset.value + 300) * 8);
  const auto as_found = disk_.content(hot);
  for (int starts = 0; starts < 3; ++starts) {
    expect("11-30 41-60", "1-10 31-40", 60);
  }
  const auto records = records_on(disk_);
  ASSERT_EQ(records.size(), 2U);
  for (const std::size_t i : {0, 1}) {
    const QuarantineRecord& record = records[i];
    const BlockHeader& lost = blocks[i * 3];
    EXPECT_EQ(record.offset, lost.offset.value);
    EXPECT_EQ(record.bytes, lost.block_bytes());
    EXPECT_EQ(record.first_seq, lost.first_seq);
    EXPECT_EQ(record.last_seq, lost.end_seq() - 1);
    EXPECT_EQ(record.file, segment_file_name(SegmentId(1), "hot"));
    EXPECT_GT(record.time, 0);
    ASSERT_TRUE(exists(directory + record.kept));
    EXPECT_TRUE(disk_.content(directory + record.kept) == as_found);
  }
}

TEST_F(LogRecovery, ARecordOfWhatIsSetAsideIsThereBeforeTheManifestTellsOfIt) {
  fill(1);
  const std::string hot = path_of(2, "hot");
  disk_.flip_bit(hot, (blocks_of(hot, 2, Seq(11))[0].offset.value + 50) * 8);
  for (std::uint64_t n = 1;; ++n) {
    auto disk = disk_.after_kill();
    disk->inject({.at = n, .forever = true});
    static_cast<void>(Store::open(*disk, "data", store_options()));
    const bool ended = !disk->fault_hit();
    disk = disk->after_power_loss(n);
    std::vector<std::string> damaged;
    const auto manifest = load_manifest(*disk, "data/logs/activity", "activity", damaged);
    if (manifest && !manifest->manifest.gaps.empty()) {
      ASSERT_EQ(records_on(*disk).size(), 1U) << n;
    }
    if (ended) {
      break;
    }
  }
}

TEST_F(LogRecovery, DamageFoundWhileSealingIsAGapToo) {
  const auto store = open_store(disk_, store_options(&notices_));
  Log& log = log_of(*store);
  for (std::uint64_t n = 0; n < 3; ++n) {
    store_events(log, plain_events(10, n * 10));
  }
  const auto blocks = blocks_of(path_of(1, "hot"), 1, Seq(1));
  disk_.flip_bit(path_of(1, "hot"), (blocks[1].offset.value + 900) * 8);
  testing::seal_fully(log, disk_);
  EXPECT_EQ(readable(log.snapshot()), "1-10 21-30");
  EXPECT_EQ(gaps(log.snapshot()), "11-20");
  EXPECT_EQ(notices_.count("damage_quarantined"), 1U);
  EXPECT_TRUE(exists(path_of(1, "hot.damaged")));
  const auto records = records_on(disk_);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].kept, segment_file_name(SegmentId(1), "hot.damaged"));
  EXPECT_EQ(records[0].offset, blocks[1].offset.value);
  EXPECT_EQ(records[0].bytes, block_header_bytes + blocks[1].body_bytes);
  EXPECT_EQ(records[0].first_seq, Seq(11));
  EXPECT_EQ(records[0].last_seq, Seq(20));
}

TEST_F(LogRecovery, TornTailIsCutAndKeptAside) {
  fill(0);
  const std::string hot = path_of(1, "hot");
  auto bytes = disk_.content(hot);
  const BlockHeader last = blocks_of(hot, 1, Seq(1)).back();
  const std::uint64_t end = last.offset.value + last.block_bytes();
  std::fill_n(bytes.begin() + static_cast<long>(end) + 10, 1000, std::byte{0x5a});
  disk_.plant(hot, bytes);
  expect("1-10", "", 10);
  EXPECT_EQ(notices_.count("torn_tail_cut"), 1U) << notices_.text();
  const std::string aside = hot + ".torn-" + std::to_string(end);
  ASSERT_TRUE(exists(aside));
  EXPECT_EQ(disk_.content(aside).size(), 1010U);
  const auto records = records_on(disk_);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(directory + records[0].kept, aside);
  EXPECT_EQ(records[0].offset, end);
  EXPECT_EQ(records[0].bytes, 1010U);
  EXPECT_FALSE(records[0].has_events());
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const auto survivor = disk_.after_power_loss(seed);
    EXPECT_EQ(survivor->content(hot)[end + 10], std::byte{0}) << "the cut is durable";
  }
  live([](Log& log) { EXPECT_EQ(store_events(log, plain_events(10, 10)), Seq(11)); });
  expect("1-20", "", 20);
}

TEST_F(LogRecovery, TornTailForWhoseCopyThereIsNoSpaceIsLeftAndTheLogGoesOn) {
  fill(0);
  tear(1000);
  disk_.set_capacity(1);
  live([](Log& log) { EXPECT_EQ(readable(log.snapshot()), "1-10"); });
  disk_.set_capacity(std::uint64_t{1} << 40);
  expect_to_go_on_in_another_file();
}

TEST_F(LogRecovery, TornTailThatIsTooLongToBeOneIsLeftAndTheLogGoesOn) {
  fill(0);
  tear(std::size_t{65} << 20);
  expect_to_go_on_in_another_file();
  EXPECT_EQ(notices_.count("torn_tail_cut"), 0U) << notices_.text();
}

TEST_F(LogRecovery, DamagedHeaderCostsNoEvent) {
  fill(1);
  disk_.flip_bit(path_of(2, "hot"), 50);
  expect("1-20", "", 20);
  live([](Log& log) { EXPECT_EQ(store_events(log, plain_events(10, 20)), Seq(21)); });
  expect("1-30", "", 30);
}

TEST_F(LogRecovery, EmptyHotFileOfAPowerLossIsRemoved) {
  fill(1);
  disk_.plant(path_of(3, "hot"), {});
  expect("1-20", "", 20);
  EXPECT_FALSE(exists(path_of(3, "hot")));
}

// --- leftovers -----------------------------------------------------------------------------------

TEST_F(LogRecovery, TemporaryFilesAreRemoved) {
  fill(1);
  disk_.plant(path_of(1, "seg.tmp"), std::vector<std::byte>(100));
  disk_.plant(directory + "manifest.a.tmp", std::vector<std::byte>(100));
  disk_.plant(path_of(7, "idx.tmp"), {});
  expect("1-20", "", 20);
  for (const std::string& file : disk_.files()) {
    EXPECT_FALSE(file.ends_with(".tmp")) << file;
  }
}

TEST_F(LogRecovery, HotFileThatHasBeenSealedIsRemoved) {
  fill(0);
  const auto hot = disk_.content(path_of(1, "hot"));
  live([](Log& log) { ASSERT_TRUE(log.seal()); });
  disk_.plant(path_of(1, "hot"), hot);
  expect("1-10", "", 10);
  EXPECT_FALSE(exists(path_of(1, "hot")));
}

TEST_F(LogRecovery, HotFileWhoseSealedFileIsLostIsKept) {
  fill(0);
  const auto hot = disk_.content(path_of(1, "hot"));
  live([](Log& log) { ASSERT_TRUE(log.seal()); });
  ASSERT_TRUE(disk_.unlink(path_of(1, "seg")));
  disk_.plant(path_of(1, "hot"), hot);
  expect("", "1-10", 10);
  EXPECT_TRUE(disk_.content(path_of(1, "hot.damaged")) == hot);
}

TEST_F(LogRecovery, SealedFileThatNoManifestListsGivesWayToItsHotFile) {
  fill(0);
  const auto hot = disk_.content(path_of(1, "hot"));
  const auto manifest = disk_.content(directory + "manifest.a");
  live([](Log& log) { ASSERT_TRUE(log.seal()); });
  disk_.plant(path_of(1, "hot"), hot);
  disk_.plant(directory + "manifest.a", manifest);
  disk_.plant(directory + "manifest.b", manifest);
  expect("1-10", "", 10);
  EXPECT_FALSE(exists(path_of(1, "seg")));
}

TEST_F(LogRecovery, FileThatNobodyKnowsIsKeptAndNamed) {
  fill(2);
  disk_.plant(path_of(9, "seg"), disk_.content(path_of(1, "seg")));
  expect("1-30", "", 30);
  EXPECT_TRUE(exists(path_of(9, "seg.unlisted")));
  EXPECT_GE(notices_.count("damage_quarantined"), 1U);
}

TEST_F(LogRecovery, IndexWithoutItsSegmentIsRemovedAndOneWithItStays) {
  fill(1);
  disk_.plant(path_of(1, "idx"), {});
  disk_.plant(path_of(8, "idx"), {});
  expect("1-20", "", 20);
  EXPECT_TRUE(exists(path_of(1, "idx")));
  EXPECT_FALSE(exists(path_of(8, "idx")));
}

TEST_F(LogRecovery, IdsAreNeverUsedTwice) {
  fill(1);
  disk_.plant(path_of(40, "hot.damaged"), {});
  live([](Log& log) {
    for (const std::uint64_t first : {20, 30}) {  // the first may begin what is prepared already
      ASSERT_TRUE(log.seal());
      store_events(log, plain_events(10, first));
    }
  });
  EXPECT_TRUE(exists(path_of(41, "hot")) || exists(path_of(42, "hot")));
}

TEST_F(LogRecovery, StrangeNamesBesideTheLogsAreLeftAlone) {
  fill(0);
  disk_.plant("data/logs/Not A Log/x", {});
  disk_.plant("data/logs/a-file", {});
  disk_.plant(directory + "notes.txt", {});
  expect("1-10", "", 10);
  EXPECT_TRUE(exists("data/logs/Not A Log/x"));
  EXPECT_TRUE(exists(directory + "notes.txt"));
}

}  // namespace
}  // namespace docket
