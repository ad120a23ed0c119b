// The units that a column's values may be multiples of: a section names one by its exponent.
// Internal to what reads and writes sections.
#pragma once

#include <array>
#include <cstdint>

namespace docket {

inline constexpr std::array<std::uint64_t, 10> powers_of_ten = {
    1, 10, 100, 1000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};

}  // namespace docket
