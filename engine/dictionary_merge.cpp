#include "engine/dictionary_merge.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>
#include <string>

#include "engine/assert.hpp"

namespace docket {

namespace {

// The first bytes of a string as a number that sorts like them. Comparing these settles nearly all
// comparisons without following the string.
std::uint64_t prefix_of(std::string_view text) {
  std::uint64_t prefix = 0;
  if (!text.empty()) {  // whose data() may be null
    std::memcpy(&prefix, text.data(), std::min<std::size_t>(text.size(), 8));
  }
  return __builtin_bswap64(prefix);
}

struct SortKey {
  std::uint64_t prefix = 0;
  std::uint32_t rank = 0;
  std::uint32_t id = 0;
};

// Sorts by rank, then prefix. Where there are many, byte by byte from the last one on: a pass over
// them costs less than the levels of comparing, and bytes that all have in common cost nothing.
void sort_by_number(std::vector<SortKey>& keys) {
  constexpr std::size_t worth_passes = 4096;
  if (keys.size() < worth_passes) {
    std::sort(keys.begin(), keys.end(), [](const SortKey& x, const SortKey& y) {
      return x.rank != y.rank ? x.rank < y.rank : x.prefix < y.prefix;
    });
    return;
  }
  constexpr std::size_t prefix_bytes = sizeof(SortKey::prefix);
  constexpr std::size_t number_bytes = prefix_bytes + sizeof(SortKey::rank);
  const auto byte_of = [](const SortKey& key, std::size_t i) {
    return static_cast<std::uint8_t>(i < prefix_bytes ? key.prefix >> (8 * i)
                                                      : key.rank >> (8 * (i - prefix_bytes)));
  };
  std::array<std::array<std::uint32_t, 256>, number_bytes> counts{};
  for (const SortKey& key : keys) {
    for (std::size_t i = 0; i < number_bytes; ++i) {
      ++counts[i][byte_of(key, i)];
    }
  }
  std::vector<SortKey> sorted(keys.size());
  for (std::size_t i = 0; i < number_bytes; ++i) {
    if (counts[i][byte_of(keys.front(), i)] == keys.size()) {
      continue;
    }
    std::array<std::uint32_t, 256> next{};
    std::exclusive_scan(counts[i].begin(), counts[i].end(), next.begin(), 0U);
    for (const SortKey& key : keys) {
      sorted[next[byte_of(key, i)]++] = key;
    }
    keys.swap(sorted);
  }
}

}  // namespace

Result<void> DictionaryMerge::Strings::read(const StringTable& table) {
  bytes.clear();
  ends.clear();
  ends.reserve(table.size());
  return table.scan(0, table.size(), [this](std::uint32_t, std::string_view text) {
    bytes.append(text);
    ends.push_back(bytes.size());
    return true;
  });
}

Result<IdMaps> DictionaryMerge::add(const Dictionaries& dictionaries) {
  IdMaps maps;
  for (std::size_t f = 0; f < dictionary_field_count; ++f) {
    DOCKET_ASSIGN(const StringTable* table, dictionaries.strings(static_cast<DictionaryField>(f)));
    DOCKET_TRY(firsts_.read(*table));
    keys_.resize(table->size());
    for (std::uint32_t i = 0; i < table->size(); ++i) {
      keys_[i] = {0, 0, firsts_[i], {}};
    }
    maps.plain[f].resize(keys_.size());
    plain_[f].interner.intern_all(keys_, maps.plain[f]);
  }
  const auto map_of = [&maps](DictionaryField field) -> const std::vector<std::uint32_t>& {
    return maps.plain[static_cast<std::size_t>(field)];
  };
  const std::uint32_t actors = dictionaries.actor_count();
  DOCKET_ASSIGN(const PackedInts kinds, dictionaries.actor_kinds());
  DOCKET_ASSIGN(const PackedInts roles, dictionaries.actor_roles());
  DOCKET_ASSIGN(const StringTable* actor_ids, dictionaries.actor_ids());
  DOCKET_ASSIGN(const StringTable* actor_names, dictionaries.actor_names());
  DOCKET_TRY(firsts_.read(*actor_ids));
  DOCKET_TRY(seconds_.read(*actor_names));
  keys_.resize(actors);
  for (std::uint32_t i = 0; i < actors; ++i) {
    keys_[i] = {map_of(DictionaryField::kind)[kinds[i]], map_of(DictionaryField::role)[roles[i]],
                firsts_[i], seconds_[i]};
  }
  maps.actors.resize(actors);
  actors_.interner.intern_all(keys_, maps.actors);
  const std::uint32_t targets = dictionaries.target_count();
  DOCKET_ASSIGN(const PackedInts types, dictionaries.target_types());
  DOCKET_ASSIGN(const StringTable* target_ids, dictionaries.target_ids());
  DOCKET_ASSIGN(const StringTable* target_names, dictionaries.target_names());
  DOCKET_TRY(firsts_.read(*target_ids));
  DOCKET_TRY(seconds_.read(*target_names));
  keys_.resize(targets);
  for (std::uint32_t i = 0; i < targets; ++i) {
    keys_[i] = {map_of(DictionaryField::type)[types[i]], 0, firsts_[i], seconds_[i]};
  }
  maps.targets.resize(targets);
  targets_.interner.intern_all(keys_, maps.targets);
  return maps;
}

void DictionaryMerge::sort_by_rank(Sorted& table, std::span<const std::uint32_t> rank_of_a,
                                   std::span<const std::uint32_t> rank_of_b) {
  const Interner& interner = table.interner;
  const std::uint32_t size = interner.size();
  std::vector<SortKey> keys(size);
  for (std::uint32_t id = 0; id < size; ++id) {
    const Interner::Key key = interner[id];
    keys[id] = {prefix_of(key.first), rank_of_a.empty() ? 0 : rank_of_a[key.a], id};
  }
  const auto by_strings = [&](const SortKey& x, const SortKey& y) {
    const Interner::Key a = interner[x.id];
    const Interner::Key b = interner[y.id];
    if (const int order = a.first.compare(b.first); order != 0) {
      return order < 0;
    }
    if (const int order = a.second.compare(b.second); order != 0) {
      return order < 0;
    }
    return !rank_of_b.empty() && rank_of_b[a.b] < rank_of_b[b.b];
  };
  sort_by_number(keys);
  for (auto begin = keys.begin(); begin != keys.end();) {
    const auto end = std::find_if(begin + 1, keys.end(), [&](const SortKey& key) {
      return key.rank != begin->rank || key.prefix != begin->prefix;
    });
    if (end - begin > 1) {
      std::sort(begin, end, by_strings);
    }
    begin = end;
  }
  table.order.resize(size);
  table.final_.resize(size);
  for (std::uint32_t place = 0; place < size; ++place) {
    table.order[place] = keys[place].id;
    table.final_[keys[place].id] = place;
  }
  DOCKET_ASSERT(table.final_[0] == 0);
}

void DictionaryMerge::sort() {
  for (Sorted& plain : plain_) {
    sort_by_rank(plain, {}, {});
  }
  sort_by_rank(actors_, field(DictionaryField::kind).final_, field(DictionaryField::role).final_);
  sort_by_rank(targets_, field(DictionaryField::type).final_, {});
}

void DictionaryMerge::finish(IdMaps& maps) const {
  const auto apply = [](std::vector<std::uint32_t>& map, const Sorted& table) {
    for (std::uint32_t& id : map) {
      id = table.final_[id];
    }
  };
  for (std::size_t f = 0; f < dictionary_field_count; ++f) {
    apply(maps.plain[f], plain_[f]);
  }
  apply(maps.actors, actors_);
  apply(maps.targets, targets_);
}

Interner::Key DictionaryMerge::entry(const Sorted& table, std::uint32_t id) {
  // Asked for one after the other, entries stand anywhere in memory.
  constexpr std::uint32_t ahead = 8;
  if (id + 2 * ahead < table.order.size()) {
    table.interner.prefetch_entry(table.order[id + 2 * ahead]);
    table.interner.prefetch_strings(table.order[id + ahead]);
  }
  return table.interner[table.order[id]];
}

std::string_view DictionaryMerge::text(DictionaryField f, std::uint32_t id) const {
  return entry(field(f), id).first;
}

Interner::Key DictionaryMerge::actor(std::uint32_t id) const {
  Interner::Key key = entry(actors_, id);
  key.a = field(DictionaryField::kind).final_[key.a];
  key.b = field(DictionaryField::role).final_[key.b];
  return key;
}

Interner::Key DictionaryMerge::target(std::uint32_t id) const {
  Interner::Key key = entry(targets_, id);
  key.a = field(DictionaryField::type).final_[key.a];
  return key;
}

}  // namespace docket
