// The load that is planned for, as a calibration makes it: events as long, and an hour of them in
// seconds.
#pragma once

#include <cstdint>

#include "engine/result.hpp"
#include "tools/load/generator.hpp"

namespace docket::load {

// The average length of an event as NDJSON, of a sample.
[[nodiscard]] double ndjson_bytes(const GeneratorOptions& options);
// Makes the events `bytes` long on average by notes. Error: invalid_argument with the bounds.
[[nodiscard]] Result<void> lengthen(GeneratorOptions& options, double bytes);

// How the hour is pressed: the rate, how old a segment becomes, how many events are sent.
struct PressedHour {
  double rate = 0;
  std::uint64_t segment_age_ms = 0;
  std::uint64_t events = 0;
};
// `capacity` in events a second. At least a second to a segment, at most 0.15 of the capacity, two
// hours' events within 200,000 (or `events_max`, where that is less) and `events_max`.
[[nodiscard]] PressedHour press_hour(double mean_rate, double capacity, std::uint64_t events_max);

}  // namespace docket::load
