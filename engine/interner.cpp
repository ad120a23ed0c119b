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

void append_text(std::vector<std::byte>& out, std::string_view text) {
  const auto bytes = as_byte_span(text);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace

Interner::Interner() : slots_(slots_at_first) {
  hashes_.push_back(0);
  add(Key{});
}

std::uint32_t Interner::add(const Key& key) {
  const std::uint32_t id = size();
  a_.push_back(key.a);
  b_.push_back(key.b);
  first_starts_.push_back(first_.size());
  second_starts_.push_back(second_.size());
  first_lengths_.push_back(static_cast<std::uint32_t>(key.first.size()));
  second_lengths_.push_back(static_cast<std::uint32_t>(key.second.size()));
  append_text(first_, key.first);
  append_text(second_, key.second);
  return id;
}

std::uint32_t Interner::intern(const Key& key) {
  if (key == Key{}) {
    return 0;
  }
  const std::uint32_t hash = hash_of(key);
  std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].id != 0) {
    if (slots_[at].hash == hash && (*this)[slots_[at].id] == key) {
      return slots_[at].id;
    }
    at = (at + 1) & mask;
  }
  const std::uint32_t id = add(key);
  hashes_.push_back(hash);
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
    std::size_t at = hashes_[id] & mask;
    while (wider[at].id != 0) {
      at = (at + 1) & mask;
    }
    wider[at] = {hashes_[id], id};
  }
  slots_ = std::move(wider);
}

void Interner::clear() {
  std::fill(slots_.begin(), slots_.end(), Slot{});
  hashes_.resize(1);
  a_.resize(1);
  b_.resize(1);
  first_starts_.resize(1);
  second_starts_.resize(1);
  first_lengths_.resize(1);
  second_lengths_.resize(1);
  first_.clear();
  second_.clear();
}

}  // namespace docket
