// Another disk, read at somebody's pace.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/disk.hpp"

namespace docket::verify {

// For reading only: every call that would change something is refused (invalid_argument). As
// thread-safe as `disk` and `pace` are.
class PacedDisk final : public Disk {
 public:
  // Told after each read how many bytes it was; may take its time. False: every further read fails
  // (cancelled).
  using Pace = std::function<bool(std::uint64_t bytes)>;

  // `disk` must outlive it, and it the files opened through it.
  PacedDisk(Disk& disk, Pace pace) : disk_(disk), pace_(std::move(pace)) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> unlink(const std::string& path) override;
  Result<void> make_directories(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;
  Result<std::unique_ptr<DirectoryLock>> lock(const std::string& path) override;

 private:
  Disk& disk_;
  const Pace pace_;
};

}  // namespace docket::verify
