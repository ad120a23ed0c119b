// A disk in front of another on which opening a file may fail.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/disk.hpp"

namespace docket::verify {

// As thread-safe as the disk behind it and what it asks.
class RefusingDisk final : public Disk {
 public:
  // The errno with which opening the file fails; 0: it does not.
  using Refusal = std::function<int(const std::string& path)>;

  RefusingDisk(Disk& behind, Refusal refusal) : behind_(behind), refusal_(std::move(refusal)) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    const int error = refusal_(path);
    return error == 0 ? behind_.open(path, mode) : fail_errno("cannot open " + path, error);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    return behind_.rename(from, to);
  }
  Result<void> unlink(const std::string& path) override { return behind_.unlink(path); }
  Result<void> make_directories(const std::string& path) override {
    return behind_.make_directories(path);
  }
  Result<void> sync_directory(const std::string& path) override {
    return behind_.sync_directory(path);
  }
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override {
    return behind_.list(path);
  }
  Result<bool> exists(const std::string& path) override { return behind_.exists(path); }
  Result<std::uint64_t> free_bytes(const std::string& path) override {
    return behind_.free_bytes(path);
  }
  Result<std::unique_ptr<DirectoryLock>> lock(const std::string& path) override {
    return behind_.lock(path);
  }

 private:
  Disk& behind_;
  const Refusal refusal_;
};

}  // namespace docket::verify
