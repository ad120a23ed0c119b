// A disk of files in memory, for decoders that open files and for sealing. No directories, no
// failures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/disk.hpp"
#include "engine/memory_file.hpp"

namespace docket::testing {

// Not thread-safe.
class MemoryDisk final : public Disk {
 public:
  void put(const std::string& path, std::span<const std::byte> bytes) {
    auto file = std::make_shared<MemoryFile>();
    static_cast<void>(file->write_at(FileOffset(0), std::span(&bytes, 1)));
    files_[path] = std::move(file);
  }

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    auto& file = files_[path];
    if (!file && mode == OpenMode::read) {
      files_.erase(path);
      return fail(ErrorCode::not_found, path);
    }
    if (!file || mode == OpenMode::create_empty) {
      file = std::make_shared<MemoryFile>();
    }
    return std::make_unique<Handle>(file);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    files_[to] = std::exchange(files_[from], nullptr);
    files_.erase(from);
    return {};
  }
  Result<void> unlink(const std::string& path) override {
    files_.erase(path);
    return {};
  }
  Result<void> make_directories(const std::string&) override { return {}; }
  Result<void> sync_directory(const std::string&) override { return {}; }
  Result<std::vector<DirectoryEntry>> list(const std::string&) override {
    return std::vector<DirectoryEntry>();
  }
  Result<bool> exists(const std::string& path) override { return files_.contains(path); }
  Result<std::uint64_t> free_bytes(const std::string&) override { return UINT64_MAX; }
  Result<std::unique_ptr<DirectoryLock>> lock(const std::string&) override {
    return std::make_unique<DirectoryLock>();
  }

 private:
  struct Handle final : File {
    explicit Handle(std::shared_ptr<MemoryFile> f) : file(std::move(f)) {}
    Result<void> read_at(FileOffset offset, std::span<std::byte> into) const override {
      return file->read_at(offset, into);
    }
    Result<void> write_at(FileOffset offset,
                          std::span<const std::span<const std::byte>> parts) override {
      return file->write_at(offset, parts);
    }
    Result<void> sync_data() override { return {}; }
    Result<void> resize(std::uint64_t bytes) override { return file->resize(bytes); }
    Result<std::uint64_t> size() const override { return file->size(); }
    std::shared_ptr<MemoryFile> file;
  };

  std::map<std::string, std::shared_ptr<MemoryFile>> files_;
};

}  // namespace docket::testing
