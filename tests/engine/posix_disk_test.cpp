#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>

#include "engine/disk.hpp"
#include "tests/support/temporary_directory.hpp"

namespace docket {
namespace {

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

std::string content(const std::string& path) {
  const auto bytes = read_file(posix_disk(), path, 1 << 20);
  return bytes ? text_of(*bytes) : bytes.error().describe();
}

class PosixDisk : public ::testing::Test {
 protected:
  std::unique_ptr<File> open(const std::string& name, OpenMode mode) {
    auto file = disk.open(dir / name, mode);
    EXPECT_TRUE(file) << file.error().describe();
    return file ? std::move(*file) : nullptr;
  }
  ErrorCode open_error(const std::string& name, OpenMode mode) {
    auto file = disk.open(dir / name, mode);
    EXPECT_FALSE(file);
    return file ? ErrorCode::cancelled : file.error().code;
  }

  testing::TemporaryDirectory dir;
  Disk& disk = posix_disk();
};

TEST_F(PosixDisk, PartsAreWrittenOneAfterTheOther) {
  const auto file = open("f", OpenMode::create);
  std::vector<std::vector<std::byte>> owned;
  std::string expected(10, '\0');
  for (int i = 0; i < 300; ++i) {  // more than one system call takes
    const std::string part(static_cast<std::size_t>(i % 7), static_cast<char>('a' + i % 26));
    expected += part;
    owned.push_back(bytes_of(part));
  }
  const std::vector<std::span<const std::byte>> parts(owned.begin(), owned.end());
  ASSERT_TRUE(file->write_at(FileOffset(10), parts));
  EXPECT_EQ(file->size().value(), expected.size());
  EXPECT_TRUE(content(dir / "f") == expected);
  ASSERT_TRUE(file->write_at(FileOffset(3), {}));
  EXPECT_EQ(file->size().value(), expected.size());
}

TEST_F(PosixDisk, ReadingPastTheEndSaysWhereTheFileEnds) {
  const auto file = open("f", OpenMode::create);
  ASSERT_TRUE(write(*file, 0, "hello"));
  std::vector<std::byte> into(4);
  ASSERT_TRUE(file->read_at(FileOffset(1), into));
  EXPECT_EQ(text_of(into), "ello");
  for (const std::uint64_t offset :
       {std::uint64_t{2}, std::uint64_t{5}, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    const auto read = file->read_at(FileOffset(offset), into);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::corrupt);
    EXPECT_NE(read.error().message.find("file ends at byte 5"), std::string::npos);
  }
}

TEST_F(PosixDisk, WriteCutShortIsContinuedAndItsErrorReported) {
  const auto file = open("f", OpenMode::create);
  struct rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit limit{100, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  // The kernel takes the first 100 bytes; the call that continues behind them fails.
  const auto written = write(*file, 0, std::string(300, 'x'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::io);
  EXPECT_EQ(written.error().sys_errno, EFBIG);
  EXPECT_EQ(content(dir / "f"), std::string(100, 'x'));
}

TEST_F(PosixDisk, OpenModesMakeDemandOrEmptyTheFile) {
  EXPECT_EQ(open_error("f", OpenMode::read), ErrorCode::not_found);
  EXPECT_EQ(open_error("f", OpenMode::read_write), ErrorCode::not_found);
  ASSERT_TRUE(write(*open("f", OpenMode::create), 0, "abc"));
  EXPECT_EQ(open_error("f", OpenMode::create), ErrorCode::exists);
  ASSERT_TRUE(write(*open("f", OpenMode::read_write), 1, "X"));
  EXPECT_EQ(content(dir / "f"), "aXc");
  const auto read_only = open("f", OpenMode::read);
  EXPECT_FALSE(write(*read_only, 0, "no"));
  EXPECT_EQ(open("f", OpenMode::create_empty)->size().value(), 0U);
  EXPECT_EQ(open_error("missing/f", OpenMode::create), ErrorCode::not_found);
}

TEST_F(PosixDisk, FilesAreNotForOthersToRead) {
  open("f", OpenMode::create);
  ASSERT_TRUE(disk.make_directories(dir / "d"));
  struct stat info{};
  ASSERT_EQ(::stat((dir / "f").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0007, 0U);
  ASSERT_EQ(::stat((dir / "d").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0007, 0U);
}

TEST_F(PosixDisk, WhatIsNoRegularFileIsNotOpened) {
  ASSERT_EQ(::mkfifo((dir / "fifo").c_str(), 0600), 0);
  for (const OpenMode mode : {OpenMode::read, OpenMode::read_write}) {
    EXPECT_EQ(open_error("fifo", mode), ErrorCode::corrupt);
  }
  EXPECT_EQ(open_error("", OpenMode::read), ErrorCode::corrupt);  // the directory itself
  EXPECT_EQ(disk.open("/dev/full", OpenMode::read_write).error().code, ErrorCode::corrupt);
}

TEST_F(PosixDisk, ResizeCutsAndExtendsWithZeros) {
  const auto file = open("f", OpenMode::create);
  ASSERT_TRUE(write(*file, 0, "abcdef"));
  ASSERT_TRUE(file->resize(3));
  ASSERT_TRUE(file->resize(5));
  ASSERT_TRUE(file->sync_data());
  EXPECT_EQ(content(dir / "f"), std::string("abc\0\0", 5));
  EXPECT_FALSE(file->resize(~std::uint64_t{0}));
}

TEST_F(PosixDisk, RenameReplacesAndUnlinkRemoves) {
  ASSERT_TRUE(write(*open("a", OpenMode::create), 0, "new"));
  ASSERT_TRUE(write(*open("b", OpenMode::create), 0, "old"));
  ASSERT_TRUE(disk.rename(dir / "a", dir / "b"));
  EXPECT_FALSE(disk.exists(dir / "a").value());
  EXPECT_EQ(content(dir / "b"), "new");
  EXPECT_EQ(disk.rename(dir / "a", dir / "b").error().code, ErrorCode::not_found);
  ASSERT_TRUE(disk.unlink(dir / "b"));
  EXPECT_FALSE(disk.exists(dir / "b").value());
  EXPECT_EQ(disk.unlink(dir / "b").error().code, ErrorCode::not_found);
}

TEST_F(PosixDisk, UnlinkedFileCanBeReadUntilItIsClosed) {
  const auto file = open("f", OpenMode::create);
  ASSERT_TRUE(write(*file, 0, "kept"));
  ASSERT_TRUE(disk.unlink(dir / "f"));
  std::vector<std::byte> into(4);
  ASSERT_TRUE(file->read_at(FileOffset(0), into));
  EXPECT_EQ(text_of(into), "kept");
}

TEST_F(PosixDisk, DirectoriesAreMadeWithTheirParents) {
  ASSERT_TRUE(disk.make_directories(dir / "a/b//c/"));
  EXPECT_TRUE(disk.exists(dir / "a/b/c").value());
  ASSERT_TRUE(disk.make_directories(dir / "a/b/c"));
  ASSERT_TRUE(disk.make_directories("/"));
  ASSERT_TRUE(disk.make_directories("."));
  ASSERT_TRUE(disk.sync_directory(dir / "a/b"));
  EXPECT_EQ(disk.sync_directory(dir / "none").error().code, ErrorCode::not_found);
  open("file", OpenMode::create);
  EXPECT_EQ(disk.make_directories(dir / "file").error().code, ErrorCode::exists);
  EXPECT_FALSE(disk.make_directories(dir / "file/below"));
  EXPECT_FALSE(disk.exists(dir / "file/below").value());
}

TEST_F(PosixDisk, ListIsSortedByName) {
  ASSERT_TRUE(write(*open("b", OpenMode::create), 0, "12345"));
  open("a", OpenMode::create);
  ASSERT_TRUE(disk.make_directories(dir / "c"));
  open(".hidden", OpenMode::create);
  const auto entries = disk.list(dir.path()).value();
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_EQ(entries[0].name, ".hidden");
  EXPECT_EQ(entries[1].name, "a");
  EXPECT_EQ(entries[2].name, "b");
  EXPECT_EQ(entries[2].bytes, 5U);
  EXPECT_FALSE(entries[2].is_directory);
  EXPECT_EQ(entries[3].name, "c");
  EXPECT_TRUE(entries[3].is_directory);
  EXPECT_EQ(disk.list(dir / "none").error().code, ErrorCode::not_found);
  EXPECT_EQ(disk.list(dir / "a").error().code, ErrorCode::not_found);
}

TEST_F(PosixDisk, FreeBytesAreThoseOfTheFileSystem) {
  EXPECT_GT(disk.free_bytes(dir.path()).value(), 0U);
  EXPECT_EQ(disk.free_bytes(dir / "none").error().code, ErrorCode::not_found);
}

TEST_F(PosixDisk, LockIsHeldOnceAndNamesItsHolder) {
  ASSERT_TRUE(write(*open("lock", OpenMode::create), 0, "99999999999 and more\n"));
  auto held = disk.lock(dir / "lock");
  ASSERT_TRUE(held) << held.error().describe();
  EXPECT_EQ(content(dir / "lock"), std::to_string(::getpid()) + "\n");
  const auto second = disk.lock(dir / "lock");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::busy);
  EXPECT_NE(second.error().message.find("process " + std::to_string(::getpid())),
            std::string::npos);
  held->reset();
  EXPECT_TRUE(disk.lock(dir / "lock"));
  EXPECT_TRUE(disk.lock(dir / "lock"));  // the one before was let go at once
  EXPECT_EQ(disk.lock(dir / "none/lock").error().code, ErrorCode::not_found);
}

TEST_F(PosixDisk, WhatTheDeviceCannotReadIsCorrupt) {
  // Reading the process's memory where nothing is mapped fails with EIO.
  const auto file = disk.open("/proc/self/mem", OpenMode::read);
  ASSERT_TRUE(file);
  std::vector<std::byte> into(16);
  const auto read = (*file)->read_at(FileOffset(0), into);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().sys_errno, EIO);
  EXPECT_EQ(read.error().code, ErrorCode::corrupt);
}

TEST_F(PosixDisk, FileIsReadFromManyThreads) {
  const auto file = open("f", OpenMode::create);
  ASSERT_TRUE(write(*file, 0, std::string(1000, 'r')));
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      std::vector<std::byte> into(1000);
      for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(file->read_at(FileOffset(0), into));
        EXPECT_EQ(into[999], std::byte{'r'});
      }
    });
  }
}

}  // namespace
}  // namespace docket
