#include "tests/durability/flip_disk.hpp"

#include <algorithm>
#include <utility>

namespace docket::testing {

class FlipDisk::Handle final : public File {
 public:
  Handle(const FlipDisk& disk, std::string path, std::shared_ptr<Bytes> bytes)
      : disk_(disk), path_(std::move(path)), bytes_(std::move(bytes)) {}

  Result<void> read_at(FileOffset offset, std::span<std::byte> into) const override {
    if (disk_.reads_ != nullptr) {
      disk_.reads_->push_back({path_, offset.value, into.size()});
    }
    const std::lock_guard lock(bytes_->mutex);
    const std::uint64_t size = bytes_->bytes.size();
    if (!into.empty() && (offset.value > size || into.size() > size - offset.value)) {
      return fail(ErrorCode::corrupt, path_ + ": file ends at byte " + std::to_string(size));
    }
    std::copy_n(bytes_->bytes.begin() + static_cast<std::ptrdiff_t>(offset.value), into.size(),
                into.begin());
    return {};
  }
  Result<void> write_at(FileOffset offset,
                        std::span<const std::span<const std::byte>> parts) override {
    const std::lock_guard lock(bytes_->mutex);
    std::size_t at = offset.value;
    for (const auto part : parts) {
      bytes_->bytes.resize(std::max(bytes_->bytes.size(), at + part.size()));
      std::ranges::copy(part, bytes_->bytes.begin() + static_cast<std::ptrdiff_t>(at));
      at += part.size();
    }
    return {};
  }
  Result<void> sync_data() override { return {}; }
  Result<void> resize(std::uint64_t bytes) override {
    const std::lock_guard lock(bytes_->mutex);
    bytes_->bytes.resize(bytes);
    return {};
  }
  [[nodiscard]] Result<std::uint64_t> size() const override {
    const std::lock_guard lock(bytes_->mutex);
    return bytes_->bytes.size();
  }

 private:
  const FlipDisk& disk_;
  const std::string path_;
  const std::shared_ptr<Bytes> bytes_;
};

FlipDisk::FlipDisk(const SimDisk& disk) {
  for (const std::string& path : disk.files()) {
    auto bytes = std::make_shared<Bytes>();
    bytes->bytes = disk.content(path);
    files_[path] = {std::move(bytes), true};
  }
}

FlipDisk::FlipDisk(const FlipDisk& other) : Disk() {
  const std::lock_guard lock(other.mutex_);
  for (const auto& [path, entry] : other.files_) {
    files_[path] = {entry.bytes, false};
  }
}

void FlipDisk::flip(const std::string& path, std::uint64_t bit) {
  const std::lock_guard lock(mutex_);
  Bytes& file = *files_.at(path).bytes;
  const std::lock_guard held(file.mutex);
  file.bytes.at(bit / 8) ^= std::byte{static_cast<unsigned char>(1U << bit % 8)};
}

std::map<std::string, std::uint64_t> FlipDisk::sizes() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::uint64_t> sizes;
  for (const auto& [path, entry] : files_) {
    sizes[path] = entry.bytes->bytes.size();
  }
  return sizes;
}

std::vector<std::byte> FlipDisk::content(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return files_.at(path).bytes->bytes;
}

Result<std::unique_ptr<File>> FlipDisk::open(const std::string& path, OpenMode mode) {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(path);
  const bool is_there = found != files_.end();
  if (!is_there && (mode == OpenMode::read || mode == OpenMode::read_write)) {
    return fail(ErrorCode::not_found, path);
  }
  if (is_there && mode == OpenMode::create) {
    return fail(ErrorCode::exists, path);
  }
  Entry& entry = files_[path];
  if (!is_there || mode == OpenMode::create_empty) {
    entry = {std::make_shared<Bytes>(), true};
  } else if (mode == OpenMode::read_write && !entry.owned) {
    auto own = std::make_shared<Bytes>();
    own->bytes = entry.bytes->bytes;
    entry = {std::move(own), true};
  }
  return std::make_unique<Handle>(*this, path, entry.bytes);
}

Result<void> FlipDisk::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  auto moved = files_.extract(from);
  if (moved.empty()) {
    return fail(ErrorCode::not_found, from);
  }
  files_[to] = std::move(moved.mapped());
  return {};
}

Result<void> FlipDisk::unlink(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return files_.erase(path) != 0 ? Result<void>() : fail(ErrorCode::not_found, path);
}

Result<std::vector<DirectoryEntry>> FlipDisk::list(const std::string& path) {
  const std::lock_guard lock(mutex_);
  std::vector<DirectoryEntry> entries;
  const std::string inside = path + "/";
  for (auto it = files_.lower_bound(inside); it != files_.end() && it->first.starts_with(inside);
       ++it) {
    const std::string rest = it->first.substr(inside.size());
    const std::size_t slash = rest.find('/');
    const std::string name = rest.substr(0, slash);
    if (entries.empty() || entries.back().name != name) {
      const bool is_directory = slash != std::string::npos;
      entries.push_back({name, is_directory, is_directory ? 0 : it->second.bytes->bytes.size()});
    }
  }
  return entries.empty() ? Result<std::vector<DirectoryEntry>>(fail(ErrorCode::not_found, path))
                         : entries;
}

Result<bool> FlipDisk::exists(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto inside = files_.lower_bound(path + "/");
  return files_.contains(path) || (inside != files_.end() && inside->first.starts_with(path + "/"));
}

}  // namespace docket::testing
