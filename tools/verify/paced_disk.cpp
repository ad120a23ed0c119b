#include "tools/verify/paced_disk.hpp"

#include <utility>

namespace docket::verify {

namespace {

tl::unexpected<Error> refuse(const std::string& path) {
  return fail(ErrorCode::invalid_argument, path + ": this disk is for reading");
}

class PacedFile final : public File {
 public:
  PacedFile(std::unique_ptr<File> file, const PacedDisk::Pace& pace)
      : file_(std::move(file)), pace_(pace) {}

  [[nodiscard]] Result<void> read_at(FileOffset offset, std::span<std::byte> into) const override {
    const auto read = file_->read_at(offset, into);
    return pace_(into.size()) ? read : fail(ErrorCode::cancelled, "reading was broken off");
  }
  [[nodiscard]] Result<void> write_at(FileOffset,
                                      std::span<const std::span<const std::byte>>) override {
    return refuse("a file");
  }
  // Nothing was written, so there is nothing to do.
  [[nodiscard]] Result<void> sync_data() override { return {}; }
  [[nodiscard]] Result<void> resize(std::uint64_t) override { return refuse("a file"); }
  [[nodiscard]] Result<std::uint64_t> size() const override { return file_->size(); }

 private:
  const std::unique_ptr<File> file_;
  const PacedDisk::Pace& pace_;
};

}  // namespace

Result<std::unique_ptr<File>> PacedDisk::open(const std::string& path, OpenMode mode) {
  if (mode != OpenMode::read) {
    return refuse(path);
  }
  DOCKET_ASSIGN(auto file, disk_.open(path, mode));
  return std::make_unique<PacedFile>(std::move(file), pace_);
}

Result<void> PacedDisk::rename(const std::string& from, const std::string&) {
  return refuse(from);
}
Result<void> PacedDisk::unlink(const std::string& path) {
  return refuse(path);
}
Result<void> PacedDisk::make_directories(const std::string& path) {
  return refuse(path);
}
Result<void> PacedDisk::sync_directory(const std::string& path) {
  return refuse(path);
}
Result<std::vector<DirectoryEntry>> PacedDisk::list(const std::string& path) {
  return disk_.list(path);
}
Result<bool> PacedDisk::exists(const std::string& path) {
  return disk_.exists(path);
}
Result<std::uint64_t> PacedDisk::free_bytes(const std::string& path) {
  return disk_.free_bytes(path);
}
Result<std::unique_ptr<DirectoryLock>> PacedDisk::lock(const std::string& path) {
  return refuse(path);
}

}  // namespace docket::verify
