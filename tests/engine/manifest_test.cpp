#include "engine/manifest.hpp"

#include <gtest/gtest.h>

#include "engine/bytes.hpp"
#include "engine/codec.hpp"
#include "tests/engine/batches.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

using testing::Fault;
using testing::Io;
using testing::SimDisk;

Manifest example() {
  Manifest manifest;
  manifest.generation = 5;
  manifest.log = "activity";
  for (std::uint64_t id = 2; id < 5; ++id) {
    SegmentInfo info;
    info.id = SegmentId(id);
    info.first_seq = Seq(id * 100);
    info.last_seq = Seq(id * 100 + 98);
    info.rows = 99;
    info.ts_min = -5;
    info.ts_max = INT64_MAX;
    info.received_max = 77;
    info.bytes = 4096 * id;
    info.sealed = true;
    info.digest = 0x1234567890abcdef * id;
    manifest.segments.push_back(info);
  }
  manifest.gaps = {{"", Seq(299), Seq(299), "block checksum does not match"}};
  manifest.next_seq = Seq(500);
  manifest.next_segment = SegmentId(6);
  manifest.retired_events = 199;
  manifest.retired_below = Seq(200);
  manifest.producers.stored({"node-1", 3, 1}, Seq(450), 10, 99);
  return manifest;
}

// Under a checksum that matches.
std::vector<std::byte> with_checksum(std::vector<std::byte> bytes) {
  RunningChecksum sum;
  sum.add(std::span<const std::byte>(bytes).first(32));
  sum.add(std::span<const std::byte>(bytes).subspan(40));
  store_le(bytes.data() + 32, sum.value());
  return bytes;
}

TEST(ManifestCodec, RoundTripKeepsEverything) {
  const Manifest manifest = example();
  const auto bytes = encode_manifest(manifest);
  const auto read = decode_manifest(bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(encode_manifest(*read), bytes);
  EXPECT_EQ(read->generation, 5U);
  EXPECT_EQ(read->log, "activity");
  ASSERT_EQ(read->segments.size(), 3U);
  EXPECT_EQ(read->segments[1].id, SegmentId(3));
  EXPECT_EQ(read->segments[1].first_seq, Seq(300));
  EXPECT_EQ(read->segments[1].last_seq, Seq(398));
  EXPECT_EQ(read->segments[1].rows, 99U);
  EXPECT_EQ(read->segments[1].ts_min, -5);
  EXPECT_EQ(read->segments[1].ts_max, INT64_MAX);
  EXPECT_EQ(read->segments[1].received_max, 77);
  EXPECT_EQ(read->segments[1].bytes, 4096U * 3);
  EXPECT_EQ(read->segments[1].digest, manifest.segments[1].digest);
  EXPECT_TRUE(read->segments[1].sealed);
  EXPECT_EQ(read->gaps, manifest.gaps);
  EXPECT_EQ(read->next_seq, Seq(500));
  EXPECT_EQ(read->next_segment, SegmentId(6));
  EXPECT_EQ(read->retired_events, 199U);
  EXPECT_EQ(read->retired_below, Seq(200));
  EXPECT_EQ(read->producers.all().at("node-1").newest.last_batch, 1U);
}

TEST(ManifestCodec, LongReasonOfAGapIsCut) {
  Manifest manifest = example();
  manifest.gaps[0].reason = std::string(1000, 'x');
  const auto read = decode_manifest(encode_manifest(manifest));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->gaps[0].reason, std::string(255, 'x'));
}

TEST(ManifestCodec, EveryFlippedBitAndEveryCutIsDetected) {
  const auto bytes = encode_manifest(example());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    testing::flip_bit(damaged, bit);
    ASSERT_FALSE(decode_manifest(damaged)) << "bit " << bit;
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(decode_manifest(std::span(bytes).first(size))) << size;
  }
}

TEST(ManifestCodec, FlippedBitUnderAMatchingChecksumDoesNoHarm) {
  const auto bytes = encode_manifest(example());
  std::size_t accepted = 0;
  for (std::size_t bit = 40 * 8; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    testing::flip_bit(damaged, bit);
    accepted += decode_manifest(with_checksum(damaged)) ? 1 : 0;
  }
  EXPECT_GT(accepted, 0U);
}

TEST(ManifestCodec, ContradictionsUnderAMatchingChecksumAreCorrupt) {
  const auto refused = [](const auto& change) {
    Manifest manifest = example();
    change(manifest);
    const auto read = decode_manifest(encode_manifest(manifest));
    return !read && read.error().code == ErrorCode::corrupt;
  };
  EXPECT_FALSE(refused([](Manifest&) {}));
  EXPECT_TRUE(refused([](Manifest& m) { std::swap(m.segments[0], m.segments[1]); }));
  EXPECT_TRUE(refused([](Manifest& m) { m.segments[1].id = m.segments[0].id; }));
  EXPECT_TRUE(refused([](Manifest& m) { m.segments[1].first_seq = m.segments[0].last_seq; }));
  EXPECT_TRUE(refused([](Manifest& m) { m.segments[1].last_seq = Seq(299); }));
  EXPECT_TRUE(refused([](Manifest& m) { m.segments[0].first_seq = Seq(0); }));
  EXPECT_TRUE(refused([](Manifest& m) { m.log = "Not A Log"; }));
  EXPECT_TRUE(refused([](Manifest& m) { m.next_seq = Seq(0); }));
  EXPECT_TRUE(refused([](Manifest& m) { m.next_seq = m.segments.back().last_seq; }));
}

TEST(ManifestCodec, LaterVersionOrUnknownIncompatibleFlagIsNewer) {
  for (const std::size_t at : {8, 16}) {
    auto bytes = encode_manifest(example());
    store_le(bytes.data() + at, std::uint32_t{99});
    const auto read = decode_manifest(with_checksum(bytes));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::newer_format);
  }
  auto compatible = encode_manifest(example());
  store_le(compatible.data() + 12, std::uint32_t{1});
  EXPECT_TRUE(decode_manifest(with_checksum(compatible)));
}

// --- the two copies ------------------------------------------------------------------------------

class ManifestCopies : public ::testing::Test {
 protected:
  ManifestCopies() { static_cast<void>(disk_.make_directories("log")); }

  void save(std::uint64_t retired_events) {
    manifest_.retired_events = retired_events;
    const auto saved = save_manifest(disk_, "log", manifest_);
    ASSERT_TRUE(saved) << saved.error().message;
  }
  // retired_events of what is loaded, or the error's name.
  std::string load(Disk& disk) {
    damaged_.clear();
    const auto loaded = load_manifest(disk, "log", "activity", damaged_);
    is_in_both_ = loaded && loaded->is_in_both_copies;
    return loaded ? std::to_string(loaded->manifest.retired_events)
                  : std::string(to_string(loaded.error().code));
  }

  SimDisk disk_;
  Manifest manifest_ = example();
  std::vector<std::string> damaged_;
  bool is_in_both_ = false;
};

TEST_F(ManifestCopies, NoneIsNotFound) {
  EXPECT_EQ(load(disk_), "not_found");
  EXPECT_TRUE(damaged_.empty());
}

TEST_F(ManifestCopies, SavingRaisesTheGenerationAndWritesBoth) {
  save(1);
  save(2);
  EXPECT_EQ(manifest_.generation, 7U);
  EXPECT_EQ(disk_.content("log/manifest.a"), disk_.content("log/manifest.b"));
  EXPECT_EQ(load(disk_), "2");
  EXPECT_TRUE(is_in_both_);
}

TEST_F(ManifestCopies, OneOfAnotherLogDoesNotCount) {
  save(1);
  Manifest other = example();
  other.log = "campaign";
  other.generation = 99;
  disk_.plant("log/manifest.b", encode_manifest(other));
  EXPECT_EQ(load(disk_), "1");
  EXPECT_EQ(damaged_, std::vector<std::string>{"log/manifest.b"});
}

TEST_F(ManifestCopies, NewerOfTwoCounts) {
  save(1);
  const auto old = disk_.content("log/manifest.a");
  save(2);
  disk_.plant("log/manifest.a", old);
  EXPECT_EQ(load(disk_), "2");
  EXPECT_FALSE(is_in_both_);
  disk_.plant("log/manifest.a", disk_.content("log/manifest.b"));
  disk_.plant("log/manifest.b", old);
  EXPECT_EQ(load(disk_), "2");
  EXPECT_FALSE(is_in_both_);
}

TEST_F(ManifestCopies, ThoseOfOneGenerationMayStillDiffer) {
  // The first of two attempts to save it came as far as the second copy.
  save(1);
  const auto first = disk_.content("log/manifest.b");
  --manifest_.generation;
  save(2);
  disk_.plant("log/manifest.b", first);
  EXPECT_EQ(load(disk_), "2");
  EXPECT_FALSE(is_in_both_);
}

TEST_F(ManifestCopies, OneIsEnoughAndTheDamagedOneIsNamed) {
  save(3);
  const auto good = disk_.content("log/manifest.a");
  for (const char* copy : {"log/manifest.a", "log/manifest.b"}) {
    disk_.flip_bit(copy, 500);
    EXPECT_EQ(load(disk_), "3");
    EXPECT_EQ(damaged_, std::vector<std::string>{copy});
    EXPECT_FALSE(is_in_both_);
    disk_.plant(copy, good);
    ASSERT_TRUE(disk_.unlink(copy));
    EXPECT_EQ(load(disk_), "3");
    EXPECT_TRUE(damaged_.empty());
    EXPECT_FALSE(is_in_both_);
    disk_.plant(copy, good);
  }
}

TEST_F(ManifestCopies, BothDamagedIsCorruptAndNamesBoth) {
  save(3);
  disk_.flip_bit("log/manifest.a", 500);
  disk_.flip_bit("log/manifest.b", 600);
  EXPECT_EQ(load(disk_), "corrupt");
  EXPECT_EQ(damaged_.size(), 2U);
}

TEST_F(ManifestCopies, CopyOfANewerFormatIsNotPassedOver) {
  save(3);
  auto newer = encode_manifest(manifest_);
  store_le(newer.data() + 8, std::uint32_t{2});
  disk_.plant("log/manifest.b", with_checksum(newer));
  EXPECT_EQ(load(disk_), "newer_format");
}

TEST_F(ManifestCopies, ErrorOfTheDiskIsNotTakenForDamage) {
  save(3);
  disk_.inject({.at = 1, .kinds = Io::read, .forever = true});
  EXPECT_EQ(load(disk_), "io");
  EXPECT_TRUE(damaged_.empty());
}

TEST_F(ManifestCopies, WhereverSavingIsCutShortTheOldOrTheNewIsThere) {
  save(1);
  for (std::uint64_t n = 1;; ++n) {
    const auto disk = disk_.after_kill();
    Manifest next = manifest_;
    next.retired_events = 2;
    disk->inject({.at = n, .forever = true, .seed = n});
    const auto saved = save_manifest(*disk, "log", next);
    EXPECT_EQ(saved.has_value(), !disk->fault_hit());
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      const auto survivor = disk->after_power_loss(seed);
      const std::string found = load(*survivor);
      ASSERT_TRUE(found == "2" || (!saved && found == "1")) << found << " at I/O " << n;
      ASSERT_TRUE(damaged_.empty()) << n;
    }
    if (!disk->fault_hit()) {
      break;
    }
  }
}

}  // namespace
}  // namespace docket
