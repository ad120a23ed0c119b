#include "tools/load/command_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace docket::load {

Result<std::array<double, surface_count>> parse_mix(std::string_view text) {
  std::array<double, surface_count> mix{};
  double sum = 0;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    const std::size_t colon = part.find(':');
    const auto name = std::find(surface_names.begin(), surface_names.end(), part.substr(0, colon));
    double share = 0;
    const char* const end = part.data() + part.size();
    if (colon == std::string_view::npos || name == surface_names.end() ||
        std::from_chars(part.data() + colon + 1, end, share).ptr != end || !(share >= 0)) {
      return fail(ErrorCode::invalid_argument, fmt::format("'{}' is not LOG:SHARE with one of {}",
                                                           part, fmt::join(surface_names, ", ")));
    }
    mix[static_cast<std::size_t>(name - surface_names.begin())] = share;
    sum += share;
  }
  if (sum <= 0) {
    return fail(ErrorCode::invalid_argument, "at least one log needs a share");
  }
  return mix;
}

Result<double> parse_amount(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  const double scale = unit.empty()  ? 1
                       : unit == "k" ? 1e3
                       : unit == "M" ? 1e6
                       : unit == "G" ? 1e9
                                     : 0;
  if (error != std::errc() || !std::isfinite(value) || !(value * scale > 0)) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("'{}' is not an amount such as 250, 20k, 5M or 1.5G", text));
  }
  return value * scale;
}

std::string grouped(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

}  // namespace docket::load
