// The values of since:, until: and on:. Internal to query/.
#pragma once

#include <string_view>

#include "engine/counts.hpp"
#include "engine/result.hpp"
#include "query/parser.hpp"

namespace docket::query {

struct TimeRange {
  Nanos since = 0;  // inclusive
  Nanos until = 0;  // exclusive
  friend bool operator==(const TimeRange&, const TimeRange&) = default;
};

// An instant: RFC 3339; a date or a date and clock time in the zone (`2026-05-01`,
// `2026-05-01T14:22`, seconds and a fraction as in RFC 3339); a clock time of today (`14:22`,
// `14:22:05`); an age (`7d`, `1d12h`; a day is 24 hours, a week 168); now, today, yesterday.
// Beyond what Nanos reach (1677-09-21 to 2262-04-11) it is their end on that side. Error:
// invalid_argument, what was expected, without a place.
[[nodiscard]] Result<Nanos> parse_instant(std::string_view text, const ParseContext& context);

// A whole local day: today, yesterday or a date. Empty for one beyond what Nanos reach.
[[nodiscard]] Result<TimeRange> parse_day(std::string_view text, const ParseContext& context);

}  // namespace docket::query
