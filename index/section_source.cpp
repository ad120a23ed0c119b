#include "index/section_source.hpp"

#include <utility>

#include "engine/read_account.hpp"

namespace docket::index {
namespace {

class FileSource final : public SectionSource {
 public:
  FileSource(Disk& disk, std::string path, std::uint64_t size)
      : disk_(disk), path_(std::move(path)), size_(size) {}

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] std::uint64_t resident_bytes() const override { return 0; }
  [[nodiscard]] Result<std::vector<std::byte>> read(std::uint64_t offset,
                                                    std::uint64_t bytes) const override {
    DOCKET_ASSIGN(const std::unique_ptr<File> file, disk_.open(path_, OpenMode::read));
    std::vector<std::byte> into(bytes);
    DOCKET_TRY(file->read_at(FileOffset(offset), into));
    ReadAccount::add(bytes);
    return into;
  }

 private:
  Disk& disk_;
  std::string path_;
  std::uint64_t size_;
};

class MemorySource final : public SectionSource {
 public:
  explicit MemorySource(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}

  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  [[nodiscard]] std::uint64_t resident_bytes() const override { return bytes_.size(); }
  [[nodiscard]] Result<std::vector<std::byte>> read(std::uint64_t offset,
                                                    std::uint64_t bytes) const override {
    const auto begin = bytes_.begin() + static_cast<std::ptrdiff_t>(offset);
    return std::vector<std::byte>(begin, begin + static_cast<std::ptrdiff_t>(bytes));
  }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace

Result<std::unique_ptr<SectionSource>> file_source(Disk& disk, std::string path) {
  std::uint64_t size = 0;
  {
    DOCKET_ASSIGN(const std::unique_ptr<File> file, disk.open(path, OpenMode::read));
    DOCKET_ASSIGN(size, file->size());
  }
  return std::make_unique<FileSource>(disk, std::move(path), size);
}

std::unique_ptr<SectionSource> memory_source(std::vector<std::byte> bytes) {
  return std::make_unique<MemorySource>(std::move(bytes));
}

}  // namespace docket::index
