// The real disk over a kernel that cuts transfers short, is interrupted, and reports what a device
// reports: what the simulated disk, which stands behind the engine's seam, cannot show.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "engine/disk.hpp"
#include "tests/support/temporary_directory.hpp"

namespace {

// How the kernel behaves towards the calls below.
struct Kernel {
  std::mt19937_64 dice{1};
  bool is_moody = false;  // transfers are cut short, calls are interrupted
  int read_errors = 0;    // so many reads fail with EIO
  int write_error = 0;    // of the next write, once something has been written
  int sync_error = 0;
};
Kernel kernel;

bool is_interrupted() {
  if (!kernel.is_moody || kernel.dice() % 3 != 0) {
    return false;
  }
  errno = EINTR;
  return true;
}

std::size_t cut_short(std::size_t bytes) {
  return kernel.is_moody && bytes > 1 ? 1 + kernel.dice() % bytes : bytes;
}

}  // namespace

extern "C" {

ssize_t pread(int fd, void* into, size_t bytes, off_t offset) {
  if (kernel.read_errors != 0) {
    --kernel.read_errors;
    errno = EIO;
    return -1;
  }
  return is_interrupted() ? -1 : syscall(SYS_pread64, fd, into, cut_short(bytes), offset);
}

ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset) {
  if (is_interrupted()) {
    return -1;
  }
  if (kernel.write_error != 0 && offset != 0) {
    errno = kernel.write_error;
    return -1;
  }
  std::size_t bytes = 0;
  for (int i = 0; i < count; ++i) {
    bytes += parts[i].iov_len;
  }
  bytes = kernel.write_error != 0 ? bytes / 2 : cut_short(bytes);
  std::size_t done = 0;
  for (int i = 0; i < count && done < bytes; ++i) {
    const std::size_t step = std::min(parts[i].iov_len, bytes - done);
    const auto n =
        syscall(SYS_pwrite64, fd, parts[i].iov_base, step, offset + static_cast<off_t>(done));
    if (n < 0) {
      return -1;
    }
    done += static_cast<std::size_t>(n);
  }
  return static_cast<ssize_t>(done);
}

int fdatasync(int fd) {
  if (kernel.sync_error != 0) {
    errno = kernel.sync_error;
    return -1;
  }
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}

}  // extern "C"

namespace docket::simulation {
namespace {

class DiskCalls : public ::testing::Test {
 protected:
  DiskCalls() : file_(posix_disk().open(directory_.path() + "/f", OpenMode::create).value()) {
    kernel = {};
  }
  ~DiskCalls() override { kernel = {}; }

  // Parts of 0 to 2,000 bytes, more of them than one call takes.
  Result<void> write_parts(std::size_t count) {
    std::vector<std::span<const std::byte>> parts;
    bytes_.resize(count * 2000);
    std::size_t at = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t length = dice_() % 2001;
      for (std::size_t k = 0; k < length; ++k) {
        bytes_[at + k] = static_cast<std::byte>(dice_());
      }
      parts.emplace_back(bytes_.data() + at, length);
      at += length;
    }
    bytes_.resize(at);
    return file_->write_at(FileOffset(0), parts);
  }
  Result<std::vector<std::byte>> read_all() {
    std::vector<std::byte> bytes(bytes_.size());
    DOCKET_TRY(file_->read_at(FileOffset(0), bytes));
    return bytes;
  }

  docket::testing::TemporaryDirectory directory_;
  std::unique_ptr<File> file_;
  std::mt19937_64 dice_{1};
  std::vector<std::byte> bytes_;
};

TEST_F(DiskCalls, ShortAndInterruptedTransfersAreCarriedOn) {
  kernel.is_moody = true;
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(write_parts(1 + dice_() % 200));
    const auto read = read_all();
    ASSERT_TRUE(read) << read.error().describe();
    ASSERT_TRUE(*read == bytes_);
  }
}

TEST_F(DiskCalls, AReadThatFailsOnceIsAskedForAgain) {
  ASSERT_TRUE(write_parts(3));
  kernel.read_errors = 1;
  const auto read = read_all();
  ASSERT_TRUE(read) << read.error().describe();
  EXPECT_TRUE(*read == bytes_);
}

TEST_F(DiskCalls, ASectorThatFailsTwiceIsDamageAtItsPlace) {
  ASSERT_TRUE(write_parts(3));
  kernel.read_errors = 2;
  const auto read = read_all();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::corrupt);
  EXPECT_EQ(read.error().sys_errno, EIO);
}

TEST_F(DiskCalls, AWriteThatFailsHalfWayFails) {
  kernel.write_error = ENOSPC;
  const auto written = write_parts(50);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::no_space);
}

TEST_F(DiskCalls, ASyncIsNeverTriedAgain) {
  for (const int error : {EIO, EINTR, ENOSPC}) {
    kernel.sync_error = error;
    const auto synced = file_->sync_data();
    ASSERT_FALSE(synced);
    EXPECT_EQ(synced.error().sys_errno, error);
  }
}

}  // namespace
}  // namespace docket::simulation
