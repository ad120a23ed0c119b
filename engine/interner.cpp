#include "engine/interner.hpp"

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/assert.hpp"
#include "engine/bytes.hpp"

namespace docket {

namespace {

constexpr std::size_t slots_at_first = 256;  // power of two

std::uint32_t hash_of(const Interner::Key& key) {
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

std::uint32_t Interner::intern(const Key& key) {
  if (key == Key{}) {
    return 0;
  }
  const std::uint32_t hash = hash_of(key);
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
  if (std::size_t{id} * 2 > slots_.size()) {
    grow();
  }
  return id;
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
  std::fill(slots_.begin(), slots_.end(), Slot{});
  entries_.resize(1);
  strings_.clear();
}

void Interner::columns(Columns& into) const {
  for (auto* column : {&into.a, &into.b, &into.first_lengths, &into.second_lengths}) {
    column->clear();
    column->reserve(entries_.size());
  }
  into.first.clear();
  into.second.clear();
  for (const Entry& entry : entries_) {
    into.a.push_back(entry.a);
    into.b.push_back(entry.b);
    into.first_lengths.push_back(entry.first_bytes);
    into.second_lengths.push_back(entry.second_bytes);
    const auto strings = std::span<const std::byte>(strings_).subspan(
        entry.start, std::size_t{entry.first_bytes} + entry.second_bytes);
    append_bytes(into.first, strings.first(entry.first_bytes));
    append_bytes(into.second, strings.subspan(entry.first_bytes));
  }
}

}  // namespace docket
