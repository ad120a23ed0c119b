#include "engine/memory_file.hpp"

#include <algorithm>

namespace docket {

Result<void> MemoryFile::read_at(FileOffset offset, std::span<std::byte> into) const {
  const std::lock_guard lock(mutex_);
  if (offset.value > bytes_.size() || into.size() > bytes_.size() - offset.value) {
    return fail(ErrorCode::corrupt, "file ends at byte " + std::to_string(bytes_.size()));
  }
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset.value), into.size(),
              into.begin());
  return {};
}

Result<void> MemoryFile::write_at(FileOffset offset,
                                  std::span<const std::span<const std::byte>> parts) {
  const std::lock_guard lock(mutex_);
  std::size_t at = offset.value;
  for (const std::span<const std::byte> part : parts) {
    bytes_.resize(std::max(bytes_.size(), at + part.size()));
    std::copy(part.begin(), part.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at));
    at += part.size();
  }
  return {};
}

Result<void> MemoryFile::resize(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  bytes_.resize(bytes);
  return {};
}

Result<std::uint64_t> MemoryFile::size() const {
  const std::lock_guard lock(mutex_);
  return bytes_.size();
}

}  // namespace docket
