// What of a log a walk by pages has still to list: where some of that is retired before the walk
// comes there, its next page says so.
#pragma once

#include "engine/snapshot.hpp"
#include "query/expression.hpp"
#include "query/top_rows.hpp"

namespace docket::query {

struct Unlisted {
  Seq first{1};
  Seq last{0};  // below `first`: nothing
  friend bool operator==(const Unlisted&, const Unlisted&) = default;
};

// The first and the last event of `log`, up to `watermark`, that come behind `after` and may be in
// the query's range of time. Looks at the times of one block at each end, and takes the whole of
// what cannot be read. `place` is the log's in `after`.
[[nodiscard]] Unlisted unlisted(const LogSnapshot& log, std::uint32_t place, Seq watermark,
                                const Query& query, Order order, const Position& after);

// What of `rest` is no longer there, as a gap; nullopt: none. Nothing but retirement takes events
// from the front of a log.
[[nodiscard]] std::optional<Gap> retired_of(const LogSnapshot& log, const Unlisted& rest);

}  // namespace docket::query
