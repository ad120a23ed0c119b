// Text that is kept together and let go of together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
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
    char* const place = take(text.size());
    std::memcpy(place, text.data(), text.size());
    return {place, text.size()};
  }
  // added[i] becomes a copy of texts[i]. Faster than one by one: most texts of dictionaries are
  // short, and of lengths that nobody could foretell.
  void add_all(std::span<const std::string_view> texts, std::string_view* added);

  void clear() {
    used_ = 0;
    left_ = 0;
  }

 private:
  static constexpr std::size_t piece_bytes = std::size_t{1} << 18;

  // So much behind what was asked for may be written, too.
  static constexpr std::size_t slack = 64;

  struct Piece {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };

  // Room for so many bytes, and the slack, which the next text may have.
  char* take(std::size_t bytes) {
    if (bytes > left_) {
      next_piece(bytes);
    }
    char* const place = free_;
    free_ += bytes;
    left_ -= bytes;
    return place;
  }

  void next_piece(std::size_t bytes) {
    if (used_ == pieces_.size()) {
      pieces_.emplace_back();
    }
    Piece& piece = pieces_[used_];
    if (piece.size < bytes) {
      const std::size_t size = std::max(bytes, piece_bytes);
      piece.bytes = std::make_unique_for_overwrite<char[]>(size + slack);
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
