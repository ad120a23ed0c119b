// docket-load's own kinds of argument.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "engine/result.hpp"
#include "tools/load/vocabulary.hpp"

namespace docket::load {

// "activity:60,campaign:25" -> shares in the order of `surface_names`; those not named get none.
// Error: invalid_argument.
[[nodiscard]] Result<std::array<double, surface_count>> parse_mix(std::string_view text);

// "250", "20k", "5M", "1.5G" -> events, more than 0. Error: invalid_argument.
[[nodiscard]] Result<double> parse_amount(std::string_view text);

// 1234567 -> "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t value);

}  // namespace docket::load
