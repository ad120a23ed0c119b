// Events of the shape that a mail platform sends, for the micro-benchmarks: about 279 bytes of
// NDJSON each, a third with a diff of 190 bytes, actors by a Zipf-like law, many targets.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/event.hpp"

namespace docket::bench {

[[nodiscard]] std::vector<Event> sample_events(std::size_t count);
// The same events, one JSON object each, no newline.
[[nodiscard]] std::vector<std::string> sample_ndjson_lines(std::size_t count);
// A diff of about 190 bytes.
[[nodiscard]] std::string sample_payload();

}  // namespace docket::bench
