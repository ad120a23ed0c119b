#include "tests/engine/watched_disk.hpp"

#include <utility>

namespace docket::testing {

class WatchedDisk::WatchedFile final : public File {
 public:
  WatchedFile(std::unique_ptr<File> behind, std::string path,
              std::shared_ptr<std::vector<std::string>> changes,
              std::shared_ptr<std::vector<Range>*> ranges)
      : behind_(std::move(behind)),
        path_(std::move(path)),
        changes_(std::move(changes)),
        ranges_(std::move(ranges)) {}

  Result<void> read_at(FileOffset offset, std::span<std::byte> into) const override {
    note_range(false, offset, into.size());
    return behind_->read_at(offset, into);
  }
  void will_read(FileOffset offset, std::uint64_t bytes) const override {
    note_range(true, offset, bytes);
  }
  Result<void> write_at(FileOffset offset,
                        std::span<const std::span<const std::byte>> parts) override {
    changes_->push_back("write_at " + path_);
    return behind_->write_at(offset, parts);
  }
  Result<void> sync_data() override { return behind_->sync_data(); }
  Result<void> resize(std::uint64_t bytes) override {
    changes_->push_back("resize " + path_);
    return behind_->resize(bytes);
  }
  Result<std::uint64_t> size() const override { return behind_->size(); }

 private:
  void note_range(bool is_announced, FileOffset offset, std::uint64_t bytes) const {
    if (*ranges_ != nullptr && bytes != 0) {
      (*ranges_)->push_back({is_announced, offset.value, offset.value + bytes});
    }
  }

  std::unique_ptr<File> behind_;
  std::string path_;
  std::shared_ptr<std::vector<std::string>> changes_;
  std::shared_ptr<std::vector<Range>*> ranges_;
};

WatchedDisk::WatchedDisk(Disk& behind, Hook before)
    : behind_(behind),
      hook_(std::make_shared<Hook>(std::move(before))),
      changes_(std::make_shared<std::vector<std::string>>()),
      ranges_(std::make_shared<std::vector<Range>*>(nullptr)) {}

void WatchedDisk::note(const std::string& call, const std::string& path, bool changes) {
  if (changes) {
    changes_->push_back(call + " " + path);
  }
  if (*hook_) {
    (*hook_)(call, path);
  }
}

Result<std::unique_ptr<File>> WatchedDisk::open(const std::string& path, OpenMode mode) {
  note("open", path, mode != OpenMode::read);
  DOCKET_ASSIGN(auto file, behind_.open(path, mode));
  return std::make_unique<WatchedFile>(std::move(file), path, changes_, ranges_);
}

Result<void> WatchedDisk::rename(const std::string& from, const std::string& to) {
  note("rename", from, true);
  return behind_.rename(from, to);
}

Result<void> WatchedDisk::unlink(const std::string& path) {
  note("unlink", path, true);
  return behind_.unlink(path);
}

Result<void> WatchedDisk::make_directories(const std::string& path) {
  note("make_directories", path, true);
  return behind_.make_directories(path);
}

Result<void> WatchedDisk::sync_directory(const std::string& path) {
  note("sync_directory", path, false);
  return behind_.sync_directory(path);
}

Result<std::vector<DirectoryEntry>> WatchedDisk::list(const std::string& path) {
  note("list", path, false);
  return behind_.list(path);
}

Result<bool> WatchedDisk::exists(const std::string& path) {
  note("exists", path, false);
  return behind_.exists(path);
}

Result<std::uint64_t> WatchedDisk::free_bytes(const std::string& path) {
  note("free_bytes", path, false);
  return behind_.free_bytes(path);
}

Result<std::unique_ptr<DirectoryLock>> WatchedDisk::lock(const std::string& path) {
  note("lock", path, true);
  return behind_.lock(path);
}

}  // namespace docket::testing
