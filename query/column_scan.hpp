// Comparing ids of a packed column with a set, many rows at a time.
#pragma once

#include <cstdint>
#include <span>

#include "engine/counts.hpp"
#include "engine/packed_ints.hpp"
#include "query/id_set.hpp"

namespace docket::query {

// Bit i of `words` (which has one word for each started 64 rows) becomes whether ids[i] is in
// `set`. Bits behind the last row are 0. `rows` is at most limits::block_rows_max.
void match_ids(std::span<const std::uint32_t> ids, const IdSet& set, std::uint64_t* words);

// Bit i of `words` becomes whether since <= times[i] < until, as match_ids() does it. Where `until`
// is INT64_MAX there is no end.
void match_times(std::span<const std::uint64_t> times, Nanos since, Nanos until,
                 std::uint64_t* words);

// As match_ids() for a column, only for rows whose bit in `candidates` is set; other bits become 0.
// Few candidates are looked up one by one, more by unpacking the column.
void match_column(const PackedInts& column, const IdSet& set, std::uint32_t rows,
                  const std::uint64_t* candidates, std::uint64_t* words);

}  // namespace docket::query
