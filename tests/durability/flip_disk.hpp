// The files of a store in memory, in which single bits can be flipped and back: cheap enough to do
// it hundreds of thousands of times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/disk.hpp"
#include "tests/support/sim_disk.hpp"

namespace docket::testing {

// Thread-safe, but for flip() and record() while others read. Never fails. A copy shares the bytes
// of the files with the original, and whatever either writes is its own.
class FlipDisk final : public Disk {
 public:
  // A part of a file that was read.
  struct Read {
    std::string path;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    friend auto operator<=>(const Read&, const Read&) = default;
  };

  explicit FlipDisk(const SimDisk& disk);
  FlipDisk(const FlipDisk& other);
  FlipDisk& operator=(const FlipDisk&) = delete;
  ~FlipDisk() override = default;

  // Bit `bit` % 8 of byte `bit` / 8, here and in every copy that has not written the file.
  void flip(const std::string& path, std::uint64_t bit);
  // What is read from now on is added to `reads`; null: no more.
  void record(std::vector<Read>* reads) { reads_ = reads; }
  [[nodiscard]] std::map<std::string, std::uint64_t> sizes() const;
  [[nodiscard]] std::vector<std::byte> content(const std::string& path) const;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> unlink(const std::string& path) override;
  Result<void> make_directories(const std::string&) override { return {}; }
  Result<void> sync_directory(const std::string&) override { return {}; }
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string&) override { return UINT64_MAX; }
  Result<std::unique_ptr<DirectoryLock>> lock(const std::string&) override {
    return std::make_unique<DirectoryLock>();
  }

 private:
  struct Bytes {
    std::mutex mutex;
    std::vector<std::byte> bytes;
  };
  struct Entry {
    std::shared_ptr<Bytes> bytes;
    bool owned = false;  // not shared with another disk
  };
  class Handle;

  mutable std::mutex mutex_;
  std::map<std::string, Entry> files_;
  std::vector<Read>* reads_ = nullptr;
};

}  // namespace docket::testing
