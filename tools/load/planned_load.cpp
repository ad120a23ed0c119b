#include "tools/load/planned_load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "tools/load/ndjson_writer.hpp"

namespace docket::load {
namespace {

constexpr double hour_s = 3600;
constexpr double capacity_share = 0.15;  // while the hour is pressed
constexpr std::uint64_t events_min = 200'000;
constexpr std::uint64_t sample_events = 2000;

}  // namespace

double ndjson_bytes(const GeneratorOptions& options) {
  GeneratorOptions few = options;
  few.events = sample_events;
  const Generator generator(few);
  GeneratedEvent room;
  std::string lines;
  for (std::uint64_t i = 0; i < sample_events; ++i) {
    generator.make(i, room);
    append_ndjson(lines, room.log(), room.event);
  }
  return static_cast<double>(lines.size()) / sample_events;
}

Result<void> lengthen(GeneratorOptions& options, double bytes) {
  GeneratorOptions shortest = options;
  shortest.note_bytes = 1;
  const double least = ndjson_bytes(shortest);
  const double note = bytes - least + 1;
  if (note < 1 || note > note_bytes_max) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("generated events can have {:.0f} to {:.0f} bytes on average",
                            std::ceil(least), std::floor(least) + note_bytes_max - 1));
  }
  options.note_bytes = static_cast<std::uint32_t>(std::lround(note));
  // Whole words and chance: what the sample is off by is put right.
  const double better = note + bytes - ndjson_bytes(options);
  options.note_bytes =
      static_cast<std::uint32_t>(std::lround(std::clamp(better, 1.0, double{note_bytes_max})));
  return {};
}

PressedHour press_hour(double mean_rate, double capacity, std::uint64_t events_max) {
  const double hour = std::max(1.0, mean_rate * hour_s);
  PressedHour pressed;
  pressed.rate = std::min(capacity_share * capacity, hour);  // an hour in a second at most
  pressed.segment_age_ms = static_cast<std::uint64_t>(std::ceil(hour / pressed.rate * 1000));
  // A segment that would hold more than is sent is cut when all has come.
  const double longest_ms = static_cast<double>(events_max) / 2 / pressed.rate * 1000;
  pressed.segment_age_ms = std::max<std::uint64_t>(
      1000, std::min(pressed.segment_age_ms, static_cast<std::uint64_t>(longest_ms)));
  pressed.events = std::clamp(static_cast<std::uint64_t>(2 * hour),
                              std::min(events_min, events_max), events_max);
  return pressed;
}

}  // namespace docket::load
