// Verified sections and decoded dictionary pages, shared by all readers of a store, within a byte
// budget. What has not been used since it came, or since it was last spared, goes first; what a
// reader still holds lives on outside it.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>

namespace docket {

// Thread-safe.
class SectionCache {
 public:
  // What is cached: `owner` is unique to an open segment file (see next_owner), `place` to what is
  // kept of it.
  struct Key {
    std::uint64_t owner = 0;
    std::uint64_t place = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };

  explicit SectionCache(std::uint64_t bytes_max) : shard_bytes_max_(bytes_max / shard_count) {}
  SectionCache(const SectionCache&) = delete;
  SectionCache& operator=(const SectionCache&) = delete;

  // The entry, or null. The caller knows the type it put under the key.
  template <typename T>
  [[nodiscard]] std::shared_ptr<const T> find(const Key& key) {
    return std::static_pointer_cast<const T>(find_erased(key));
  }
  // Keeps `value`, which takes about `bytes` of memory, if there is memory to keep it. Replaces an
  // entry of the same key.
  template <typename T>
  void put(const Key& key, std::shared_ptr<const T> value, std::size_t bytes) {
    put_erased(key, std::move(value), bytes);
  }
  // A number that no other owner of any cache has had in this process.
  [[nodiscard]] static std::uint64_t next_owner();
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  static constexpr std::size_t shard_count = 8;

  struct Entry {
    Key key;
    std::shared_ptr<const void> value;
    std::size_t bytes = 0;
    bool used = false;  // since it was put, or spared
  };
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };
  // Second chance rather than the order of use: an entry that is found is marked, not moved, which
  // would touch its neighbours' memory. Most of what a find costs is memory that no cache of the
  // processor holds.
  struct Shard {
    mutable std::mutex mutex;
    std::list<Entry> entries;  // the one that is looked at next for its end comes last
    boost::unordered_flat_map<Key, std::list<Entry>::iterator, Hash> places;
    std::uint64_t bytes = 0;

    // Lets one entry go. Precondition: there is one.
    void evict();
  };

  std::shared_ptr<const void> find_erased(const Key& key);
  void put_erased(const Key& key, std::shared_ptr<const void> value, std::size_t bytes);
  Shard& shard_of(const Key& key) { return shards_[Hash()(key) % shard_count]; }

  std::uint64_t shard_bytes_max_;
  std::array<Shard, shard_count> shards_;
};

}  // namespace docket
