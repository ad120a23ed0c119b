// The examples of engine/FORMAT.md: fixed inputs, and the bytes that the encoders make of them.
//
// tests/engine/golden/NAME.hex holds the bytes of example NAME as lines like
//
//     0000: 44 4b 42 31 07 00 00 00 5e c1 0f 4b 0d 3a 11 92
//
// A change of the format changes them on purpose: run engine_tests with DOCKET_WRITE_GOLDEN=1 to
// write them anew, look at what has changed, and change FORMAT.md in the same commit.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/event.hpp"
#include "engine/manifest.hpp"

namespace docket::testing {

// Ann creates a list; an hour later a token deletes two contacts on it.
[[nodiscard]] std::vector<Event> example_events();
[[nodiscard]] Manifest example_manifest();

// By name: segment_header, batch (the two events), block (a hot one of that batch), sealed (the
// whole sealed segment of that block), trailer (its last bytes), manifest.
[[nodiscard]] std::map<std::string, std::vector<std::byte>> format_examples();

[[nodiscard]] std::string hex_dump(std::span<const std::byte> bytes);

}  // namespace docket::testing
