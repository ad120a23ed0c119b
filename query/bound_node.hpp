// A query as it applies to one set of dictionaries: conditions have become sets of ids, and what is
// certain for the whole segment (or block) has been worked out.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/counts.hpp"
#include "engine/segment_reader.hpp"
#include "index/dimension.hpp"
#include "query/id_set.hpp"
#include "query/payload_match.hpp"

namespace docket::query {

// since <= ts < until; an `until` of INT64_MAX is no bound.
struct TimeRange {
  Nanos since = 0;
  Nanos until = 0;
  [[nodiscard]] bool contains(Nanos ts) const { return since <= ts && below_until(ts); }
  [[nodiscard]] bool contains(Nanos ts_min, Nanos ts_max) const {
    return since <= ts_min && below_until(ts_max);
  }
  [[nodiscard]] bool overlaps(Nanos ts_min, Nanos ts_max) const {
    return since <= ts_max && below_until(ts_min);
  }
  [[nodiscard]] bool below_until(Nanos ts) const { return ts < until || until == INT64_MAX; }
};

struct SeqRange {
  std::uint64_t first = 0;  // inclusive
  std::uint64_t last = 0;   // inclusive
};

struct LeafPostings;  // planner.hpp

struct BoundNode {
  enum class Kind : std::uint8_t {
    none,     // no row
    all,      // every row
    ids,      // rows whose id in `column` is in `ids`
    time,     // rows whose time is in one of `times`
    seq,      // rows whose seq is in one of `seqs`
    payload,  // rows whose payload matches; `ids`, where there are some, decide it by postings
    conjunction,
    disjunction,
    negation,  // of children[0]
  };

  Kind kind = Kind::all;

  // ids
  RowColumn column = RowColumn::verb;
  bool related = false;  // rows with such a related target, too
  IdSet ids;
  // The same condition as values of a dimension of the index. `values` is empty where they are the
  // ids themselves.
  index::Dimension dimension = index::Dimension::verb;
  IdSet values;
  std::shared_ptr<const LeafPostings> postings;  // where the planner decided to use them

  std::vector<TimeRange> times;
  std::vector<SeqRange> seqs;
  std::shared_ptr<const PayloadMatcher> payload;
  // payload: the blocks, of the whole segment, that may have such a row; null: any.
  std::shared_ptr<const std::vector<bool>> possible_blocks;
  std::vector<BoundNode> children;

  std::uint64_t rows_estimate = UINT64_MAX;  // an upper bound where the planner knows one

  [[nodiscard]] bool is(Kind k) const { return kind == k; }
  // Whether the index has postings for it.
  [[nodiscard]] bool has_values() const {
    return is(Kind::ids) || (is(Kind::payload) && !ids.empty());
  }
  [[nodiscard]] const IdSet& index_values() const { return values.empty() ? ids : values; }
};

}  // namespace docket::query
