#include "engine/dictionary_merge.hpp"

#include <algorithm>
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

// Collects all strings of a table, so that two lists can be walked side by side.
struct FlatStrings {
  std::string bytes;
  std::vector<std::size_t> ends;

  [[nodiscard]] std::string_view operator[](std::uint32_t i) const {
    const std::size_t start = i == 0 ? 0 : ends[i - 1];
    return std::string_view(bytes).substr(start, ends[i] - start);
  }
};

Result<FlatStrings> flatten(const StringTable& table) {
  FlatStrings flat;
  flat.ends.reserve(table.size());
  DOCKET_TRY(table.scan(0, table.size(), [&flat](std::uint32_t, std::string_view text) {
    flat.bytes.append(text);
    flat.ends.push_back(flat.bytes.size());
    return true;
  }));
  return flat;
}

}  // namespace

Result<IdMaps> DictionaryMerge::add(const Dictionaries& dictionaries) {
  IdMaps maps;
  for (std::size_t f = 0; f < dictionary_field_count; ++f) {
    DOCKET_ASSIGN(const StringTable* table, dictionaries.strings(static_cast<DictionaryField>(f)));
    std::vector<std::uint32_t>& map = maps.plain[f];
    map.reserve(table->size());
    DOCKET_TRY(table->scan(0, table->size(), [&](std::uint32_t, std::string_view text) {
      map.push_back(plain_[f].interner.intern(text));
      return true;
    }));
  }
  const auto map_of = [&maps](DictionaryField field) -> const std::vector<std::uint32_t>& {
    return maps.plain[static_cast<std::size_t>(field)];
  };
  const std::uint32_t actors = dictionaries.actor_count();
  DOCKET_ASSIGN(const PackedInts kinds, dictionaries.actor_kinds());
  DOCKET_ASSIGN(const PackedInts roles, dictionaries.actor_roles());
  DOCKET_ASSIGN(const StringTable* actor_ids, dictionaries.actor_ids());
  DOCKET_ASSIGN(const StringTable* actor_names, dictionaries.actor_names());
  DOCKET_ASSIGN(const FlatStrings ids, flatten(*actor_ids));
  DOCKET_ASSIGN(const FlatStrings names, flatten(*actor_names));
  maps.actors.resize(actors);
  for (std::uint32_t i = 0; i < actors; ++i) {
    maps.actors[i] =
        actors_.interner.intern({map_of(DictionaryField::kind)[kinds[i]],
                                 map_of(DictionaryField::role)[roles[i]], ids[i], names[i]});
  }
  const std::uint32_t targets = dictionaries.target_count();
  DOCKET_ASSIGN(const PackedInts types, dictionaries.target_types());
  DOCKET_ASSIGN(const StringTable* target_ids, dictionaries.target_ids());
  DOCKET_ASSIGN(const StringTable* target_names, dictionaries.target_names());
  DOCKET_ASSIGN(const FlatStrings tids, flatten(*target_ids));
  DOCKET_ASSIGN(const FlatStrings tnames, flatten(*target_names));
  maps.targets.resize(targets);
  for (std::uint32_t i = 0; i < targets; ++i) {
    maps.targets[i] =
        targets_.interner.intern({map_of(DictionaryField::type)[types[i]], 0, tids[i], tnames[i]});
  }
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
  std::sort(keys.begin(), keys.end(), [&](const SortKey& x, const SortKey& y) {
    if (x.rank != y.rank) {
      return x.rank < y.rank;
    }
    if (x.prefix != y.prefix) {
      return x.prefix < y.prefix;
    }
    const Interner::Key a = interner[x.id];
    const Interner::Key b = interner[y.id];
    if (const int order = a.first.compare(b.first); order != 0) {
      return order < 0;
    }
    if (const int order = a.second.compare(b.second); order != 0) {
      return order < 0;
    }
    return !rank_of_b.empty() && rank_of_b[a.b] < rank_of_b[b.b];
  });
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

std::string_view DictionaryMerge::text(DictionaryField f, std::uint32_t id) const {
  return field(f).interner[field(f).order[id]].first;
}

Interner::Key DictionaryMerge::actor(std::uint32_t id) const {
  Interner::Key key = actors_.interner[actors_.order[id]];
  key.a = field(DictionaryField::kind).final_[key.a];
  key.b = field(DictionaryField::role).final_[key.b];
  return key;
}

Interner::Key DictionaryMerge::target(std::uint32_t id) const {
  Interner::Key key = targets_.interner[targets_.order[id]];
  key.a = field(DictionaryField::type).final_[key.a];
  return key;
}

}  // namespace docket
