// Texts by number, filled once and then asked often: what a query reads ahead.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace docket::query {

// An open hash table over one buffer of text. Keeps its memory between uses. Not thread-safe.
class TextWindow {
 public:
  // Empties it and makes room for `count` texts.
  void start(std::size_t count) {
    text_.clear();
    entries_.clear();
    slots_.assign(std::bit_ceil(count * 2 + 2), 0);
    shift_ = 64 - static_cast<std::uint32_t>(std::countr_zero(slots_.size()));
  }
  // Precondition: not more than start() made room for; no key twice.
  void add(std::uint64_t key, std::string_view text) {
    entries_.push_back(Entry{key, static_cast<std::uint32_t>(text_.size()),
                             static_cast<std::uint32_t>(text.size())});
    text_ += text;
    std::size_t slot = place_of(key);
    while (slots_[slot] != 0) {
      slot = (slot + 1) & (slots_.size() - 1);
    }
    slots_[slot] = static_cast<std::uint32_t>(entries_.size());
  }
  // The view holds until the next add() or start().
  [[nodiscard]] std::optional<std::string_view> find(std::uint64_t key) const {
    if (entries_.empty()) {
      return std::nullopt;
    }
    for (std::size_t slot = place_of(key); slots_[slot] != 0;
         slot = (slot + 1) & (slots_.size() - 1)) {
      const Entry& entry = entries_[slots_[slot] - 1];
      if (entry.key == key) {
        return std::string_view(text_).substr(entry.begin, entry.length);
      }
    }
    return std::nullopt;
  }
  [[nodiscard]] std::size_t text_bytes() const { return text_.size(); }

 private:
  struct Entry {
    std::uint64_t key = 0;
    std::uint32_t begin = 0;
    std::uint32_t length = 0;
  };

  [[nodiscard]] std::size_t place_of(std::uint64_t key) const {
    return static_cast<std::size_t>((key * 0x9E3779B97F4A7C15ULL) >> shift_);
  }

  std::string text_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  // 1 + number of an entry; 0: free
  std::uint32_t shift_ = 63;
};

}  // namespace docket::query
