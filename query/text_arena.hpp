// Text that is kept together and let go of together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace docket::query {

// Views of what was added hold until clear(), which keeps the memory for what comes next. Not
// thread-safe.
class TextArena {
 public:
  [[nodiscard]] std::string_view add(std::string_view text) {
    if (text.empty()) {
      return {};
    }
    if (text.size() > left_) {
      next_piece(text.size());
    }
    char* const place = free_;
    std::memcpy(place, text.data(), text.size());
    free_ += text.size();
    left_ -= text.size();
    return {place, text.size()};
  }

  void clear() {
    used_ = 0;
    left_ = 0;
  }

 private:
  static constexpr std::size_t piece_bytes = std::size_t{1} << 18;

  struct Piece {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };

  void next_piece(std::size_t bytes) {
    if (used_ == pieces_.size()) {
      pieces_.emplace_back();
    }
    Piece& piece = pieces_[used_];
    if (piece.size < bytes) {
      const std::size_t size = std::max(bytes, piece_bytes);
      piece.bytes = std::make_unique_for_overwrite<char[]>(size);
      piece.size = size;
    }
    ++used_;
    free_ = piece.bytes.get();
    left_ = piece.size;
  }

  std::vector<Piece> pieces_;
  std::size_t used_ = 0;
  char* free_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace docket::query
