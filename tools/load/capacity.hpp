// How many events a second a server makes durable when it is sent as many as it takes.
#pragma once

#include <cstdint>

#include "engine/result.hpp"
#include "tools/load/generator.hpp"
#include "tools/load/measured_run.hpp"

namespace docket::load {

// Sends flat out for about `seconds`: first a short run that tells how many events that takes, then
// one of so many, which is returned. `events` is taken but for their number; each run makes its
// own.
[[nodiscard]] Result<MeasuredRun> measure_capacity(const GeneratorOptions& events,
                                                   const RunOptions& options, double seconds);

// The events of one run at a rate: first `warm_up` seconds that count nowhere, then `seconds`.
// `number` makes them others than those of the runs before.
struct PacedRun {
  double rate = 0;
  double seconds = 0;
  double warm_up = 0;
  std::uint64_t number = 0;
};
[[nodiscard]] Result<MeasuredRun> measure_at(const GeneratorOptions& events,
                                             const RunOptions& options, const PacedRun& run);

}  // namespace docket::load
