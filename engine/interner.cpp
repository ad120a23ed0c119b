#include "engine/interner.hpp"

#include <algorithm>
#include <array>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/assert.hpp"
#include "engine/bytes.hpp"

namespace docket {

namespace {

constexpr std::size_t slots_at_first = 256;  // power of two
// So many look-ups are under way together in intern_all().
constexpr std::size_t together = 16;

// In line, so that what is known of a key where it is called (one string, no numbers) is made use
// of.
__attribute__((always_inline)) inline std::uint32_t hash_of(const Interner::Key& key) {
  const std::uint64_t numbers = (std::uint64_t{key.a} << 32) | key.b;
  std::uint64_t hash = XXH3_64bits_withSeed(key.first.data(), key.first.size(), numbers);
  if (!key.second.empty()) {
    hash = hash * 0x9e3779b97f4a7c15ULL + XXH3_64bits(key.second.data(), key.second.size());
  }
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

}  // namespace

Interner::Interner() : slots_(slots_at_first) {
  add(Key{}, 0);
}

std::uint32_t Interner::add(const Key& key, std::uint32_t hash) {
  const std::uint32_t id = size();
  entries_.push_back({strings_.size(), key.a, key.b, static_cast<std::uint32_t>(key.first.size()),
                      static_cast<std::uint32_t>(key.second.size()), hash});
  append_bytes(strings_, as_byte_span(key.first));
  append_bytes(strings_, as_byte_span(key.second));
  return id;
}

__attribute__((always_inline)) inline std::uint32_t Interner::intern(const Key& key,
                                                                     std::uint32_t hash) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].id != 0) {
    if (slots_[at].hash == hash && (*this)[slots_[at].id] == key) {
      return slots_[at].id;
    }
    at = (at + 1) & mask;
  }
  const std::uint32_t id = add(key, hash);
  slots_[at] = {hash, id};
  // Three quarters full: searches are hardly longer than in a table twice as large, which would
  // take twice the cache.
  if (std::size_t{id} * 4 > slots_.size() * 3) {
    grow();
  }
  return id;
}

std::uint32_t Interner::intern(const Key& key) {
  return key == Key{} ? 0 : intern(key, hash_of(key));
}

std::uint32_t Interner::prepare(const Key& key) const {
  const std::uint32_t hash = hash_of(key);
  __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  return hash;
}

std::uint32_t Interner::intern_prepared(const Key& key, std::uint32_t prepared) {
  return key == Key{} ? 0 : intern(key, prepared);
}

void Interner::intern_all(std::span<const Key> keys, std::span<std::uint32_t> ids) {
  DOCKET_ASSERT(keys.size() == ids.size());
  std::array<std::uint32_t, together> hashes{};
  for (std::size_t begin = 0; begin < keys.size(); begin += together) {
    const auto some = keys.subspan(begin, std::min(together, keys.size() - begin));
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = 0; i < some.size(); ++i) {
      hashes[i] = hash_of(some[i]);
      __builtin_prefetch(&slots_[hashes[i] & mask]);
    }
    // What stands in the first slot is what is looked for, nearly always.
    for (std::size_t i = 0; i < some.size(); ++i) {
      prefetch_entry(slots_[hashes[i] & mask].id);
    }
    for (std::size_t i = 0; i < some.size(); ++i) {
      prefetch_strings(slots_[hashes[i] & mask].id);
    }
    for (std::size_t i = 0; i < some.size(); ++i) {
      ids[begin + i] = some[i] == Key{} ? 0 : intern(some[i], hashes[i]);
    }
  }
}

void Interner::grow() {
  std::vector<Slot> wider(slots_.size() * 2);
  const std::size_t mask = wider.size() - 1;
  for (std::uint32_t id = 1; id < size(); ++id) {
    std::size_t at = entries_[id].hash & mask;
    while (wider[at].id != 0) {
      at = (at + 1) & mask;
    }
    wider[at] = {entries_[id].hash, id};
  }
  slots_ = std::move(wider);
}

void Interner::clear() {
  // Few entries in a table that was large once: what came last stands behind all others of its
  // hash, and goes first.
  constexpr std::size_t few = 16;
  if (entries_.size() * few < slots_.size()) {
    const std::size_t mask = slots_.size() - 1;
    for (std::uint32_t id = size() - 1; id > 0; --id) {
      std::size_t at = entries_[id].hash & mask;
      while (slots_[at].id != id) {
        at = (at + 1) & mask;
      }
      slots_[at] = {};
    }
  } else {
    std::fill(slots_.begin(), slots_.end(), Slot{});
  }
  entries_.resize(1);
  strings_.clear();
}

void Interner::columns(Columns& into) const {
  const std::size_t count = entries_.size();
  std::size_t first_bytes = 0;
  for (auto* column : {&into.a, &into.b, &into.first_lengths, &into.second_lengths}) {
    column->resize(count);
  }
  for (std::size_t id = 0; id < count; ++id) {
    const Entry& entry = entries_[id];
    into.a[id] = entry.a;
    into.b[id] = entry.b;
    into.first_lengths[id] = entry.first_bytes;
    into.second_lengths[id] = entry.second_bytes;
    first_bytes += entry.first_bytes;
  }
  into.first.resize(first_bytes);
  into.second.resize(strings_.size() - first_bytes);
  const std::byte* from = strings_.data();
  std::byte* first = into.first.data();
  std::byte* second = into.second.data();
  for (const Entry& entry : entries_) {
    first = std::copy_n(from, entry.first_bytes, first);
    second = std::copy_n(from + entry.first_bytes, entry.second_bytes, second);
    from += std::size_t{entry.first_bytes} + entry.second_bytes;
  }
}

}  // namespace docket
