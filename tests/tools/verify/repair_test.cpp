#include "tools/verify/repair.hpp"

#include <gmock/gmock.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "tests/tools/api/store_fixture.hpp"
#include "tests/tools/verify/refusing_disk.hpp"

namespace docket::verify {
namespace {

using ::testing::IsEmpty;

// A closed store of two sealed segments with their indexes and an active one.
class RepairTest : public api::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    for (const char* verb : {"CREATE", "DELETE"}) {
      add("activity", {event(1, verb), event(2, "EDIT"), event(3, verb)});
      ASSERT_TRUE(store_->find_log("activity")->seal());
      ASSERT_TRUE(catalog_.build(store_->find_log("activity")->snapshot().segments.back()));
    }
    add("activity", {event(9)});
    wait_until_prepared("activity", SegmentId(4));
    ASSERT_TRUE(store_->close());
    sound_ = files();
  }

  // Every file of the store but the lock, by its path.
  std::map<std::string, std::string> files() {
    std::map<std::string, std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
      if (entry.is_regular_file() && entry.path().filename() != "LOCK") {
        std::ifstream file(entry.path(), std::ios::binary);
        all[entry.path().string()] = {std::istreambuf_iterator<char>(file), {}};
      }
    }
    return all;
  }
  std::string only(const std::string& ending, int number = 0) {
    for (const auto& [path, bytes] : sound_) {
      if (path.ends_with(ending) && number-- == 0) {
        return path;
      }
    }
    ADD_FAILURE() << "no " << ending;
    return "";
  }
  void damage(const std::string& path, std::size_t at) {
    std::string bytes = sound_[path];
    bytes.at(at) = static_cast<char>(bytes.at(at) ^ 0x10);
    std::ofstream(path, std::ios::binary) << bytes;
  }

  // Repairs and looks at everything; what is left.
  Findings repair(bool deep = false) {
    index::Catalog catalog(posix_disk(), {});
    Repair repair(posix_disk(), catalog);
    EXPECT_TRUE(repair.repair_layout(directory_.path()));
    StoreOptions options;
    options.read_only = true;
    const auto store = Store::open(posix_disk(), directory_.path(), options);
    const StoreSnapshot snapshot = (*store)->snapshot().value();
    Verifier verifier(
        posix_disk(), [](const SegmentInfo&) { return false; }, deep ? &catalog : nullptr);
    for (const LogSnapshot& log : snapshot.logs) {
      verifier.check_log(directory_.path(), log);
      for (const auto& segment : log.segments) {
        verifier.check_segment(segment);
        EXPECT_TRUE(repair.repair_index(segment, verifier.findings()));
      }
    }
    repaired_ = repair.repaired();
    return verifier.findings();
  }

  std::map<std::string, std::string> sound_;
  std::vector<Repaired> repaired_;
};

TEST_F(RepairTest, ASoundStoreStaysAsItIs) {
  EXPECT_THAT(repair(true).damage, IsEmpty());
  EXPECT_THAT(repaired_, IsEmpty());
  EXPECT_TRUE(files() == sound_);
}

TEST_F(RepairTest, ADerivedFileThatIsDamagedOrMissingIsMadeAsItWas) {
  for (const std::string& path :
       {only(".idx"), only(".idx", 1), only("manifest.a"), only("manifest.b"), only("loglist.a"),
        only("loglist.b"), only("DOCKET")}) {
    for (const bool is_missing : {false, true}) {
      damage(path, sound_[path].size() - 1);
      if (is_missing) {
        std::filesystem::remove(path);
      }
      EXPECT_THAT(repair().damage, IsEmpty()) << path;
      ASSERT_EQ(repaired_.size(), 1U) << path;
      EXPECT_EQ(repaired_[0].path, path);
      EXPECT_TRUE(files() == sound_) << path;
    }
  }
}

TEST_F(RepairTest, AnIndexOfOtherEventsIsBuiltAnewByADeepLook) {
  const std::string first = only(".idx");
  std::filesystem::copy_file(only(".idx", 1), first,
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(repair(true).damage, IsEmpty());
  EXPECT_TRUE(files() == sound_);
}

TEST_F(RepairTest, AnIndexThatCannotBeReadNowStaysAsItIs) {
  index::Catalog catalog(posix_disk(), {});
  RefusingDisk disk(posix_disk(),
                    [](const std::string& path) { return path.ends_with(".idx") ? EMFILE : 0; });
  Repair repair(disk, catalog);
  StoreOptions options;
  options.read_only = true;
  const auto store = Store::open(posix_disk(), directory_.path(), options);
  Verifier verifier(disk, [](const SegmentInfo&) { return false; }, nullptr);
  for (const auto& segment : (*store)->find_log("activity")->snapshot().segments) {
    verifier.check_segment(segment);
    EXPECT_TRUE(repair.repair_index(segment, verifier.findings()));
  }
  EXPECT_THAT(repair.repaired(), IsEmpty());
  EXPECT_THAT(verifier.findings().damage, ::testing::SizeIs(2));
  EXPECT_TRUE(files() == sound_);
}

TEST_F(RepairTest, ALostListOfLogsIsMadeOfTheLogsThatAreThere) {
  std::filesystem::remove(only("loglist.a"));
  damage(only("loglist.b"), 50);
  EXPECT_THAT(repair().damage, IsEmpty());
  EXPECT_EQ(repaired_.size(), 2U);
  std::vector<std::string> damaged;
  const auto list = load_log_list(posix_disk(), directory_.path(), damaged);
  ASSERT_TRUE(list && list->is_in_both_copies);
  ASSERT_NE(list->value.find("activity"), nullptr);
  EXPECT_EQ(list->value.find("activity")->reserved, Seq(8));
}

TEST_F(RepairTest, WhatOnlyTheListKnowsToBeMissingIsNotForgottenWithTheManifests) {
  std::filesystem::remove(only("manifest.a"));
  std::filesystem::remove(only("manifest.b"));
  std::filesystem::remove(only(".hot"));
  const Findings left = repair();
  ASSERT_EQ(left.damage.size(), 1U);
  EXPECT_THAT(left.damage[0].what, ::testing::HasSubstr("activity:7 to activity:7 are missing"));
}

TEST_F(RepairTest, BothManifestsLostAreMadeFromTheSegments) {
  std::filesystem::remove(only("manifest.a"));
  damage(only("manifest.b"), 50);
  EXPECT_THAT(repair().damage, IsEmpty());
  EXPECT_EQ(repaired_.size(), 2U);
  const auto store = Store::open(posix_disk(), directory_.path(), {});
  const LogSnapshot log = (*store)->find_log("activity")->snapshot();
  EXPECT_EQ(log.last_seq, Seq(7));
  EXPECT_THAT(log.gaps, IsEmpty());
}

TEST_F(RepairTest, ManifestsAreNotMadeFromSegmentsThatDoNotTellEverything) {
  std::filesystem::remove(only("manifest.a"));
  std::filesystem::remove(only("manifest.b"));
  damage(only(".seg"), sound_[only(".seg")].size() - 1);
  EXPECT_FALSE(repair().damage.empty());
  EXPECT_THAT(repaired_, IsEmpty());
}

TEST_F(RepairTest, EventsAreLeftAsTheyAreAndStayReported) {
  damage(only(".seg"), 300);
  damage(only(".idx"), 300);
  damage(only(".hot"), 200);
  const auto before = files();
  const Findings found = repair(true);
  EXPECT_THAT(repaired_, IsEmpty());
  EXPECT_TRUE(files() == before);
  std::set<std::string> paths;
  for (const Damage& each : found.damage) {
    paths.insert(each.path);
  }
  EXPECT_THAT(paths, ::testing::IsSupersetOf({only(".seg"), only(".hot")}));
}

}  // namespace
}  // namespace docket::verify
