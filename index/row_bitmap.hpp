// The rows that have one frequent value, as containers of 65,536 rows each (index/FORMAT.md, "Row
// bitmap"). Strict: whatever the bytes are, reading stays within them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/result.hpp"
#include "index/row_bits.hpp"

namespace docket::index {

// Immutable; thread-safe.
class RowBitmap {
 public:
  // Decodes a bitmap over `rows` rows. Every container's bounds are checked here. Error: corrupt.
  [[nodiscard]] static Result<RowBitmap> parse(std::vector<std::byte> bytes, std::uint32_t rows);
  // Appends the bitmap of `ascending` (distinct row numbers below `rows`) to `out`.
  static void encode(std::span<const std::uint32_t> ascending, std::uint32_t rows,
                     std::vector<std::byte>& out);

  [[nodiscard]] std::uint32_t chunks() const {
    return static_cast<std::uint32_t>(containers_.size());
  }
  // Rows of chunk `chunk` that have the value. Precondition: chunk < chunks().
  [[nodiscard]] std::uint32_t count(std::uint32_t chunk) const { return containers_[chunk].count; }
  [[nodiscard]] std::uint64_t total() const { return total_; }
  // Adds the rows of chunk `chunk` that lie in `range` to `bits`; words outside stay as they are.
  void add_to(std::uint32_t chunk, RowBits& bits, WordRange range) const;
  // Whether every container holds what its header says: as many rows as counted, in order, within
  // the chunk. parse() does not look at each row; verification does.
  [[nodiscard]] bool is_sound() const;
  [[nodiscard]] std::size_t memory_bytes() const {
    return bytes_.size() + containers_.size() * sizeof(Container);
  }

 private:
  enum class Form : std::uint8_t { empty = 0, list = 1, bits = 2, runs = 3 };
  struct Container {
    Form form = Form::empty;
    std::uint32_t low_bits = 0;  // list only
    std::uint32_t count = 0;
    std::uint32_t rows = 0;  // of the chunk
    std::uint32_t offset = 0;
    std::uint32_t bytes = 0;
  };

  std::vector<Container> containers_;
  std::vector<std::byte> bytes_;  // with padding behind
  std::uint64_t total_ = 0;
};

}  // namespace docket::index
