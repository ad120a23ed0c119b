#include "tools/verify/file_check.hpp"

#include <gmock/gmock.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/tools/api/store_fixture.hpp"
#include "tests/tools/verify/refusing_disk.hpp"

namespace docket::verify {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

// A store with a sealed segment, its index, and an active one; closed.
class FileCheck : public api::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    for (const char* verb : {"CREATE", "EDIT"}) {
      add("activity", {event(1, verb), event(2, verb)});
      ASSERT_TRUE(store_->find_log("activity")->seal());
    }
    const auto segment = store_->find_log("activity")->snapshot().segments.back();
    sealed_ = segment->info();
    ASSERT_TRUE(catalog_.build(segment));
    add("activity", {event(3)});
    add("activity", {event(4)});
    wait_until_prepared("activity", SegmentId(4));
    ASSERT_TRUE(store_->close());
  }

  std::string path(const std::string& name) { return directory_.path() + "/logs/activity/" + name; }
  std::string only(const std::string& extension, int number = 0) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path(""))) {
      if (entry.path().extension() == extension) {
        found.push_back(entry.path().string());
      }
    }
    std::sort(found.begin(), found.end());
    return found.at(static_cast<std::size_t>(number));
  }
  static void flip(const std::string& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const auto byte = static_cast<char>(file.get() ^ 0x10);
    file.seekp(at);
    file.put(byte);
    ASSERT_TRUE(file.good());
  }
  std::vector<Damage> check() {
    lost_.clear();
    return check_log_files(posix_disk(), directory_.path(), "activity", lost_);
  }

  std::vector<Damage> check_directory() {
    static constexpr std::array<std::string_view, 3> others{"activity", "authentication", "api"};
    return check_layout(posix_disk(), directory_.path(), {"docket", others});
  }

  SegmentInfo sealed_;
  std::vector<Gap> lost_;
};

TEST_F(FileCheck, ASoundStoreHasNoDamage) {
  EXPECT_TRUE(check_directory().empty());
  EXPECT_TRUE(check().empty());
  EXPECT_TRUE(check_index_file(posix_disk(), sealed_).empty());
}

TEST_F(FileCheck, AFlippedBitInAnyHeaderIsDamageOfThatFile) {
  for (const std::string& file :
       {only(".seg", 0), only(".seg", 1), only(".hot"), path("manifest.a"), path("manifest.b")}) {
    for (std::streamoff at = 0; at < 128; ++at) {
      if (at >= static_cast<std::streamoff>(std::filesystem::file_size(file))) {
        break;
      }
      flip(file, at);
      const auto found = check();
      ASSERT_EQ(found.size(), 1U) << file << " " << at;
      EXPECT_EQ(found[0].path, file);
      flip(file, at);
    }
  }
}

TEST_F(FileCheck, WhatCannotBeOpenedNowIsUnreadAndABadSectorIsDamage) {
  for (const int error : {EMFILE, ENFILE, ENOMEM, EACCES, EINTR, EIO}) {
    for (const std::string& file : {only(".seg"), only(".hot"), path("manifest.a"), sealed_.path}) {
      RefusingDisk disk(posix_disk(),
                        [&](const std::string& asked) { return asked == file ? error : 0; });
      const auto found = check_log_files(disk, directory_.path(), "activity", lost_);
      ASSERT_FALSE(found.empty()) << file << error;
      EXPECT_EQ(found[0].path, file);
      EXPECT_EQ(found[0].is_unread, error != EIO) << error;
      EXPECT_EQ(found[0].what.starts_with("it could not be read now: "), error != EIO);
    }
    RefusingDisk disk(posix_disk(), [&](const std::string& asked) {
      return asked == index_path(sealed_) || asked.ends_with("DOCKET") ? error : 0;
    });
    for (const auto& found :
         {check_index_file(disk, sealed_), check_layout(disk, directory_.path(), {})}) {
      ASSERT_EQ(found.size(), 1U);
      EXPECT_EQ(found[0].is_unread, error != EIO) << error;
    }
  }
}

TEST_F(FileCheck, WhatCouldBeReadOnlyOnceIsUnread) {
  int times = 1;
  RefusingDisk disk(posix_disk(), [&](const std::string& asked) {
    return asked == only(".hot") && times-- > 0 ? EMFILE : 0;
  });
  const auto found = check_log_files(disk, directory_.path(), "activity", lost_);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].is_unread);
}

TEST_F(FileCheck, AHeadOfASealedBlockThatDiffersFromItsCopyIsDamage) {
  for (std::streamoff at = 128; at < 128 + 160; ++at) {
    flip(only(".seg"), at);
    const auto found = check();
    ASSERT_EQ(found.size(), 1U) << at;
    EXPECT_EQ(found[0].offset, 128U);
    flip(only(".seg"), at);
  }
}

TEST_F(FileCheck, SealedAndOtherFilesCanBeLookedAtApart) {
  const std::string second = only(".seg", 1);
  ASSERT_EQ(second, sealed_.path);
  EXPECT_TRUE(check_sealed_file(posix_disk(), sealed_).empty());
  flip(second, 130);
  EXPECT_EQ(check_sealed_file(posix_disk(), sealed_).size(), 1U);
  EXPECT_TRUE(check_unsealed_files(posix_disk(), directory_.path(), "activity", lost_).empty());
  flip(path("manifest.b"), 60);
  const auto found = check_unsealed_files(posix_disk(), directory_.path(), "activity", lost_);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].path, path("manifest.b"));
  std::filesystem::remove(second);
  EXPECT_TRUE(check_sealed_file(posix_disk(), sealed_).empty());
}

TEST_F(FileCheck, PaddingBehindABlockMustBeZeros) {
  for (const std::string& file : {only(".seg"), only(".hot")}) {
    std::ifstream bytes(file, std::ios::binary);
    std::array<char, 128> header{};
    bytes.seekg(128);
    bytes.read(header.data(), header.size());
    std::uint32_t body_bytes = 0;
    std::memcpy(&body_bytes, header.data() + 52, sizeof(body_bytes));
    const auto end = static_cast<std::streamoff>(128 + 128 + body_bytes);
    ASSERT_NE(end % 64, 0) << "the events leave no padding";
    flip(file, end);
    const auto found = check();
    ASSERT_EQ(found.size(), 1U) << file;
    EXPECT_EQ(found[0].path, file);
    EXPECT_EQ(found[0].offset, static_cast<std::uint64_t>(end));
    flip(file, end);
  }
}

TEST_F(FileCheck, DamageInAHotFileIsToldWithPlaceAndEvents) {
  flip(only(".hot"), 128 + 40);
  const auto found = check();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].offset, 128U);
  EXPECT_THAT(found[0].what, HasSubstr("activity:5 to activity:5 are missing"));
  ASSERT_EQ(lost_.size(), 1U);
  EXPECT_EQ(lost_[0].first_seq, Seq(5));
}

TEST_F(FileCheck, AnyFlippedBitInAnIndexIsDamage) {
  const std::string file = only(".idx");
  const auto size = static_cast<std::streamoff>(std::filesystem::file_size(file));
  for (std::streamoff at = 0; at < size; ++at) {
    flip(file, at);
    EXPECT_EQ(check_index_file(posix_disk(), sealed_).size(), 1U) << at;
    flip(file, at);
  }
  std::filesystem::remove(file);
  const auto found = check_index_file(posix_disk(), sealed_);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].is_remark) << "it is built anew when it is used";
}

TEST_F(FileCheck, ALostOrForeignManifestIsDamage) {
  std::filesystem::remove(path("manifest.b"));
  auto found = check();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].path, EndsWith("manifest.b"));
  std::filesystem::remove(path("manifest.a"));
  found = check();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].what, HasSubstr("no manifest was readable"));
  std::filesystem::rename(directory_.path() + "/logs/activity", directory_.path() + "/logs/other");
  for (const Damage& damage : check_log_files(posix_disk(), directory_.path(), "other", lost_)) {
    EXPECT_THAT(damage.what, ::testing::AnyOf(HasSubstr("log activity"), HasSubstr("no manifest"),
                                              HasSubstr("header is that of another file")));
  }
}

TEST_F(FileCheck, EachCopyOfTheListOfLogsMustBeThereAndSound) {
  const CopyPaths copies = log_list_paths(directory_.path());
  for (const std::string& copy : copies) {
    const auto size = static_cast<std::streamoff>(std::filesystem::file_size(copy));
    for (std::streamoff at = 0; at < size; at += 3) {
      flip(copy, at);
      const auto found = check_directory();
      ASSERT_EQ(found.size(), 1U) << at;
      EXPECT_EQ(found[0].path, copy);
      flip(copy, at);
    }
  }
  std::filesystem::remove(copies[1]);
  auto found = check_directory();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].path, copies[1]);
  EXPECT_FALSE(found[0].is_remark) << "it has been there";
  std::filesystem::remove(copies[0]);
  found = check_directory();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].what, HasSubstr("cannot be known"));
}

TEST_F(FileCheck, ASecondCopyThatMayNotHaveBeenWrittenYetIsARemark) {
  LogList list;
  ASSERT_TRUE(save_log_list(posix_disk(), directory_.path(), list));
  std::filesystem::remove(log_list_paths(directory_.path())[1]);
  const auto found = check_directory();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].is_remark);
}

TEST_F(FileCheck, DamageInTheHeaderOfAPreparedFileIsFound) {
  const std::string file = only(".next");
  for (std::streamoff at = 0; at < 128; ++at) {
    flip(file, at);
    const auto found = check();
    ASSERT_EQ(found.size(), 1U) << at;
    EXPECT_EQ(found[0].path, file);
    flip(file, at);
  }
  std::ofstream(path("00000000000000000005.next"), std::ios::trunc);
  EXPECT_TRUE(check().empty()) << "one whose making was broken off";
}

TEST_F(FileCheck, TheMarkerAndTheLogsOfAServerMustBeThere) {
  const std::string marker = directory_.path() + "/DOCKET";
  for (std::streamoff at = 0; at < 23; ++at) {
    flip(marker, at);
    EXPECT_EQ(check_directory().size(), 1U) << at;
    flip(marker, at);
  }
  std::ofstream(marker) << "docket store, format 2\n";
  EXPECT_TRUE(check_directory().empty());
  std::ofstream(marker) << "docket store, format 1\n";
  std::filesystem::create_directory(directory_.path() + "/logs/docket");
  EXPECT_EQ(check_directory().size(), 2U);
  std::filesystem::rename(directory_.path() + "/logs", directory_.path() + "/gone");
  EXPECT_EQ(check_directory().size(), 1U);
  std::filesystem::remove(marker);
  EXPECT_TRUE(check_directory().empty());
  std::filesystem::rename(directory_.path() + "/gone", directory_.path() + "/logs");
  EXPECT_THAT(check_directory().at(0).what, HasSubstr("missing"));
}

}  // namespace
}  // namespace docket::verify
