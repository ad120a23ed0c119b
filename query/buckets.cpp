#include "query/buckets.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <string>

#include "engine/assert.hpp"

namespace docket::query {
namespace {

constexpr Nanos second = 1'000'000'000;
constexpr Nanos day = 86'400 * second;
// A bucket of more than a century is a slip of the finger.
constexpr Nanos width_max = 36'500 * day;

[[nodiscard]] constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a % b < 0) != (b < 0) ? 1 : 0);
}

// The sum, or the end of the range of instants that it is beyond.
[[nodiscard]] Nanos sum(Nanos a, Nanos b) {
  Nanos result = 0;
  if (__builtin_add_overflow(a, b, &result)) {
    return b < 0 ? std::numeric_limits<Nanos>::min() : std::numeric_limits<Nanos>::max();
  }
  return result;
}

[[nodiscard]] Nanos unit_ns(char unit) {
  switch (unit) {
    case 's':
      return second;
    case 'm':
      return 60 * second;
    case 'h':
      return 3600 * second;
    case 'd':
      return day;
    case 'w':
      return 7 * day;
    default:
      return 0;
  }
}

}  // namespace

Result<BucketWidth> parse_bucket_width(std::string_view text) {
  BucketWidth width;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, width.count);
  if (error == std::errc() && rest + 1 == end && width.count > 0) {
    width.unit = *rest;
    const Nanos unit = unit_ns(width.unit);
    if (unit != 0 && width.count <= width_max / unit) {
      return width;
    }
  }
  return fail(ErrorCode::invalid_argument,
              "expected a width such as 15s, 5m, 1h, 1d or 1w, up to 100 years");
}

Buckets::Buckets(BucketWidth width, const TimeZone& zone, Nanos reference) : zone_(zone) {
  DOCKET_ASSERT(width.count > 0 && unit_ns(width.unit) != 0);
  if (width.unit == 'd' || width.unit == 'w') {
    days_ = std::int64_t{width.count} * (width.unit == 'w' ? 7 : 1);
    anchor_ = width.unit == 'w' ? 4 : 0;
    return;
  }
  width_ = std::int64_t{width.count} * unit_ns(width.unit);
  offset_ = zone.offset_at(reference) * second;
}

Bucket Buckets::of(Nanos ts) const {
  return width_ != 0 ? of_clock(ts) : of_calendar(ts);
}

Bucket Buckets::of_clock(Nanos ts) const {
  // From `ts` instead of from zero, so that instants at the ends of the range do not overflow.
  const std::int64_t whole = floor_div(ts, width_);
  const Nanos remainder = ts % width_;
  const Nanos rest = (remainder < 0 ? remainder + width_ : remainder) + offset_;
  const std::int64_t more = floor_div(rest, width_);
  const Nanos into = rest - more * width_;
  return Bucket{whole + more, sum(ts, -into), sum(ts, width_ - into)};
}

Bucket Buckets::of_calendar(Nanos ts) const {
  const Nanos midnight = zone_.day_start(ts);
  // Half a day is added because a day whose midnight is skipped begins at one o'clock.
  const std::int64_t day_number = static_cast<std::int64_t>(
      floor_div(sum(midnight, zone_.offset_at(midnight) * second + day / 2), day));
  const std::int64_t number = floor_div(day_number - anchor_, days_);
  const auto into = static_cast<int>(day_number - anchor_ - number * days_);
  return Bucket{number, zone_.day_start(ts, -into),
                zone_.day_start(ts, static_cast<int>(days_) - into)};
}

}  // namespace docket::query
