// The actor table and the target table under conditions. Both hold tuples of a kind (or type), an
// id and a name, so that one set of rules serves both.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/result.hpp"
#include "engine/segment_reader.hpp"
#include "index/segment_index.hpp"
#include "query/expression.hpp"
#include "query/id_set.hpp"

namespace docket::query {

class TupleTable {
 public:
  // `index` may be null; it must belong to the segment of the dictionaries. Both must outlive the
  // table.
  [[nodiscard]] static Result<TupleTable> actors(const Dictionaries& dictionaries,
                                                 const index::SegmentIndex* index);
  [[nodiscard]] static Result<TupleTable> targets(const Dictionaries& dictionaries,
                                                  const index::SegmentIndex* index);

  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] const StringTable& kinds() const { return *kinds_; }
  [[nodiscard]] const StringTable& ids() const { return *ids_; }
  [[nodiscard]] const StringTable& names() const { return *names_; }
  // Of tuple `i`; an id in kinds().
  [[nodiscard]] std::uint32_t kind_of(std::uint32_t i) const {
    return static_cast<std::uint32_t>(kind_of_[i]);
  }

  // Tuples of one of these kinds.
  [[nodiscard]] Result<IdSet> of_kinds(const IdSet& kinds) const;
  // `actor.id:`, `target.id:`
  [[nodiscard]] Result<IdSet> by_id(const std::vector<Match>& matches) const;
  // `actor.name:`, `target.name:`
  [[nodiscard]] Result<IdSet> by_name(const std::vector<Match>& matches) const;
  // `actor:`, `target:`: kind:id for a split at any colon, an id, a whole name; a type that stands
  // alone.
  [[nodiscard]] Result<IdSet> by_identity(const std::vector<Match>& matches) const;

 private:
  // What an id is compared with, and of which kind it has to be.
  struct IdTest {
    std::string_view id;
    bool prefix = false;
    bool any_kind = true;
    std::string_view kind;     // compared ignoring case
    bool kind_prefix = false;  // `kind` need only be how the kind starts
    bool alone = false;        // the tuple has no id: its type stands for it
  };

  TupleTable() = default;
  // Ids in kinds() that the test allows, as flags.
  [[nodiscard]] Result<std::vector<bool>> allowed_kinds(const IdTest& test) const;
  // Which range of tuples each kind has. Precondition: sorted.
  [[nodiscard]] IdRange range_of_kind(std::uint32_t kind) const;
  [[nodiscard]] Result<void> find_sorted(const std::vector<IdTest>& tests, IdSet& into) const;
  [[nodiscard]] Result<void> find_unsorted(const std::vector<IdTest>& tests, IdSet& into) const;
  [[nodiscard]] Result<void> find_ids(const std::vector<IdTest>& tests, IdSet& into) const;
  [[nodiscard]] Result<void> find_names(const std::vector<Match>& matches, IdSet& into) const;
  [[nodiscard]] bool ids_may_have_colon() const;

  bool sorted_ = false;
  std::uint32_t size_ = 0;
  const StringTable* kinds_ = nullptr;
  const StringTable* ids_ = nullptr;
  const StringTable* names_ = nullptr;
  PackedInts kind_of_;
  const index::SegmentIndex* index_ = nullptr;
  index::Dimension dimension_ = index::Dimension::actor;
};

}  // namespace docket::query
