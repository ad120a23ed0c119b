// A File that lives in memory: for what is only worth keeping while somebody reads it.
#pragma once

#include <mutex>
#include <vector>

#include "engine/disk.hpp"

namespace docket {

// Thread-safe, writing included.
class MemoryFile : public File {
 public:
  [[nodiscard]] Result<void> read_at(FileOffset offset, std::span<std::byte> into) const override;
  [[nodiscard]] Result<void> write_at(FileOffset offset,
                                      std::span<const std::span<const std::byte>> parts) override;
  [[nodiscard]] Result<void> sync_data() override { return {}; }
  [[nodiscard]] Result<void> resize(std::uint64_t bytes) override;
  [[nodiscard]] Result<std::uint64_t> size() const override;

 private:
  mutable std::mutex mutex_;
  std::vector<std::byte> bytes_;
};

}  // namespace docket
