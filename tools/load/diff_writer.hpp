// Payloads: what changed, in the two forms that platforms send.
#pragma once

#include <cstdint>
#include <span>

#include "tools/load/random.hpp"
#include "tools/load/text_cursor.hpp"
#include "tools/load/vocabulary.hpp"

namespace docket::load {

inline constexpr std::size_t diff_bytes_max = 1024;

// Writes a JSON object of about 190 bytes that says which fields of an object of `type` changed:
// {"changes":[{"field","old","new"}...]} or {"before":{...},"after":{...}}.
void write_diff(std::uint8_t type, Random& random, TextCursor& out);

}  // namespace docket::load
