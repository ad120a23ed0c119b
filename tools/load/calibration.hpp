// Measuring what a forecast needs: short runs against servers that are started for it.
#pragma once

#include <cstdint>
#include <string>

#include "engine/result.hpp"
#include "tools/load/forecast.hpp"
#include "tools/load/generator.hpp"
#include "tools/load/measured_run.hpp"
#include "tools/load/measured_server.hpp"

namespace docket::load {

struct CalibrationOptions {
  GeneratorOptions events;   // but for their number
  RunOptions run;            // but for address, rate and what is watched
  ServerChoice server;       // its data: a directory for several stores, one after the other
  double seconds = 10;       // of a run at a rate
  std::uint32_t repeat = 3;  // runs at each rate; the median counts
  std::uint64_t events_max = 2'000'000;  // of one store
};

// With servers of its own, in directories below `data` that it removes again:
//   1. flat out: capacity; then, until all is sealed and indexed, what that takes;
//   2. an hour of the mean load pressed into seconds, with segments sealed as often for it: bytes
//   an
//      event, memory, and questions of half of it and all of it;
//   3. the mean and the peak rate, in real time: processor time and acknowledgements.
// With a server that runs, its segments are as they are, and 2 is what it has after 1.
// Errors: those of servers, senders and questions.
[[nodiscard]] Result<Calibration> calibrate(const PlanRequest& request,
                                            const CalibrationOptions& options);

}  // namespace docket::load
