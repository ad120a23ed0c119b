// The one seam through which every byte reaches or leaves the disk. The engine holds no file
// descriptor of its own: tests put a faulty disk here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/counts.hpp"
#include "engine/result.hpp"

namespace docket {

// One open file. read_at() is thread-safe; the writing calls belong to one thread at a time.
// Bytes of a successful write_at() can be read back at once; only after a successful sync_data()
// do they survive a power loss. EINTR and short transfers are handled inside.
class File {
 public:
  virtual ~File() = default;
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Fills all of `into` from `offset`, or fails. `corrupt` is what is not there to be read: past
  // the end ("file ends at byte N"), or where the device reports a bad sector, also when asked
  // again. Other errors say nothing about the file.
  [[nodiscard]] virtual Result<void> read_at(FileOffset offset,
                                             std::span<std::byte> into) const = 0;
  // The range will be read soon: it is fetched meanwhile where it is not in memory. Waits for
  // nothing and may do nothing, whatever the file is like.
  virtual void will_read(FileOffset offset, std::uint64_t bytes) const {
    static_cast<void>(offset);
    static_cast<void>(bytes);
  }
  // Writes all of `parts`, one after the other, from `offset`; extends the file where needed.
  // After an error any part of the range may have been written.
  [[nodiscard]] virtual Result<void> write_at(
      FileOffset offset, std::span<const std::span<const std::byte>> parts) = 0;
  // fdatasync: the bytes, and the size where it changed, are on stable storage. An error is final:
  // the caller must not retry (the kernel may have dropped the dirty pages).
  [[nodiscard]] virtual Result<void> sync_data() = 0;
  // Sets the size: cuts, or extends with zeros.
  [[nodiscard]] virtual Result<void> resize(std::uint64_t bytes) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;
};

enum class OpenMode : std::uint8_t {
  read,          // must exist
  read_write,    // must exist
  create,        // must not exist; read and write
  create_empty,  // made, or emptied when it exists; read and write
};

// Held as long as it lives; another process (or another open in this one) cannot take it meanwhile.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;
};

struct DirectoryEntry {
  std::string name;  // without the directory
  bool is_directory = false;
  std::uint64_t bytes = 0;
};

// A file system. Thread-safe. Paths are '/'-separated. Names made by create, rename and unlink are
// durable only after sync_directory() of the directory that holds them.
class Disk {
 public:
  virtual ~Disk() = default;

  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path,
                                                           OpenMode mode) = 0;
  // Replaces `to` where it exists; atomic.
  [[nodiscard]] virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  [[nodiscard]] virtual Result<void> unlink(const std::string& path) = 0;
  // Makes the directory and its missing parents (each parent synced); fine when it exists.
  [[nodiscard]] virtual Result<void> make_directories(const std::string& path) = 0;
  [[nodiscard]] virtual Result<void> sync_directory(const std::string& path) = 0;
  // Sorted by name. not_found when there is no such directory.
  [[nodiscard]] virtual Result<std::vector<DirectoryEntry>> list(const std::string& path) = 0;
  [[nodiscard]] virtual Result<bool> exists(const std::string& path) = 0;
  // Bytes an unprivileged writer can still use on the file system that holds `path`.
  [[nodiscard]] virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
  // Takes the lock file `path` (made when missing). `busy` when another holds it.
  [[nodiscard]] virtual Result<std::unique_ptr<DirectoryLock>> lock(const std::string& path) = 0;
};

// The real one: POSIX calls, O_CLOEXEC everywhere. `lock` is flock() and writes the process id
// into the file for people to read.
[[nodiscard]] Disk& posix_disk();

// The directory that holds `path`: "." for a bare name, "/" for a name in the root.
[[nodiscard]] std::string parent_of(const std::string& path);

// Writes `bytes` to `path` so that after any crash the file is either the old or the new one:
// temporary file beside it, sync, rename, directory sync.
[[nodiscard]] Result<void> replace_file(Disk& disk, const std::string& path,
                                        std::span<const std::byte> bytes);
// The whole file; `corrupt` when it is longer than `bytes_max`.
[[nodiscard]] Result<std::vector<std::byte>> read_file(Disk& disk, const std::string& path,
                                                       std::uint64_t bytes_max);

}  // namespace docket
