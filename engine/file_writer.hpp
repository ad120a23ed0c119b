// Writing a new file from its beginning to its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/disk.hpp"

namespace docket {

// Writes one piece behind the other, and syncs after each `step` bytes. Whoever commits meanwhile
// waits at the disk behind what others have given it: behind a step at most, and not behind all of
// a segment, as with a sync at the end alone. Not thread-safe.
class SteppedWriter {
 public:
  static constexpr std::uint64_t step_default = std::uint64_t{2} << 20;
  // `file` is empty and outlives this. Precondition: step > 0.
  explicit SteppedWriter(File& file, std::uint64_t step = step_default)
      : file_(file), step_(step) {}

  // What is behind the last step is not synced: that is for the caller, at the end.
  [[nodiscard]] Result<void> write(std::span<const std::byte> bytes);
  // Where the next byte will stand.
  [[nodiscard]] FileOffset end() const { return end_; }

 private:
  File& file_;
  std::uint64_t step_;
  std::uint64_t since_sync_ = 0;
  FileOffset end_;
};

// Appends to a new file through a buffer. Not thread-safe. What is not flushed is not written.
class FileWriter {
 public:
  explicit FileWriter(File& file) : writer_(file) { buffer_.reserve(buffer_bytes); }

  [[nodiscard]] Result<void> append(std::span<const std::byte> bytes) {
    if (buffer_.size() + bytes.size() > buffer_bytes) {
      DOCKET_TRY(flush());
    }
    if (bytes.size() >= buffer_bytes) {
      return writer_.write(bytes);
    }
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    return {};
  }
  [[nodiscard]] Result<void> flush() {
    if (!buffer_.empty()) {
      DOCKET_TRY(writer_.write(buffer_));
      buffer_.clear();
    }
    return {};
  }
  // Where the next appended byte will stand.
  [[nodiscard]] FileOffset position() const { return writer_.end() + buffer_.size(); }

 private:
  static constexpr std::size_t buffer_bytes = std::size_t{1} << 20;

  SteppedWriter writer_;
  std::vector<std::byte> buffer_;
};

}  // namespace docket
