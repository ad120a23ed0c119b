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
  // The same in two steps, so that there is time for other work between them: the first looks for
  // nothing yet, but has the memory fetched in which the second will look.
  [[nodiscard]] std::uint32_t prepare(const Key& key) const;
  std::uint32_t intern_prepared(const Key& key, std::uint32_t prepared);
  // The same for many, in their order: where the dictionary no longer fits the cache, they wait for
  // memory together. ids: as many as there are keys.
  void intern_all(std::span<const Key> keys, std::span<std::uint32_t> ids);

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(entries_.size()); }
  // Valid until the next intern() or clear().
  [[nodiscard]] Key operator[](std::uint32_t id) const {
    const Entry& entry = entries_[id];
    const char* text = reinterpret_cast<const char*>(strings_.data()) + entry.start;
    return {entry.a,
            entry.b,
            {text, entry.first_bytes},
            {text + entry.first_bytes, entry.second_bytes}};
  }
  // Tell that operator[] will be asked for `id` soon: the first, then, a few ids later, the second.
  void prefetch_entry(std::uint32_t id) const { __builtin_prefetch(entries_.data() + id); }
  void prefetch_strings(std::uint32_t id) const {
    __builtin_prefetch(strings_.data() + entries_[id].start);
  }
  // Back to entry 0 alone; keeps the memory.
  void clear();
  // Bytes of all strings.
  [[nodiscard]] std::size_t string_bytes() const { return strings_.size(); }

  // The dictionary by columns, by id: what the encoders take. Replaces what is in `into`.
  struct Columns {
    std::vector<std::uint32_t> a, b, first_lengths, second_lengths;
    std::vector<std::byte> first, second;
  };
  void columns(Columns& into) const;

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t id = 0;  // 0: free (entry 0 is not in the table)
  };
  // All of an entry but its strings, which stand together: a look-up touches the slot, this and
  // them, each once.
  struct Entry {
    std::uint64_t start = 0;
    std::uint32_t a = 0;
    std::uint32_t b = 0;
    std::uint32_t first_bytes = 0;
    std::uint32_t second_bytes = 0;
    std::uint32_t hash = 0;  // for growing
  };

  std::uint32_t intern(const Key& key, std::uint32_t hash);
  std::uint32_t add(const Key& key, std::uint32_t hash);
  void grow();

  std::vector<Slot> slots_;
  std::vector<Entry> entries_;
  std::vector<std::byte> strings_;
};

}  // namespace docket
