// RFC 3339 timestamps <-> nanoseconds since the Unix epoch, UTC.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/counts.hpp"
#include "engine/result.hpp"

namespace docket {

// Parses a full RFC 3339 date-time: `2026-05-01T14:22:03[.fraction](Z|+hh:mm|-hh:mm)`, 0-9 fraction
// digits, `t`, `z` and a space instead of `T` accepted. A leap second (:60) is taken as the last
// nanosecond before the next minute. Range: 1677-09-21 .. 2262-04-11 (int64 ns). Errors:
// invalid_argument naming what was expected.
[[nodiscard]] Result<Nanos> parse_rfc3339(std::string_view text);

// UTC, with as many fraction digits as the value needs (none, or up to 9 without trailing zeros):
// `2026-05-01T14:22:03.25Z`.
[[nodiscard]] std::string format_rfc3339(Nanos ns);
// Appends the same to `out`.
void append_rfc3339(std::string& out, Nanos ns);
// Writes the same to where there is room for rfc3339_chars_max; returns its end.
inline constexpr std::size_t rfc3339_chars_max = 30;
char* write_rfc3339(char* to, Nanos ns);

// The wall clock.
[[nodiscard]] Nanos now_ns();

}  // namespace docket
