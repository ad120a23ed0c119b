#include "index/section_cache.hpp"

#include <new>
#include <utility>

namespace docket::index {

std::uint64_t SectionCache::new_index() {
  const std::lock_guard lock(mutex_);
  return next_index_++;
}

Result<std::shared_ptr<const void>> SectionCache::get(const Key& key,
                                                      const std::function<Result<Loaded>()>& load) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->loaded.section;
    }
  }
  // Reading and decoding happen outside the lock.
  DOCKET_ASSIGN(Loaded loaded, load());
  std::list<Entry> dropped;  // Freed after the lock is gone.
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    return found->second->loaded.section;
  }
  std::list<Entry> one;
  try {
    one.push_front(Entry{key, loaded});
    by_key_.emplace(key, one.begin());
  } catch (const std::bad_alloc&) {
    return loaded.section;  // loaded again when it is asked for
  }
  entries_.splice(entries_.begin(), one);
  bytes_ += loaded.bytes;
  while (bytes_ > bytes_max_ && entries_.size() > 1) {
    const auto last = std::prev(entries_.end());
    bytes_ -= last->loaded.bytes;
    by_key_.erase(last->key);
    dropped.splice(dropped.begin(), entries_, last);
  }
  return loaded.section;
}

std::uint64_t SectionCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace docket::index
