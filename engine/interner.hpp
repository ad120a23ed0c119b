// Gives each distinct string, or tuple of two numbers and two strings, a dense id in order of first
// appearance. The dictionaries of batches (small, reused) and of segments being sealed (large).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace docket {

// Entry 0 is the empty tuple and always there. Not thread-safe. Strings are copied in.
class Interner {
 public:
  struct Key {
    std::uint32_t a = 0;
    std::uint32_t b = 0;
    std::string_view first;
    std::string_view second;
    friend bool operator==(const Key&, const Key&) = default;
  };

  Interner();

  // The id of the tuple, new or known. Expected constant time.
  std::uint32_t intern(const Key& key);
  std::uint32_t intern(std::string_view text) {
    return text.empty() ? 0 : intern(Key{0, 0, text, {}});
  }

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(a_.size()); }
  // Valid until the next intern() or clear().
  [[nodiscard]] Key operator[](std::uint32_t id) const {
    return {a_[id], b_[id], text(first_, first_starts_, first_lengths_, id),
            text(second_, second_starts_, second_lengths_, id)};
  }
  // Back to entry 0 alone; keeps the memory.
  void clear();

  // The columns of the dictionary, by id.
  [[nodiscard]] std::span<const std::uint32_t> a() const { return a_; }
  [[nodiscard]] std::span<const std::uint32_t> b() const { return b_; }
  [[nodiscard]] std::span<const std::uint32_t> first_lengths() const { return first_lengths_; }
  [[nodiscard]] std::span<const std::uint32_t> second_lengths() const { return second_lengths_; }
  [[nodiscard]] std::span<const std::byte> first_bytes() const { return first_; }
  [[nodiscard]] std::span<const std::byte> second_bytes() const { return second_; }
  [[nodiscard]] std::size_t string_bytes() const { return first_.size() + second_.size(); }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t id = 0;  // 0: free (entry 0 is not in the table)
  };

  static std::string_view text(const std::vector<std::byte>& bytes,
                               const std::vector<std::uint64_t>& starts,
                               const std::vector<std::uint32_t>& lengths, std::uint32_t id) {
    return {reinterpret_cast<const char*>(bytes.data()) + starts[id], lengths[id]};
  }
  std::uint32_t add(const Key& key);
  void grow();

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> hashes_;  // by id, for growing
  std::vector<std::uint32_t> a_, b_, first_lengths_, second_lengths_;
  std::vector<std::uint64_t> first_starts_, second_starts_;
  std::vector<std::byte> first_, second_;
};

}  // namespace docket
