#include "tests/support/sim_disk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>

#include "tests/support/sim_inode.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsSubsetOf;
using ::testing::UnorderedElementsAre;

constexpr std::uint64_t seeds = 400;  // enough for every possibility of the small cases below

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Result<void> write(File& file, std::uint64_t offset, std::string_view text) {
  const auto bytes = bytes_of(text);
  const std::span<const std::byte> parts[] = {bytes};
  return file.write_at(FileOffset(offset), parts);
}

std::unique_ptr<File> open(Disk& disk, const std::string& path, OpenMode mode) {
  auto file = disk.open(path, mode);
  EXPECT_TRUE(file) << file.error().describe();
  return file ? std::move(*file) : nullptr;
}

std::string sectors(std::string_view letters) {
  std::string text;
  for (const char letter : letters) {
    text.append(sector_bytes, letter);
  }
  return text;
}

// The inverse of sectors(); '0' for a sector of zeros, '?' for one that is not all one letter.
std::string letters(const std::string& content) {
  std::string result;
  for (std::size_t at = 0; at < content.size(); at += sector_bytes) {
    const std::string sector = content.substr(at, sector_bytes);
    const bool uniform = sector.find_first_not_of(sector[0]) == std::string::npos;
    result += !uniform ? '?' : sector[0] == '\0' ? '0' : sector[0];
  }
  return result;
}

// What file `path` can be after a power loss now, over many seeds; "-" where it is gone.
std::set<std::string> outcomes(const SimDisk& disk, const std::string& path,
                               std::uint64_t tries = seeds) {
  std::set<std::string> found;
  for (std::uint64_t seed = 0; seed < tries; ++seed) {
    const auto survivor = disk.after_power_loss(seed);
    const bool there = survivor->exists(path).value();
    found.insert(there ? letters(text_of(survivor->content(path))) : "-");
  }
  return found;
}

// --- it behaves like the real one --------------------------------------------------------------

// One random call on either disk, told as text.
std::string call(Disk& disk, const std::string& root, std::mt19937_64& random,
                 std::map<std::string, std::unique_ptr<File>>& files) {
  const auto outcome = [](const auto& result) {
    return result ? std::string("ok") : std::string(to_string(result.error().code));
  };
  const char* const names[] = {"a",        "b",      "d/a",  "d/b", "d/e/a",
                               "d//e/./b", "none/a", "d/e/", "a/b"};
  const auto pick = [&] { return root + "/" + names[random() % std::size(names)]; };
  const std::string path = pick();
  const std::string other = pick();
  const std::uint64_t number = random() % 3000;
  const auto letter = static_cast<char>('a' + random() % 26);
  const auto held = std::to_string(random() % 4);
  const auto mode = static_cast<OpenMode>(random() % 4);
  File* const file = files.contains(held) ? files[held].get() : nullptr;
  switch (random() % 12) {
    case 0:
    case 1: {
      // What opening a directory for writing is called differs; that it fails does not.
      auto opened = disk.open(path, mode);
      if (opened) {
        files[held] = std::move(*opened);
        return "open";
      }
      return "open fails";
    }
    case 2:
    case 3:
      return file == nullptr
                 ? ""
                 : "write " + std::string(write(*file, number, std::string(number % 1200, letter))
                                              ? "ok"
                                              : "fails");
    case 4: {
      if (file == nullptr) {
        return "";
      }
      std::vector<std::byte> into(number % 700);
      const auto read = file->read_at(FileOffset(number), into);
      return "read " + outcome(read) + (read ? text_of(into) : "");
    }
    case 5:
      return file == nullptr ? ""
                             : "resize " + std::string(file->resize(number) ? "ok" : "fails") +
                                   std::to_string(file->size().value());
    case 6:
      return file == nullptr ? "" : "sync " + outcome(file->sync_data());
    case 7:
      if (path.ends_with('/') || other.ends_with('/')) {
        return "";  // directories stay where they are
      }
      return "rename " + outcome(disk.rename(path, other));
    case 8:
      return path.ends_with('/') ? "" : "unlink " + outcome(disk.unlink(path));
    case 9:
      return "exists " + outcome(disk.exists(path)) + (disk.exists(path).value() ? "y" : "n");
    case 10:
      return number % 8 == 0 ? "mkdir " + outcome(disk.make_directories(root + "/d/e"))
                             : "sync_directory " + outcome(disk.sync_directory(parent_of(path)));
    default: {
      const auto entries = disk.list(root + (number % 2 == 0 ? "/d" : ""));
      std::string text = "list " + outcome(entries);
      for (const DirectoryEntry& entry : entries ? *entries : std::vector<DirectoryEntry>()) {
        text += " " + entry.name + (entry.is_directory ? "/" : std::to_string(entry.bytes));
      }
      return text;
    }
  }
}

TEST(SimDisk, AnswersRandomCallsLikeTheRealDisk) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const TemporaryDirectory dir;
    SimDisk sim;
    ASSERT_TRUE(sim.make_directories(dir.path()));
    std::map<std::string, std::unique_ptr<File>> real_files;
    std::map<std::string, std::unique_ptr<File>> sim_files;
    std::mt19937_64 real_random(seed);
    std::mt19937_64 sim_random(seed);
    for (int i = 0; i < 400; ++i) {
      const std::string real = call(posix_disk(), dir.path(), real_random, real_files);
      ASSERT_EQ(call(sim, dir.path(), sim_random, sim_files), real)
          << "seed " << seed << " call " << i;
    }
  }
}

TEST(SimDisk, LockIsHeldOnce) {
  SimDisk disk;
  auto held = disk.lock("lock");
  ASSERT_TRUE(held);
  EXPECT_EQ(disk.lock("./lock").error().code, ErrorCode::busy);
  EXPECT_TRUE(disk.after_kill()->lock("lock"));
  held->reset();
  EXPECT_TRUE(disk.lock("lock"));
}

// --- power loss: bytes -------------------------------------------------------------------------

class SimDiskBytes : public ::testing::Test {
 protected:
  SimDiskBytes() {
    EXPECT_TRUE(write(*file, 0, sectors("abc")));
    EXPECT_TRUE(file->sync_data());
    EXPECT_TRUE(disk.sync_directory("."));
  }
  SimDisk disk;
  std::unique_ptr<File> file = open(disk, "f", OpenMode::create);
};

TEST_F(SimDiskBytes, SyncedBytesSurvive) {
  EXPECT_THAT(outcomes(disk, "f"), ElementsAre("abc"));
}

TEST_F(SimDiskBytes, UnsyncedSectorsAreEachOldOrNew) {
  ASSERT_TRUE(write(*file, 0, sectors("XYZ")));
  EXPECT_THAT(outcomes(disk, "f"),
              UnorderedElementsAre("abc", "Xbc", "aYc", "abZ", "XYc", "XbZ", "aYZ", "XYZ"));
  ASSERT_TRUE(file->sync_data());
  EXPECT_THAT(outcomes(disk, "f"), ElementsAre("XYZ"));
}

TEST_F(SimDiskBytes, SectorWrittenTwiceMayKeepAnyVersion) {
  ASSERT_TRUE(write(*file, 0, sectors("X")));
  ASSERT_TRUE(write(*file, 0, sectors("Y")));
  EXPECT_THAT(outcomes(disk, "f"), UnorderedElementsAre("abc", "Xbc", "Ybc"));
}

TEST_F(SimDiskBytes, UnsyncedAppendMayBeMissingShortOrZeros) {
  ASSERT_TRUE(write(*file, 3 * sector_bytes, sectors("d")));
  EXPECT_THAT(outcomes(disk, "f"), UnorderedElementsAre("abc", "abcd", "abc0"));
}

TEST_F(SimDiskBytes, UnsyncedCutIsWholeOrHasNotHappened) {
  ASSERT_TRUE(file->resize(sector_bytes));
  EXPECT_THAT(outcomes(disk, "f"), UnorderedElementsAre("abc", "a"));
  ASSERT_TRUE(file->resize(3 * sector_bytes));
  EXPECT_THAT(outcomes(disk, "f"), UnorderedElementsAre("abc", "a", "a00"));
  ASSERT_TRUE(write(*file, sector_bytes, sectors("X")));
  // Never "abX" or the like: what was cut is gone when the write behind the cut is there.
  EXPECT_THAT(outcomes(disk, "f"), UnorderedElementsAre("abc", "a", "a00", "aX0"));
}

TEST_F(SimDiskBytes, CutWithinASectorClearsItsRest) {
  ASSERT_TRUE(file->resize(sector_bytes + 1));
  ASSERT_TRUE(file->resize(2 * sector_bytes));
  std::string expected = sectors("a0");
  std::fill(expected.begin() + sector_bytes, expected.end(), '\0');
  expected[sector_bytes] = 'b';
  EXPECT_EQ(text_of(disk.content("f")), expected);
  ASSERT_TRUE(file->sync_data());
  EXPECT_EQ(text_of(disk.after_power_loss(1)->content("f")), expected);
}

TEST_F(SimDiskBytes, KilledProcessLosesNothingButSyncsNothing) {
  ASSERT_TRUE(write(*file, 0, sectors("X")));
  const auto killed = disk.after_kill();
  EXPECT_EQ(letters(text_of(killed->content("f"))), "Xbc");
  EXPECT_THAT(outcomes(*killed, "f"), UnorderedElementsAre("abc", "Xbc"));
  // The copy has a life of its own.
  ASSERT_TRUE(write(*file, 0, sectors("Y")));
  EXPECT_EQ(letters(text_of(killed->content("f"))), "Xbc");
}

TEST_F(SimDiskBytes, SurvivorsAreTheSameForTheSameSeed) {
  ASSERT_TRUE(write(*file, 0, sectors("XYZUVW")));
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(disk.after_power_loss(seed)->content("f"), disk.after_power_loss(seed)->content("f"));
  }
}

// --- power loss: names -------------------------------------------------------------------------

TEST(SimDiskNames, UnsyncedNamesMayBeLost) {
  SimDisk disk;
  ASSERT_TRUE(open(disk, "f", OpenMode::create)->sync_data());
  EXPECT_THAT(outcomes(disk, "f"), UnorderedElementsAre("-", ""));
  ASSERT_TRUE(disk.sync_directory("."));
  EXPECT_THAT(outcomes(disk, "f"), ElementsAre(""));
  ASSERT_TRUE(disk.unlink("f"));
  EXPECT_THAT(outcomes(disk, "f"), UnorderedElementsAre("-", ""));
  ASSERT_TRUE(disk.sync_directory("."));
  EXPECT_THAT(outcomes(disk, "f"), ElementsAre("-"));
}

TEST(SimDiskNames, ReplaceFileIsOldOrNewAtEveryMoment) {
  SimDisk disk;
  ASSERT_TRUE(replace_file(disk, "f", bytes_of(sectors("old"))));
  const std::uint64_t before = disk.io_count();
  ASSERT_TRUE(replace_file(disk, "f", bytes_of(sectors("new"))));
  const std::uint64_t calls = disk.io_count() - before;
  EXPECT_THAT(outcomes(disk, "f"), ElementsAre("new"));
  ASSERT_TRUE(replace_file(disk, "f", bytes_of(sectors("old"))));
  std::set<std::string> all;
  for (std::uint64_t n = 1; n <= calls; ++n) {
    const auto copy = disk.after_kill();
    copy->inject({.at = n, .forever = true, .seed = n});
    EXPECT_FALSE(replace_file(*copy, "f", bytes_of(sectors("new"))));
    all.merge(outcomes(*copy, "f"));
  }
  EXPECT_THAT(all, UnorderedElementsAre("old", "new"));
}

TEST(SimDiskNames, RenameWithoutSyncOfTheFileMayKeepTheNameAndLoseTheBytes) {
  SimDisk disk;
  ASSERT_TRUE(replace_file(disk, "f", bytes_of(sectors("old"))));
  ASSERT_TRUE(write(*open(disk, "f.tmp", OpenMode::create), 0, sectors("n")));
  ASSERT_TRUE(disk.rename("f.tmp", "f"));
  ASSERT_TRUE(disk.sync_directory("."));
  EXPECT_THAT(outcomes(disk, "f"), UnorderedElementsAre("", "0", "n"));
}

TEST(SimDiskNames, ChangesMaySurviveOutOfOrder) {
  SimDisk disk;
  open(disk, "a", OpenMode::create);
  open(disk, "b", OpenMode::create);
  std::set<std::string> found;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    found.insert(::testing::PrintToString(disk.after_power_loss(seed)->files()));
  }
  EXPECT_THAT(found, UnorderedElementsAre("{}", "{ \"a\" }", "{ \"b\" }", "{ \"a\", \"b\" }"));
}

TEST(SimDiskNames, SyncOfOneDirectoryCarriesTheMoveOutOfAnother) {
  SimDisk disk;
  ASSERT_TRUE(disk.make_directories("x"));
  ASSERT_TRUE(disk.make_directories("y"));
  ASSERT_TRUE(open(disk, "x/f", OpenMode::create)->sync_data());
  open(disk, "x/g", OpenMode::create);
  ASSERT_TRUE(disk.rename("x/f", "y/f"));
  ASSERT_TRUE(disk.sync_directory("y"));
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const auto survivor = disk.after_power_loss(seed);
    EXPECT_TRUE(survivor->exists("y/f").value());
    EXPECT_FALSE(survivor->exists("x/f").value());
  }
  EXPECT_THAT(outcomes(disk, "x/g"), UnorderedElementsAre("-", ""));
}

TEST(SimDiskNames, UnlinkedFileCanBeReadUntilItIsClosed) {
  SimDisk disk;
  const auto file = open(disk, "f", OpenMode::create);
  ASSERT_TRUE(write(*file, 0, "kept"));
  ASSERT_TRUE(disk.unlink("f"));
  std::vector<std::byte> into(4);
  ASSERT_TRUE(file->read_at(FileOffset(0), into));
  EXPECT_EQ(text_of(into), "kept");
}

// --- faults ------------------------------------------------------------------------------------

TEST_F(SimDiskBytes, TheNthCallOfItsKindFailsOnceOrForEver) {
  disk.inject({.at = 2, .kinds = Io::write});
  EXPECT_TRUE(write(*file, 0, "x"));
  EXPECT_FALSE(disk.fault_hit());
  EXPECT_TRUE(file->sync_data());
  EXPECT_EQ(write(*file, 0, "x").error().sys_errno, EIO);
  EXPECT_TRUE(disk.fault_hit());
  EXPECT_TRUE(write(*file, 0, "x"));

  disk.inject({.at = 2, .kinds = Io::write | Io::sync, .forever = true, .error_number = ENOSPC});
  EXPECT_TRUE(write(*file, 0, "x"));
  EXPECT_EQ(file->sync_data().error().code, ErrorCode::no_space);
  EXPECT_EQ(write(*file, 0, "x").error().code, ErrorCode::no_space);
  EXPECT_TRUE(file->size());

  disk.inject({});
  EXPECT_TRUE(write(*file, 0, "x"));
  EXPECT_FALSE(disk.fault_hit());
}

TEST_F(SimDiskBytes, EveryKindOfCallCanFailAndIsCounted) {
  std::vector<std::byte> into(1);
  const std::pair<Io, std::function<bool()>> calls[] = {
      {Io::open, [&] { return disk.open("f", OpenMode::read).has_value(); }},
      {Io::read, [&] { return file->read_at(FileOffset(0), into).has_value(); }},
      {Io::write, [&] { return write(*file, 0, "x").has_value(); }},
      {Io::sync, [&] { return file->sync_data().has_value(); }},
      {Io::resize, [&] { return file->resize(10).has_value(); }},
      {Io::size, [&] { return file->size().has_value(); }},
      {Io::rename, [&] { return disk.rename("f", "g").has_value(); }},
      {Io::unlink, [&] { return disk.unlink("g").has_value(); }},
      {Io::make_directories, [&] { return disk.make_directories("d").has_value(); }},
      {Io::sync_directory, [&] { return disk.sync_directory("d").has_value(); }},
      {Io::list, [&] { return disk.list("d").has_value(); }},
      {Io::exists, [&] { return disk.exists("d").has_value(); }},
      {Io::free_bytes, [&] { return disk.free_bytes("d").has_value(); }},
      {Io::lock, [&] { return disk.lock("lock").has_value(); }},
  };
  for (const auto& [kind, make_call] : calls) {
    const std::uint64_t before = disk.io_count();
    disk.inject({.at = 1, .kinds = kind});
    EXPECT_FALSE(make_call()) << static_cast<unsigned>(kind);
    EXPECT_TRUE(disk.fault_hit());
    EXPECT_TRUE(make_call()) << static_cast<unsigned>(kind);
    EXPECT_EQ(disk.io_count() - before, 2U);
  }
}

TEST_F(SimDiskBytes, FailedWriteLandsAnyPrefixOfItsSectors) {
  std::set<std::string> found;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const auto copy = disk.after_kill();
    copy->inject({.at = 1, .kinds = Io::write, .seed = seed});
    EXPECT_FALSE(write(*open(*copy, "f", OpenMode::read_write), 0, sectors("WXYZ")));
    found.insert(letters(text_of(copy->content("f"))));
  }
  EXPECT_THAT(found, UnorderedElementsAre("abc", "Wbc", "WXc", "WXY", "WXYZ"));
}

TEST_F(SimDiskBytes, FailedSyncMayDropSectorsForEver) {
  std::set<std::string> read_back;
  bool is_read_back_in_vain = false;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const auto copy = disk.after_kill();
    const auto copy_file = open(*copy, "f", OpenMode::read_write);
    ASSERT_TRUE(write(*copy_file, 0, sectors("XY")));
    copy->inject({.at = 1, .kinds = Io::sync, .seed = seed});
    EXPECT_FALSE(copy_file->sync_data());
    const std::string now = letters(text_of(copy->content("f")));
    read_back.insert(now);
    EXPECT_THAT(outcomes(*copy, "f", 20), IsSubsetOf({"abc", "Xbc", "aYc", "XYc"}));
    // The trap: the next sync succeeds, without what was dropped, be it read back or not.
    EXPECT_TRUE(copy_file->sync_data());
    const auto after = outcomes(*copy, "f", 20);
    EXPECT_EQ(after.size(), 1U);
    is_read_back_in_vain = is_read_back_in_vain || *after.begin() != now;
    ASSERT_TRUE(write(*copy_file, 0, sectors("XY")));
    EXPECT_TRUE(copy_file->sync_data());
    EXPECT_THAT(outcomes(*copy, "f", 20), ElementsAre("XYc")) << "what is written again is there";
  }
  EXPECT_THAT(read_back, UnorderedElementsAre("abc", "Xbc", "aYc", "XYc"));
  EXPECT_TRUE(is_read_back_in_vain);
}

TEST_F(SimDiskBytes, CapacityIsKept) {
  disk.set_capacity(5 * sector_bytes);
  EXPECT_EQ(disk.free_bytes(".").value(), 2 * sector_bytes);
  EXPECT_EQ(write(*file, 2 * sector_bytes, sectors("WXYZ")).error().code, ErrorCode::no_space);
  EXPECT_EQ(letters(text_of(disk.content("f"))), "abWXY");
  EXPECT_EQ(file->resize(6 * sector_bytes).error().code, ErrorCode::no_space);
  EXPECT_TRUE(write(*file, 0, sectors("UUUUU")));  // no growth
  EXPECT_TRUE(file->resize(sector_bytes));
  EXPECT_EQ(disk.free_bytes(".").value(), 4 * sector_bytes);
  EXPECT_TRUE(disk.unlink("f"));
  EXPECT_EQ(disk.free_bytes(".").value(), 4 * sector_bytes);
  file.reset();
  EXPECT_EQ(disk.free_bytes(".").value(), 5 * sector_bytes);
}

TEST_F(SimDiskBytes, FlippedBitStaysFlipped) {
  disk.flip_bit("f", 8 * sector_bytes + 1);
  EXPECT_EQ(letters(text_of(disk.content("f"))), "a?c");
  EXPECT_EQ(disk.content("f")[sector_bytes], std::byte{'b' ^ 2});
  EXPECT_THAT(outcomes(disk, "f"), ElementsAre("a?c"));
  disk.flip_bit("f", 8 * sector_bytes + 1);
  EXPECT_THAT(outcomes(disk, "f"), ElementsAre("abc"));
}

TEST(SimDisk, PlantedFilesAreDurable) {
  SimDisk disk;
  disk.plant("/x/y/f", bytes_of(sectors("ab")));
  EXPECT_THAT(outcomes(disk, "/x/y/f"), ElementsAre("ab"));
  disk.plant("/x/y/f", bytes_of(sectors("c")));
  EXPECT_THAT(outcomes(disk, "/x/y/f"), ElementsAre("c"));
  EXPECT_THAT(disk.files(), ElementsAre("/x/y/f"));
}

}  // namespace
}  // namespace docket::testing
