#include "tools/api/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

namespace docket::api {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Descending, so that formatting finds the largest first.
constexpr std::array durations{
    Unit{"w", 604'800'000'000'000}, Unit{"d", 86'400'000'000'000}, Unit{"h", 3'600'000'000'000},
    Unit{"m", 60'000'000'000},      Unit{"s", 1'000'000'000},      Unit{"ms", 1'000'000},
};
constexpr std::array binary_sizes{
    Unit{"TiB", std::uint64_t{1} << 40},
    Unit{"GiB", std::uint64_t{1} << 30},
    Unit{"MiB", std::uint64_t{1} << 20},
    Unit{"KiB", std::uint64_t{1} << 10},
    Unit{"B", 1},
};
constexpr std::array decimal_sizes{
    Unit{"TB", 1'000'000'000'000},
    Unit{"GB", 1'000'000'000},
    Unit{"MB", 1'000'000},
    Unit{"kB", 1'000},
};

// Splits "365d" into number and unit, and multiplies.
Result<std::uint64_t> scaled(std::string_view text, std::span<const Unit> units,
                             std::span<const Unit> more, std::string_view expected) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_number<std::uint64_t>(text.substr(0, digits));
  const std::string_view name = text.substr(digits);
  if (number) {
    for (const std::span<const Unit> list : {units, more}) {
      for (const Unit& unit : list) {
        if (unit.name == name && *number <= static_cast<std::uint64_t>(INT64_MAX) / unit.factor) {
          return *number * unit.factor;
        }
      }
    }
  }
  return fail(ErrorCode::invalid_argument, fmt::format("must be {}, and is '{}'", expected, text));
}

std::string in_largest_unit(std::uint64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.factor == 0) {
      return fmt::format("{}{}", value / unit.factor, unit.name);
    }
  }
  return fmt::format("{}{}", value, units.back().name);
}

}  // namespace

Result<Nanos> parse_duration(std::string_view text) {
  DOCKET_ASSIGN(const std::uint64_t value,
                scaled(text, durations, {}, "a number and a unit, such as 90m, 24h or 365d"));
  return static_cast<Nanos>(value);
}

std::string format_duration(Nanos duration) {
  // Weeks are read but not written: 365d says more than the 364 days of 52w.
  return in_largest_unit(static_cast<std::uint64_t>(duration), std::span(durations).subspan(1));
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  const bool bare = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  return scaled(bare ? std::string(text) + "B" : std::string(text), binary_sizes, decimal_sizes,
                "a number and a unit, such as 512MiB or 10GiB");
}

std::string format_bytes(std::uint64_t bytes) {
  return in_largest_unit(bytes, binary_sizes);
}

std::string readable_bytes(std::uint64_t bytes) {
  for (const Unit& unit : binary_sizes) {
    if (bytes >= unit.factor && unit.factor > 1) {
      const double value = static_cast<double>(bytes) / static_cast<double>(unit.factor);
      return fmt::format("{:.{}f} {}", value, value < 10 ? 2 : value < 100 ? 1 : 0, unit.name);
    }
  }
  return fmt::format("{} B", bytes);
}

std::string readable_count(std::uint64_t count) {
  const std::string digits = std::to_string(count);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) {
      out += ',';
    }
    out += digits[i];
  }
  return out;
}

}  // namespace docket::api
