// The examples of engine/FORMAT.md: fixed inputs, and the bytes that the encoders make of them.
//
// tests/engine/golden/NAME.hex holds the bytes of example NAME as lines like
//
//     0000: 44 4b 42 31 07 00 00 00 5e c1 0f 4b 0d 3a 11 92
//
// A change of the format changes them on purpose: run engine_tests with DOCKET_WRITE_GOLDEN=1 to
// write them anew, look at what has changed, and change FORMAT.md in the same commit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/coded_ints.hpp"
#include "engine/event.hpp"
#include "engine/log_list.hpp"
#include "engine/manifest.hpp"
#include "engine/token_table.hpp"

namespace docket::testing {

// Ann creates a list; an hour later a token deletes two contacts on it.
[[nodiscard]] std::vector<Event> example_events();
[[nodiscard]] Manifest example_manifest();
[[nodiscard]] LogList example_log_list();

// Four symbols, the first with the shortest code.
inline constexpr std::array<std::uint8_t, 4> example_code_lengths{1, 2, 3, 3};
inline constexpr std::array<std::uint32_t, 6> example_symbols{0, 1, 2, 3, 0, 0};

// All single bytes, `News`, `contact-` and `list`; of lists a string shares 0, 8 or 9 bytes.
[[nodiscard]] Tokens example_tokens();
inline constexpr std::string_view example_text = "contact-7 on list News";
[[nodiscard]] std::vector<std::string> example_page();

// A column that coding makes smaller.
struct CodedExample {
  std::string name;
  std::vector<std::uint64_t> values;
  std::uint32_t width = 0;
  ColumnTraits traits;
};
[[nodiscard]] std::vector<CodedExample> coded_examples();

// By name: segment_header, batch (the two events), block (a hot one of that batch), sealed (the
// whole sealed segment of that block), trailer (its last bytes), manifest, log_list; prefix_code,
// coded_differences, coded_runs, coded_ranks, token_text and token_page of the values above.
[[nodiscard]] std::map<std::string, std::vector<std::byte>> format_examples();

[[nodiscard]] std::string hex_dump(std::span<const std::byte> bytes);

}  // namespace docket::testing
