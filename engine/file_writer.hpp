// Appends to a new file through a buffer.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "engine/disk.hpp"

namespace docket {

// Not thread-safe. What is not flushed is not written.
class FileWriter {
 public:
  explicit FileWriter(File& file) : file_(file) { buffer_.reserve(buffer_bytes); }

  [[nodiscard]] Result<void> append(std::span<const std::byte> bytes) {
    if (buffer_.size() + bytes.size() > buffer_bytes) {
      DOCKET_TRY(flush());
    }
    if (bytes.size() >= buffer_bytes) {
      return write(bytes);
    }
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    return {};
  }
  [[nodiscard]] Result<void> flush() {
    if (!buffer_.empty()) {
      DOCKET_TRY(write(buffer_));
      buffer_.clear();
    }
    return {};
  }
  // Where the next appended byte will stand.
  [[nodiscard]] FileOffset position() const { return written_ + buffer_.size(); }

 private:
  static constexpr std::size_t buffer_bytes = std::size_t{1} << 20;

  Result<void> write(std::span<const std::byte> bytes) {
    DOCKET_TRY(file_.write_at(written_, std::span(&bytes, 1)));
    written_ += bytes.size();
    return {};
  }

  File& file_;
  FileOffset written_;
  std::vector<std::byte> buffer_;
};

}  // namespace docket
