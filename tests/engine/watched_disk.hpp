// A disk in front of another: tells a test what is about to happen, and who changes anything.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/disk.hpp"

namespace docket::testing {

// As thread-safe as the disk behind it once the hook is set.
class WatchedDisk final : public Disk {
 public:
  // `before(call, path)` is called before each call, with its function's name.
  using Hook = std::function<void(const std::string& call, const std::string& path)>;

  explicit WatchedDisk(Disk& behind, Hook before = {});

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> unlink(const std::string& path) override;
  Result<void> make_directories(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;
  Result<std::unique_ptr<DirectoryLock>> lock(const std::string& path) override;

  void set_hook(Hook before) { *hook_ = std::move(before); }
  // Calls that change, or could change, anything: "write_at data/x". A sync is none.
  [[nodiscard]] const std::vector<std::string>& changes() const { return *changes_; }
  // Ranges of files that were announced and read, in order, while they are looked at.
  struct Range {
    bool is_announced = false;  // by will_read(); else read
    std::uint64_t begin = 0, end = 0;
  };
  void look_at_ranges(std::vector<Range>* into) { *ranges_ = into; }

 private:
  class WatchedFile;
  void note(const std::string& call, const std::string& path, bool changes);

  Disk& behind_;
  std::shared_ptr<Hook> hook_;
  std::shared_ptr<std::vector<std::string>> changes_;  // shared with open files
  std::shared_ptr<std::vector<Range>*> ranges_;        // likewise
};

}  // namespace docket::testing
