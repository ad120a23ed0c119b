// Many blocks' dictionaries become one sorted set: the first half of sealing.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/interner.hpp"
#include "engine/result.hpp"
#include "engine/segment_reader.hpp"

namespace docket {

// From a block's ids to the merged ones, by old id.
struct IdMaps {
  std::array<std::vector<std::uint32_t>, dictionary_field_count> plain;
  std::vector<std::uint32_t> actors;
  std::vector<std::uint32_t> targets;
};

// Not thread-safe. First add() every set, then sort(), then finish() each map and read the rest.
class DictionaryMerge {
 public:
  // Takes in a block's dictionaries. The maps lead to provisional ids until finish().
  [[nodiscard]] Result<IdMaps> add(const Dictionaries& dictionaries);
  // Gives every entry its final id: bytewise order of the plain dictionaries; (kind, id, name,
  // role) and (type, id, name) of the tables.
  void sort();
  void finish(IdMaps& maps) const;

  // Of the merged dictionaries, by final id; entry 0 is the empty one.
  [[nodiscard]] std::uint32_t size(DictionaryField field) const {
    return plain_[static_cast<std::size_t>(field)].interner.size();
  }
  [[nodiscard]] std::string_view text(DictionaryField field, std::uint32_t id) const;
  [[nodiscard]] std::uint32_t actor_count() const { return actors_.interner.size(); }
  [[nodiscard]] std::uint32_t target_count() const { return targets_.interner.size(); }
  // a is the kind, b the role; a is the type.
  [[nodiscard]] Interner::Key actor(std::uint32_t id) const;
  [[nodiscard]] Interner::Key target(std::uint32_t id) const;

 private:
  struct Sorted {
    Interner interner;                  // by provisional id
    std::vector<std::uint32_t> order;   // final id -> provisional id
    std::vector<std::uint32_t> final_;  // provisional id -> final id
  };
  // All strings of a table, so that two of them can be walked side by side.
  struct Strings {
    std::string bytes;
    std::vector<std::size_t> ends;

    [[nodiscard]] Result<void> read(const StringTable& table);
    [[nodiscard]] std::string_view operator[](std::uint32_t i) const {
      const std::size_t start = i == 0 ? 0 : ends[i - 1];
      return std::string_view(bytes).substr(start, ends[i] - start);
    }
  };
  static void sort_by_rank(Sorted& table, std::span<const std::uint32_t> rank_of_a,
                           std::span<const std::uint32_t> rank_of_b);
  [[nodiscard]] static Interner::Key entry(const Sorted& table, std::uint32_t id);
  [[nodiscard]] const Sorted& field(DictionaryField f) const {
    return plain_[static_cast<std::size_t>(f)];
  }

  std::array<Sorted, dictionary_field_count> plain_;
  Sorted actors_;
  Sorted targets_;
  // Of add(), kept for their memory.
  Strings firsts_, seconds_;
  std::vector<Interner::Key> keys_;
};

}  // namespace docket
