// The real disk. One rule for all of it: a call that the kernel cut short or a signal interrupted
// is continued here, so that nobody above has to know.
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <string_view>
#include <utility>

#include "engine/disk.hpp"

namespace docket {
namespace {

// The record of who did what is for its owner and group only.
constexpr mode_t file_mode = 0640;
constexpr mode_t directory_mode = 0750;

constexpr std::uint64_t offset_max = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());

template <typename Call>
auto retrying(Call call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) {
      return result;
    }
  }
}

// What block devices and file systems report of data that is lost.
bool is_bad_sector(int error_number) {
  return error_number == EIO || error_number == ENODATA || error_number == EILSEQ ||
         error_number == EUCLEAN || error_number == EBADMSG;
}

// errno of the failed call on `path`, as an Error whose code tells missing and existing apart.
tl::unexpected<Error> fail_call(std::string_view doing, const std::string& path, int error_number) {
  auto error = fail_errno(std::string(doing) + " " + path, error_number).value();
  if (error_number == ENOENT || error_number == ENOTDIR) {
    error.code = ErrorCode::not_found;
  } else if (error_number == EEXIST) {
    error.code = ErrorCode::exists;
  }
  return fail(std::move(error));
}

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) {
      // What must be durable has been synced, with its errors seen, before a file is let go. EINTR
      // is no reason to call again: Linux has released the descriptor by then.
      ::close(fd_);
    }
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

class PosixFile final : public File {
 public:
  PosixFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<void> read_at(FileOffset offset, std::span<std::byte> into) const override {
    std::uint64_t at = offset.value;
    bool asked_again = false;
    while (!into.empty()) {
      if (at > offset_max) {
        return fail_past_end();
      }
      const ssize_t n = retrying(
          [&] { return ::pread(fd_.get(), into.data(), into.size(), static_cast<off_t>(at)); });
      if (n < 0 && is_bad_sector(errno) && !asked_again) {
        asked_again = true;
        continue;
      }
      if (n < 0) {
        auto failed = fail_call("cannot read", path_, errno);
        if (is_bad_sector(failed.value().sys_errno)) {
          failed.value().code = ErrorCode::corrupt;
        }
        return failed;
      }
      if (n == 0) {
        return fail_past_end();
      }
      into = into.subspan(static_cast<std::size_t>(n));
      at += static_cast<std::uint64_t>(n);
    }
    return {};
  }

  void will_read(FileOffset offset, std::uint64_t bytes) const override {
    // A length of 0 would be all of the file.
    if (bytes != 0 && offset.value <= offset_max && bytes <= offset_max) {
      static_cast<void>(::posix_fadvise(fd_.get(), static_cast<off_t>(offset.value),
                                        static_cast<off_t>(bytes), POSIX_FADV_WILLNEED));
    }
  }

  Result<void> write_at(FileOffset offset,
                        std::span<const std::span<const std::byte>> parts) override {
    std::uint64_t at = offset.value;
    std::size_t skip = 0;  // bytes of parts[0] already written
    for (;;) {
      while (!parts.empty() && skip == parts[0].size()) {
        parts = parts.subspan(1);
        skip = 0;
      }
      if (parts.empty()) {
        return {};
      }
      if (at > offset_max) {
        return fail_call("cannot write", path_, EFBIG);
      }
      // Far below IOV_MAX; a call with more parts is simply continued.
      std::array<iovec, 64> vectors;
      const std::size_t count = std::min(parts.size(), vectors.size());
      for (std::size_t i = 0; i < count; ++i) {
        const auto part = parts[i].subspan(i == 0 ? skip : 0);
        vectors[i] = {const_cast<std::byte*>(part.data()), part.size()};
      }
      const ssize_t n = retrying([&] {
        return ::pwritev(fd_.get(), vectors.data(), static_cast<int>(count),
                         static_cast<off_t>(at));
      });
      if (n < 0) {
        return fail_call("cannot write", path_, errno);
      }
      if (n == 0) {
        return fail_call("cannot write", path_, EIO);
      }
      auto written = static_cast<std::size_t>(n);
      at += written;
      while (written > 0) {
        const std::size_t step = std::min(written, parts[0].size() - skip);
        written -= step;
        skip += step;
        if (skip == parts[0].size()) {
          parts = parts.subspan(1);
          skip = 0;
        }
      }
    }
  }

  Result<void> sync_data() override {
    // EINTR is not retried either: whether pages were dropped is unknown by then.
    if (::fdatasync(fd_.get()) != 0) {
      return fail_call("cannot sync", path_, errno);
    }
    return {};
  }

  Result<void> resize(std::uint64_t bytes) override {
    if (bytes > offset_max) {
      return fail_call("cannot resize", path_, EFBIG);
    }
    if (retrying([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(bytes)); }) != 0) {
      return fail_call("cannot resize", path_, errno);
    }
    return {};
  }

  Result<std::uint64_t> size() const override {
    struct stat info{};
    if (::fstat(fd_.get(), &info) != 0) {
      return fail_call("cannot stat", path_, errno);
    }
    return static_cast<std::uint64_t>(info.st_size);
  }

 private:
  [[nodiscard]] tl::unexpected<Error> fail_past_end() const {
    DOCKET_ASSIGN(const std::uint64_t bytes, size());
    return fail(ErrorCode::corrupt, path_ + ": file ends at byte " + std::to_string(bytes));
  }

  Descriptor fd_;
  std::string path_;
};

class PosixDirectoryLock final : public DirectoryLock {
 public:
  explicit PosixDirectoryLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  // The kernel drops the lock with the descriptor, also when the process is killed. The file stays:
  // unlinking it could take the name from under one who has just locked it.
  Descriptor fd_;
};

int open_flags(OpenMode mode) {
  switch (mode) {
    case OpenMode::read:
      return O_RDONLY;
    case OpenMode::read_write:
      return O_RDWR;
    case OpenMode::create:
      return O_RDWR | O_CREAT | O_EXCL;
    case OpenMode::create_empty:
      return O_RDWR | O_CREAT | O_TRUNC;
  }
  return O_RDONLY;
}

class PosixDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    // O_NONBLOCK: a data directory may be anybody's, and opening a FIFO in it must not hang.
    const int flags = open_flags(mode) | O_CLOEXEC | O_NONBLOCK;
    Descriptor fd(retrying([&] { return ::open(path.c_str(), flags, file_mode); }));
    if (fd.get() < 0) {
      return fail_call("cannot open", path, errno);
    }
    struct stat info{};
    if (::fstat(fd.get(), &info) != 0) {
      return fail_call("cannot stat", path, errno);
    }
    if (!S_ISREG(info.st_mode)) {
      return fail(ErrorCode::corrupt, path + ": is not a regular file");
    }
    return std::make_unique<PosixFile>(std::move(fd), path);
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) {
      return fail_call("cannot rename", from, errno);
    }
    return {};
  }

  Result<void> unlink(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) {
      return fail_call("cannot remove", path, errno);
    }
    return {};
  }

  Result<void> make_directories(const std::string& path) override {
    std::string deepest_existing;
    for (std::size_t end = 0; end != std::string::npos;) {
      end = path.find('/', end + 1);
      const std::string prefix = path.substr(0, end);
      if (prefix.empty() || prefix.back() == '/') {
        continue;
      }
      if (::mkdir(prefix.c_str(), directory_mode) == 0) {
        DOCKET_TRY(sync_directory(parent_of(prefix)));
      } else if (errno == EEXIST) {
        deepest_existing = prefix;
      } else {
        return fail_call("cannot make directory", prefix, errno);
      }
    }
    if (!deepest_existing.empty()) {
      // A run that was killed between mkdir and sync has left at most this one name unsynced. Its
      // parent may be unreadable to us when others made it long ago, so an error is no failure.
      static_cast<void>(sync_directory(parent_of(deepest_existing)));
    }
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) {
      return fail_call("cannot stat", path, errno);
    }
    if (!S_ISDIR(info.st_mode)) {
      return fail(ErrorCode::exists, path + ": is not a directory");
    }
    return {};
  }

  Result<void> sync_directory(const std::string& path) override {
    const Descriptor fd(
        retrying([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (fd.get() < 0) {
      return fail_call("cannot open directory", path, errno);
    }
    if (::fsync(fd.get()) != 0) {
      return fail_call("cannot sync directory", path, errno);
    }
    return {};
  }

  Result<std::vector<DirectoryEntry>> list(const std::string& path) override {
    struct Closer {
      void operator()(DIR* d) const { ::closedir(d); }
    };
    const std::unique_ptr<DIR, Closer> directory(::opendir(path.c_str()));
    if (!directory) {
      return fail_call("cannot list", path, errno);
    }
    std::vector<DirectoryEntry> entries;
    for (;;) {
      errno = 0;
      // Each call of list() has a stream of its own, which is all that readdir() asks for.
      const dirent* entry = ::readdir(directory.get());  // NOLINT(concurrency-mt-unsafe)
      if (entry == nullptr) {
        break;
      }
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") {
        continue;
      }
      struct stat info{};
      if (::fstatat(::dirfd(directory.get()), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) {
          continue;  // removed since it was listed
        }
        return fail_call("cannot stat", path + "/" + entry->d_name, errno);
      }
      entries.push_back(
          {std::string(name), S_ISDIR(info.st_mode), static_cast<std::uint64_t>(info.st_size)});
    }
    if (errno != 0) {
      return fail_call("cannot list", path, errno);
    }
    std::sort(entries.begin(), entries.end(),
              [](const DirectoryEntry& a, const DirectoryEntry& b) { return a.name < b.name; });
    return entries;
  }

  Result<bool> exists(const std::string& path) override {
    struct stat info{};
    if (::stat(path.c_str(), &info) == 0) {
      return true;
    }
    if (errno == ENOENT || errno == ENOTDIR) {
      return false;
    }
    return fail_call("cannot stat", path, errno);
  }

  Result<std::uint64_t> free_bytes(const std::string& path) override {
    struct statvfs info{};
    if (retrying([&] { return ::statvfs(path.c_str(), &info); }) != 0) {
      return fail_call("cannot stat the file system of", path, errno);
    }
    return std::uint64_t{info.f_bavail} * info.f_frsize;
  }

  Result<std::unique_ptr<DirectoryLock>> lock(const std::string& path) override {
    Descriptor fd(retrying([&] {
      return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, file_mode);
    }));
    if (fd.get() < 0) {
      return fail_call("cannot open", path, errno);
    }
    if (retrying([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno == EWOULDBLOCK) {
        return fail(ErrorCode::busy, path + ": is held by " + holder(fd.get()));
      }
      return fail_call("cannot lock", path, errno);
    }
    // Only for people to read, so a full disk does not stop the server from starting over it. One
    // write over the old number, then the cut: a reader never sees an empty file.
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::pwrite(fd.get(), pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size())) {
      static_cast<void>(!::ftruncate(fd.get(), static_cast<off_t>(pid.size())));
    }
    return std::make_unique<PosixDirectoryLock>(std::move(fd));
  }

 private:
  // "process 1234", as the holder has written it; the file may hold anything.
  static std::string holder(int fd) {
    std::array<char, 20> text{};
    const ssize_t n = ::pread(fd, text.data(), text.size(), 0);
    std::string_view pid(text.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    pid = pid.substr(0, pid.find_first_not_of("0123456789"));
    return pid.empty() ? "another process" : "process " + std::string(pid);
  }
};

}  // namespace

Disk& posix_disk() {
  static PosixDisk disk;
  return disk;
}

}  // namespace docket
