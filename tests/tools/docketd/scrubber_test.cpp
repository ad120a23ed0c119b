#include "tools/docketd/scrubber.hpp"

#include <gmock/gmock.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>

#include "engine/quarantine.hpp"
#include "tests/tools/api/store_fixture.hpp"
#include "tests/tools/verify/refusing_disk.hpp"
#include "tools/verify/file_check.hpp"

namespace docket::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Nanos hour = 3600LL * 1'000'000'000;
constexpr Nanos period = 100 * hour;

TEST(ScrubPace, ReadsEvenlyOverTheTime) {
  const ScrubPace pace(1000, 2000, 100);
  EXPECT_EQ(pace.due(0), 1000);
  EXPECT_EQ(pace.due(25), 1250);
  EXPECT_EQ(pace.due(100), 2000);
  EXPECT_EQ(pace.due(1000), 2000);
  EXPECT_EQ(ScrubPace(5, 9, 0).due(0), 9);
}

// Time passes only where the scrub waits.
class ScrubberTest : public api::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    for (int i = 0; i < 4; ++i) {
      add("activity", {event(10 * i, "CREATE"), event(10 * i + 1, "DELETE")});
      ASSERT_TRUE(store_->find_log("activity")->seal());
      const auto segment = store_->find_log("activity")->snapshot().segments.back();
      ASSERT_TRUE(catalog_.build(segment));
      sealed_.push_back(segment->info());
    }
    add("activity", {event(99)});
    wait_until_prepared("activity", SegmentId(6));  // what is done to a manifest is to last
  }

  ScrubHooks hooks() {
    return {[this] { return now_; },
            [this](Nanos when) {
              now_ = std::max(now_, when);
              return !break_off_at_ || now_ < *break_off_at_;
            },
            [this](const verify::Damage& damage) { found_.push_back(damage); }};
  }
  static void flip(const std::string& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const auto byte = static_cast<char>(file.get() ^ 0x10);
    file.seekp(at);
    file.put(byte);
    ASSERT_TRUE(file.good());
  }
  std::vector<std::string> files() const {
    std::vector<std::string> paths;
    for (const verify::Damage& damage : found_) {
      paths.push_back(damage.path);
    }
    return paths;
  }

  Nanos now_ = 1'777'593'600'000'000'000;
  std::optional<Nanos> break_off_at_;
  std::vector<verify::Damage> found_;
  std::vector<SegmentInfo> sealed_;
};

TEST_F(ScrubberTest, ARoundReadsEverythingInItsTimeAndFindsNothingInASoundStore) {
  Scrubber scrubber(posix_disk(), *store_, hooks());
  const Nanos begun = now_;
  EXPECT_EQ(scrubber.next_round(period), now_);
  EXPECT_TRUE(scrubber.run(period));
  EXPECT_THAT(found_, IsEmpty());
  EXPECT_EQ(now_, begun + period);
  EXPECT_EQ(scrubber.stats().last_end, now_);
  std::uint64_t bytes = 0;
  for (const SegmentInfo& info : sealed_) {
    bytes += info.bytes + std::filesystem::file_size(verify::index_path(info));
  }
  EXPECT_GE(scrubber.stats().bytes, bytes);
  EXPECT_EQ(scrubber.next_round(period), now_);
}

TEST_F(ScrubberTest, DamageAnywhereIsToldOnceHoweverManyRoundsAndStartsMeetIt) {
  const std::string directory = directory_.path() + "/logs/activity/";
  flip(sealed_[0].path, 300);
  flip(verify::index_path(sealed_[2]), 700 - 100);
  flip(directory + "manifest.a", 60);
  flip(directory_.path() + "/DOCKET", 3);
  ASSERT_TRUE(record_quarantine(posix_disk(), directory_.path() + "/logs/activity",
                                {.file = "1.hot", .reason = "why"}));
  flip(directory + "quarantine.txt", 30);
  const auto expected = ::testing::UnorderedElementsAre(
      sealed_[0].path, verify::index_path(sealed_[2]), directory + "manifest.a",
      directory + "quarantine.txt", directory_.path() + "/DOCKET");
  for (int start = 0; start < 2; ++start) {
    Scrubber scrubber(posix_disk(), *store_, hooks());
    for (int round = 0; round < 2; ++round) {
      EXPECT_TRUE(scrubber.run(period));
      EXPECT_THAT(files(), expected) << "start " << start << ", round " << round;
      EXPECT_EQ(scrubber.stats().places, 5U);
    }
  }
}

// Of the disk: the next `times` attempts to open a file fail like the last ones of a process that
// has too many open.
class ScrubberWithoutDescriptors : public ScrubberTest {
 protected:
  void fail_to_open(const std::string& path, int times) {
    refused_ = path;
    times_ = times;
  }
  std::vector<std::string> unread() const {
    std::vector<std::string> paths;
    for (const verify::Damage& damage : found_) {
      if (damage.is_unread) {
        EXPECT_THAT(damage.what, ::testing::StartsWith("it could not be read now: "));
        paths.push_back(damage.path);
      }
    }
    return paths;
  }

  std::string refused_;
  int times_ = 0;
  verify::RefusingDisk disk_{posix_disk(), [this](const std::string& path) {
                               return path == refused_ && times_ > 0 && times_-- > 0 ? EMFILE : 0;
                             }};
};

TEST_F(ScrubberWithoutDescriptors, WhatCannotBeReadNowIsToldAndTriedAgainInTheSameRound) {
  Scrubber scrubber(disk_, *store_, hooks());
  flip(sealed_[1].path, 300);
  // A segment's file is opened twice: for its heads, and for its events.
  fail_to_open(sealed_[1].path, 2);
  EXPECT_TRUE(scrubber.run(period));
  EXPECT_THAT(unread(), ElementsAre(sealed_[1].path)) << "once";
  EXPECT_THAT(files(), ElementsAre(sealed_[1].path, sealed_[1].path)) << "and the damage";
  EXPECT_FALSE(found_.back().is_unread);
  EXPECT_EQ(scrubber.stats().places, 1U);
}

TEST_F(ScrubberWithoutDescriptors, WhatWasDamagedBeforeIsNotForgottenAndNotToldAgain) {
  Scrubber scrubber(disk_, *store_, hooks());
  flip(sealed_[1].path, 300);
  EXPECT_TRUE(scrubber.run(period));
  EXPECT_THAT(files(), SizeIs(1));
  for (std::size_t round = 1; round <= 2; ++round) {
    fail_to_open(sealed_[1].path, 100);
    EXPECT_TRUE(scrubber.run(period));
    EXPECT_THAT(unread(), SizeIs(round)) << "in each round";
    EXPECT_EQ(scrubber.stats().places, 1U);
  }
  fail_to_open("", 0);
  EXPECT_TRUE(scrubber.run(period));
  EXPECT_THAT(files(), SizeIs(3)) << "the damage was told in the first round";
}

TEST_F(ScrubberWithoutDescriptors, OfManyFilesTheFirstAreToldByThemselves) {
  for (int i = 0; i < 20; ++i) {
    add("many", {event(i)});
    ASSERT_TRUE(store_->find_log("many")->seal());
  }
  verify::RefusingDisk refusing(posix_disk(), [](const std::string& path) {
    return path.ends_with(".seg") && path.find("many") != std::string::npos ? EMFILE : 0;
  });
  Scrubber scrubber(refusing, *store_, hooks());
  EXPECT_TRUE(scrubber.run(period));
  EXPECT_THAT(found_, SizeIs(Scrubber::unread_max + 1));
  EXPECT_EQ(found_.back().what, "4 more files could not be read now");
  EXPECT_EQ(scrubber.stats().places, 0U);
}

TEST_F(ScrubberTest, WhatIsSoundAgainIsForgottenAndToldAgainWhenItIsDamagedAgain) {
  Scrubber scrubber(posix_disk(), *store_, hooks());
  flip(sealed_[1].path, 300);
  EXPECT_TRUE(scrubber.run(period));
  flip(sealed_[1].path, 300);
  EXPECT_TRUE(scrubber.run(period));
  EXPECT_EQ(scrubber.stats().places, 0U);
  flip(sealed_[1].path, 300);
  EXPECT_TRUE(scrubber.run(period));
  EXPECT_THAT(files(), ElementsAre(sealed_[1].path, sealed_[1].path));
}

TEST_F(ScrubberTest, ARestartGoesOnBehindTheLastSegmentAndIsNotInAHurry) {
  const Nanos begun = now_;
  {
    Scrubber scrubber(posix_disk(), *store_, hooks());
    // In the third of four segments.
    const auto size = [](const std::string& path) { return std::filesystem::file_size(path); };
    std::uint64_t all = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(directory_.path() + "/logs/activity")) {
      all += entry.file_size();
    }
    std::uint64_t before = all;
    for (const std::size_t i : {2, 3}) {
      before -= size(sealed_[i].path) + size(verify::index_path(sealed_[i]));
    }
    break_off_at_ =
        begun + static_cast<Nanos>(static_cast<double>(period) * static_cast<double>(before + 100) /
                                   static_cast<double>(all));
    EXPECT_FALSE(scrubber.run(period));
    EXPECT_EQ(scrubber.stats().last_end, 0);
  }
  // Damage in what has been read already is for the next round.
  flip(sealed_[0].path, 300);
  flip(sealed_[3].path, 300);
  now_ = begun + 3 * period;  // the server was down for long
  break_off_at_.reset();
  Scrubber scrubber(posix_disk(), *store_, hooks());
  EXPECT_EQ(scrubber.next_round(period), now_);
  EXPECT_TRUE(scrubber.run(period));
  EXPECT_EQ(now_, begun + 3 * period + period / 10);
  EXPECT_THAT(files(), ElementsAre(sealed_[3].path));
  EXPECT_TRUE(scrubber.run(period));
  EXPECT_THAT(files(), ElementsAre(sealed_[3].path, sealed_[0].path));
}

TEST_F(ScrubberTest, WhatIsRetiredMeanwhileIsNoDamage) {
  policy_.max_bytes = 1;
  const Nanos begun = now_;
  ScrubHooks retiring = hooks();
  retiring.wait_until = [&, wait = hooks().wait_until](Nanos when) {
    const bool go_on = wait(when);
    if (now_ > begun + period / 5) {
      for (const RetirementPlan& plan :
           store_->plan_retirement([&](std::string_view) { return policy_; }, 0, now_)) {
        EXPECT_TRUE(store_->retire(plan));
      }
    }
    return go_on;
  };
  Scrubber scrubber(posix_disk(), *store_, retiring);
  EXPECT_TRUE(scrubber.run(period));
  EXPECT_THAT(store_->find_log("activity")->snapshot().segments, SizeIs(1));
  EXPECT_THAT(found_, IsEmpty());
}

TEST_F(ScrubberTest, OfAFileThatIsDamagedEverywhereTheFirstPlacesAreTold) {
  std::vector<Event> events;
  for (int i = 0; i < 30'000; ++i) {
    events.push_back(event(i));
    if (events.size() == 6000) {
      add("other", events);
      events.clear();
    }
  }
  ASSERT_TRUE(store_->find_log("other")->seal());
  const SegmentInfo info = store_->find_log("other")->snapshot().segments.front()->info();
  for (std::streamoff at = 128; at < static_cast<std::streamoff>(info.bytes / 4 * 3); at += 16) {
    flip(info.path, at);
  }
  Scrubber scrubber(posix_disk(), *store_, hooks());
  EXPECT_TRUE(scrubber.run(period));
  ASSERT_GT(scrubber.stats().places, Scrubber::places_of_file_max);
  EXPECT_THAT(found_, SizeIs(Scrubber::places_of_file_max + 1));
  EXPECT_THAT(found_.back().what, ::testing::EndsWith("more places"));
}

}  // namespace
}  // namespace docket::server
