#include "engine/section_cache.hpp"

#include <atomic>
#include <iterator>
#include <new>

namespace docket {

namespace {
// The list node, the map node and the control block of an entry, roughly.
constexpr std::size_t entry_overhead_bytes = 160;
}  // namespace

std::size_t SectionCache::Hash::operator()(const Key& key) const {
  std::uint64_t h = key.owner * 0x9e3779b97f4a7c15ULL ^ key.place;
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ULL;
  h ^= h >> 32;
  return h;
}

std::uint64_t SectionCache::next_owner() {
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

std::shared_ptr<const void> SectionCache::find_erased(const Key& key) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.places.find(key);
  if (found == shard.places.end()) {
    return nullptr;
  }
  found->second->used = true;
  return found->second->value;
}

void SectionCache::put_erased(const Key& key, std::shared_ptr<const void> value,
                              std::size_t bytes) {
  bytes += entry_overhead_bytes;
  if (bytes > shard_bytes_max_) {
    return;
  }
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  if (const auto found = shard.places.find(key); found != shard.places.end()) {
    shard.bytes -= found->second->bytes;
    shard.entries.erase(found->second);
    shard.places.erase(found);
  }
  while (shard.bytes + bytes > shard_bytes_max_ && !shard.entries.empty()) {
    shard.evict();
  }
  std::list<Entry> one;
  try {
    one.push_front({key, std::move(value), bytes, false});
    shard.places.emplace(key, one.begin());
  } catch (const std::bad_alloc&) {
    return;  // it is read again when it is asked for
  }
  shard.entries.splice(shard.entries.begin(), one);
  shard.bytes += bytes;
}

void SectionCache::Shard::evict() {
  while (entries.back().used) {
    entries.back().used = false;
    entries.splice(entries.begin(), entries, std::prev(entries.end()));
  }
  bytes -= entries.back().bytes;
  places.erase(entries.back().key);
  entries.pop_back();
}

std::uint64_t SectionCache::bytes() const {
  std::uint64_t total = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    total += shard.bytes;
  }
  return total;
}

}  // namespace docket
