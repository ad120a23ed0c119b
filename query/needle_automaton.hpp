// Needles as one automaton over bytes, by which payloads are searched without decoding them.
#pragma once

#include <memory>
#include <span>

#include "engine/token_scan.hpp"
#include "query/text_match.hpp"

namespace docket::query {

// Finds any of the needles in either case, and marks backslashes, around which one may stand
// written otherwise. Null where there is none, or where they are not found by their bytes: one is
// empty, or has letters beyond ASCII; or where they are too long together.
//
// Source: A. V. Aho, M. J. Corasick, "Efficient string matching" (1975).
[[nodiscard]] std::shared_ptr<const ByteAutomaton> needle_automaton(
    std::span<const Needle> needles);

}  // namespace docket::query
