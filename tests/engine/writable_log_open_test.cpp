// Recovery, case by case. tests/durability/ looks at all the crashes in between.
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "engine/log.hpp"
#include "engine/manifest.hpp"
#include "engine/segment_file.hpp"
#include "engine/timestamp.hpp"
#include "tests/support/random_events.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket {
namespace {

class Recovery : public ::testing::Test {
 protected:
  std::unique_ptr<Store> open(Disk& disk, bool sync = true) {
    StoreOptions options;
    options.free_space_floor = 0;
    options.log.sync = sync;
    auto store = Store::open(disk, "data", options);
    EXPECT_TRUE(store) << store.error().describe();
    return store ? std::move(*store) : nullptr;
  }

  Result<Receipt> send(Store& store, std::uint64_t batch, std::size_t rows = 5,
                       const char* log = "activity", const char* node = "node") {
    BatchBuilder builder;
    std::vector<TargetView> related;
    for (const Event& event : testing::RandomEvents(batch).take(rows)) {
      builder.add(view_of(event, related));
    }
    std::promise<Result<Receipt>> promise;
    store.log(log).value()->submit(
        builder.finish(), {node, 1, batch}, now_ns(),
        [&promise](Result<Receipt> result) { promise.set_value(std::move(result)); });
    return promise.get_future().get();
  }

  static void retire_all(Store& store) {
    RetentionPolicy everything;
    everything.max_bytes = 0;
    for (const RetirementPlan& plan : store.plan_retirement(
             [&everything](std::string_view) { return everything; }, 0, now_ns())) {
      ASSERT_TRUE(store.retire(plan));
    }
  }

  static LogSnapshot snapshot(Store& store) { return store.find_log("activity")->snapshot(); }
};

TEST_F(Recovery, KeepsTheActiveSegmentWhenEverySealedOneIsRetired) {
  testing::SimDisk disk;
  {
    const auto store = open(disk);
    ASSERT_TRUE(send(*store, 1));
    ASSERT_TRUE(store->find_log("activity")->seal());
    ASSERT_TRUE(send(*store, 2));
  }
  retire_all(*open(disk));
  const auto store = open(disk);
  ASSERT_EQ(snapshot(*store).segments.size(), 1U);
  EXPECT_EQ(snapshot(*store).segments[0]->info().first_seq.value, 6U);
  EXPECT_EQ(snapshot(*store).last_seq.value, 10U);
}

// What befalls the file that was written to last, of a log that was stopped.
TEST_F(Recovery, NamesWhatIsMissingOfALogThatWasStopped) {
  const std::string hot = "data/logs/activity/00000000000000000001.hot";
  for (const std::string_view what : {"nothing", "cut", "zeroed", "all zero", "removed"}) {
    testing::SimDisk disk;
    {
      const auto store = open(disk);
      for (std::uint64_t batch = 1; batch <= 4; ++batch) {
        ASSERT_TRUE(send(*store, batch));
      }
    }
    auto bytes = disk.content(hot);
    while (bytes.back() == std::byte{0}) {
      bytes.pop_back();
    }
    if (what == "cut") {
      bytes.resize(bytes.size() / 2);
    } else if (what == "zeroed" || what == "all zero") {
      const std::size_t from = what == "zeroed" ? bytes.size() / 2 : 0;
      std::fill(bytes.begin() + static_cast<long>(from), bytes.end(), std::byte{0});
    }
    if (what == "removed") {
      ASSERT_TRUE(disk.unlink(hot));
    } else {
      disk.plant(hot, bytes);
    }
    StoreOptions reading;
    reading.read_only = true;
    const auto reader = Store::open(disk, "data", reading).value();
    const auto seen = reader->snapshot().value().logs.at(0);
    for (int start = 0; start < 2; ++start) {
      const auto store = open(disk);
      const LogSnapshot log = snapshot(*store);
      ASSERT_EQ(log.gaps.size(), what == "nothing" ? 0U : 1U) << what;
      if (!log.gaps.empty()) {
        EXPECT_EQ(log.gaps[0].last_seq.value, 20U) << what;
        EXPECT_EQ(log.gaps[0].first_seq.value % 5, 1U) << what;
        ASSERT_EQ(seen.gaps.size(), 1U) << what;
        EXPECT_EQ(seen.gaps[0].first_seq, log.gaps[0].first_seq) << what;
        EXPECT_EQ(seen.gaps[0].last_seq, log.gaps[0].last_seq) << what;
      }
      EXPECT_EQ(seen.last_seq.value, 20U) << what;
      EXPECT_EQ(log.last_seq.value, 20U + static_cast<unsigned>(start) * 5) << what;
      const auto next = send(*store, static_cast<std::uint64_t>(start) + 1, 5, "activity", "other");
      ASSERT_TRUE(next) << what << next.error().describe();
      EXPECT_EQ(next->first_seq, log.last_seq + 1) << "a seq is given once; " << what;
    }
  }
}

TEST_F(Recovery, SyncsWhatAKilledProcessHasWrittenBeforeItIsShown) {
  testing::SimDisk disk;
  std::unique_ptr<testing::SimDisk> killed;
  {
    const auto store = open(disk, false);
    ASSERT_TRUE(send(*store, 1));
    ASSERT_TRUE(send(*store, 2));
    killed = disk.after_kill();
  }
  const auto store = open(*killed);
  ASSERT_EQ(snapshot(*store).last_seq.value, 10U);
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto survivor = killed->after_power_loss(seed);
    EXPECT_EQ(snapshot(*open(*survivor)).last_seq.value, 10U) << "seed " << seed;
  }
}

TEST_F(Recovery, SyncsTheNamesAKilledProcessHasMadeBeforeItBuildsOnThem) {
  constexpr testing::Io names =
      testing::Io::rename | testing::Io::unlink | testing::Io::sync_directory;
  // Killed at every change of a name while sealing; then the power fails at every such change of
  // the recovery.
  bool sealing = true;
  for (std::uint64_t end = 1; sealing; ++end) {
    testing::SimDisk disk;
    std::unique_ptr<testing::SimDisk> killed;
    {
      const auto store = open(disk);
      ASSERT_TRUE(send(*store, 1));
      disk.inject({.at = end, .kinds = names, .forever = true});
      static_cast<void>(store->find_log("activity")->seal());
      killed = disk.after_kill();
      sealing = disk.fault_hit();
    }
    bool recovering = true;
    for (std::uint64_t n = 1; recovering; ++n) {
      const auto recovered = killed->after_kill();
      recovered->inject({.at = n, .kinds = names, .forever = true});
      static_cast<void>(Store::open(*recovered, "data", {}));
      recovering = recovered->fault_hit();
      for (std::uint64_t seed = 0; seed < 12; ++seed) {
        const auto survivor = recovered->after_power_loss(seed);
        const auto store = open(*survivor);
        ASSERT_EQ(snapshot(*store).last_seq.value, 5U) << end << ' ' << n << ' ' << seed;
        ASSERT_TRUE(snapshot(*store).gaps.empty()) << end << ' ' << n << ' ' << seed;
      }
    }
  }
}

TEST_F(Recovery, NumbersGoOnAfterEverythingIsRetired) {
  testing::SimDisk disk;
  {
    const auto store = open(disk);
    ASSERT_TRUE(send(*store, 1));
    ASSERT_TRUE(store->find_log("activity")->seal());
    retire_all(*store);
  }
  const auto store = open(disk);
  EXPECT_EQ(snapshot(*store).last_seq.value, 5U);
  EXPECT_TRUE(send(*store, 1).value().duplicate);
  EXPECT_EQ(send(*store, 2).value().first_seq.value, 6U);
}

const std::string directory = "data/logs/activity/";

// Where all segments are retired nothing but the manifest knows which seqs have been given. Where
// it was replaced in one copy only, what the older one lists is about to go.
TEST_F(Recovery, MakesACopyOfTheManifestAnewThatIsNotAsTheOther) {
  testing::SimDisk disk;
  std::vector<std::byte> older;
  {
    const auto store = open(disk);
    for (std::uint64_t batch = 1; batch <= 2; ++batch) {
      ASSERT_TRUE(send(*store, batch));
      ASSERT_TRUE(store->find_log("activity")->seal());
      older = disk.content(directory + "manifest.a");
    }
    retire_all(*store);
  }
  for (const std::string copy : {"manifest.a", "manifest.b"}) {
    const std::string other = copy == "manifest.a" ? "manifest.b" : "manifest.a";
    const std::vector<std::function<void(testing::SimDisk&)>> ways = {
        [&](testing::SimDisk& of) { of.flip_bit(directory + copy, 500); },
        [&](testing::SimDisk& of) { ASSERT_TRUE(of.unlink(directory + copy)); },
        [&](testing::SimDisk& of) { of.plant(directory + copy, older); },
    };
    for (std::size_t way = 0; way < ways.size(); ++way) {
      const auto damaged = disk.after_kill();
      ways[way](*damaged);
      open(*damaged);
      std::vector<std::string> names;
      const auto loaded = load_manifest(*damaged, "data/logs/activity", "activity", names);
      EXPECT_TRUE(loaded && loaded->is_in_both_copies) << copy << way;
      damaged->flip_bit(directory + other, 500);
      const auto store = open(*damaged);
      EXPECT_EQ(send(*store, 3)->first_seq, Seq(11)) << copy << way;
      EXPECT_TRUE(snapshot(*store).gaps.empty());
    }
  }
}

// Such a file is whole: its checksums fit one another, and its events would be shown as this log's.
TEST_F(Recovery, TakesNoSealedFileOfAnotherLogForItsOwn) {
  testing::SimDisk disk;
  {
    const auto store = open(disk);
    for (std::uint64_t batch = 1; batch <= 3; ++batch) {
      for (const char* log : {"activity", "campaign"}) {
        ASSERT_TRUE(send(*store, batch, 5, log));
        ASSERT_TRUE(store->find_log(log)->seal());
      }
    }
  }
  const std::string name = segment_file_name(SegmentId(2), "seg");
  const auto foreign = disk.content("data/logs/campaign/" + name);
  for (const bool is_retired : {false, true}) {
    const auto damaged = disk.after_kill();
    if (is_retired) {
      retire_all(*open(*damaged));
    } else {
      ASSERT_TRUE(damaged->unlink(directory + "manifest.a"));
      ASSERT_TRUE(damaged->unlink(directory + "manifest.b"));
    }
    damaged->plant(directory + name, foreign);
    const auto store = open(*damaged);
    const LogSnapshot log = snapshot(*store);
    EXPECT_EQ(log.last_seq, Seq(15));
    EXPECT_EQ(log.segments.size(), is_retired ? 0U : 2U);
    ASSERT_EQ(log.gaps.size(), is_retired ? 0U : 1U);
    if (!is_retired) {
      EXPECT_EQ(log.gaps[0].first_seq, Seq(6));
      EXPECT_EQ(log.gaps[0].last_seq, Seq(10));
    }
    EXPECT_EQ(damaged->content(directory + name + ".unlisted"), foreign);
    EXPECT_FALSE(damaged->exists(directory + name).value());
  }
}

// A start that fails half way through a damaged directory leaves what the next one makes the same
// of.
TEST_F(Recovery, FromDamageComesToTheSameWhicheverCallOfItFails) {
  testing::SimDisk disk;
  {
    const auto store = open(disk);
    for (std::uint64_t batch = 1; batch <= 4; ++batch) {
      ASSERT_TRUE(send(*store, batch));
      ASSERT_TRUE(send(*store, 1, 5, "campaign"));
      if (batch != 4) {
        ASSERT_TRUE(store->find_log("activity")->seal());
      }
    }
    ASSERT_TRUE(store->find_log("campaign")->seal());
  }
  const auto file = [](std::uint64_t id, const char* extension) {
    return directory + segment_file_name(SegmentId(id), extension);
  };
  const auto lose_manifests = [](testing::SimDisk& of) {
    of.flip_bit(directory + "manifest.a", 500);
    ASSERT_TRUE(of.unlink(directory + "manifest.b"));
  };
  const std::vector<std::function<void(testing::SimDisk&)>> ways = {
      lose_manifests,
      [&](testing::SimDisk& of) {  // and a footer
        lose_manifests(of);
        of.flip_bit(file(2, "seg"), (of.content(file(2, "seg")).size() - 20) * 8);
      },
      [&](testing::SimDisk& of) {  // and the newest footer: its seqs must not be given again
        lose_manifests(of);
        of.flip_bit(file(3, "seg"), (of.content(file(3, "seg")).size() - 20) * 8);
        ASSERT_TRUE(of.unlink(file(4, "hot")));
      },
      [&](testing::SimDisk& of) {  // and a header on a bad sector
        lose_manifests(of);
        of.spoil(file(2, "seg"), 0, 1);
        of.flip_bit(file(2, "seg"), (of.content(file(2, "seg")).size() - 20) * 8);
      },
      [&](testing::SimDisk& of) {  // and a file is another log's
        lose_manifests(of);
        of.plant(file(2, "seg"),
                 of.content("data/logs/campaign/" + segment_file_name(SegmentId(1), "seg")));
      },
      [&](testing::SimDisk& of) { ASSERT_TRUE(of.unlink(file(3, "seg"))); },
      [&](testing::SimDisk& of) { of.flip_bit(file(4, "hot"), 30 * 8); },
      [&](testing::SimDisk& of) { of.spoil(file(4, "hot"), 0, 1); },
      [&](testing::SimDisk& of) { of.plant(file(5, "hot"), {}); },
      [&](testing::SimDisk& of) {
        auto bytes = of.content(file(4, "hot"));
        bytes[bytes.size() - 1] = std::byte{7};  // a torn tail
        of.plant(file(4, "hot"), bytes);
      },
      [&](testing::SimDisk& of) { of.plant(file(7, "idx"), {}); },
      [&](testing::SimDisk& of) { of.plant(directory + "x.tmp", {}); },
  };
  const auto told = [&](testing::SimDisk& of) {
    const auto store = open(of);
    std::string text;
    for (const auto& segment : snapshot(*store).segments) {
      EventReader reader(*segment);
      Event event;
      for (std::uint32_t row = 0; row < segment->info().rows; ++row) {
        const auto read = reader.read(row, event);
        text += read ? std::to_string(event.seq.value) + " " : read.error().message;
      }
    }
    for (const Gap& gap : snapshot(*store).gaps) {
      text += "gap " + std::to_string(gap.first_seq.value) + "-" +
              std::to_string(gap.last_seq.value) + " " + gap.reason;
    }
    return text + " end " + std::to_string(snapshot(*store).last_seq.value);
  };
  for (std::size_t way = 0; way < ways.size(); ++way) {
    const auto damaged = disk.after_kill();
    ways[way](*damaged);
    const std::string expected = told(*damaged->after_kill());
    bool recovering = true;
    for (std::uint64_t n = 1; recovering; ++n) {
      const auto tried = damaged->after_kill();
      tried->inject({.at = n});
      StoreOptions options;
      options.free_space_floor = 0;
      static_cast<void>(Store::open(*tried, "data", options));
      recovering = tried->fault_hit();
      ASSERT_EQ(told(*tried->after_kill()), expected) << "way " << way << ", call " << n;
    }
  }
}

TEST_F(Recovery, MakesTheCopiesOfTheManifestAlikeBeforeItRemovesAFile) {
  testing::SimDisk disk;
  {
    const auto store = open(disk);
    ASSERT_TRUE(send(*store, 1));
    ASSERT_TRUE(store->find_log("activity")->seal());
    ASSERT_TRUE(send(*store, 2));
  }
  // One copy lists the second segment, whose hot file is still there, the other does not.
  const std::string hot = directory + segment_file_name(SegmentId(2), "hot");
  const auto hot_bytes = disk.content(hot);
  const auto older = disk.content(directory + "manifest.b");
  ASSERT_TRUE(open(disk)->find_log("activity")->seal());
  disk.plant(hot, hot_bytes);
  disk.plant(directory + "manifest.b", older);
  bool recovering = true;
  for (std::uint64_t n = 1; recovering; ++n) {
    auto recovered = disk.after_kill();
    recovered->inject({.at = n, .forever = true});
    static_cast<void>(Store::open(*recovered, "data", {}));
    recovering = recovered->fault_hit();
    recovered = recovered->after_power_loss(n);
    recovered->flip_bit(directory + "manifest.a", 500);
    const auto store = open(*recovered);
    ASSERT_TRUE(snapshot(*store).gaps.empty()) << n;
    ASSERT_EQ(snapshot(*store).last_seq, Seq(10)) << n;
  }
}

}  // namespace
}  // namespace docket
