// Decoded sections of all indexes under one memory budget; the least recently used go first.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "engine/result.hpp"

namespace docket::index {

// Thread-safe. What a caller holds stays alive after it was dropped from here.
class SectionCache {
 public:
  explicit SectionCache(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  struct Key {
    std::uint64_t index = 0;  // new_index()
    std::uint32_t section = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Loaded {
    std::shared_ptr<const void> section;
    std::uint64_t bytes = 0;
  };

  // A number that no other index in this cache has.
  [[nodiscard]] std::uint64_t new_index();
  // The section, loaded by `load` when it is not here. Two threads may load the same one at once;
  // one of the two results is kept, as long as there is memory to keep it.
  [[nodiscard]] Result<std::shared_ptr<const void>> get(
      const Key& key, const std::function<Result<Loaded>()>& load);
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return static_cast<std::size_t>((key.index * 0x9E3779B97F4A7C15ULL) ^ key.section);
    }
  };
  struct Entry {
    Key key;
    Loaded loaded;
  };

  const std::uint64_t bytes_max_;
  mutable std::mutex mutex_;
  std::uint64_t bytes_ = 0;
  std::uint64_t next_index_ = 1;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> by_key_;
};

}  // namespace docket::index
