#include "tools/load/capacity.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "tools/load/progress_line.hpp"

namespace docket::load {
namespace {

constexpr std::uint64_t first_events = 200'000;
constexpr std::uint64_t events_max = 1'000'000'000;

Result<MeasuredRun> send(GeneratorOptions events, RunOptions options, const std::string& what) {
  options.send.events = events.events - options.send.first;
  const Generator generator(events);
  Recorder recorder;
  const ProgressLine line(recorder, options.send.events, what);
  return measure(generator, options, recorder);
}

std::uint64_t events_in(double rate, double seconds) {
  return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::ceil(rate * seconds)), 1,
                                   events_max);
}

}  // namespace

Result<MeasuredRun> measure_capacity(const GeneratorOptions& events, const RunOptions& options,
                                     double seconds) {
  RunOptions flat_out = options;
  flat_out.send.rate = 0;
  GeneratorOptions made = events;
  made.events = first_events;
  DOCKET_ASSIGN(const MeasuredRun first, send(made, flat_out, "capacity, how many: "));
  made.events = events_in(first.events_per_second(), seconds);
  ++made.seed;
  return send(made, flat_out, "capacity: ");
}

Result<MeasuredRun> measure_at(const GeneratorOptions& events, const RunOptions& options,
                               const PacedRun& run) {
  RunOptions paced = options;
  paced.send.rate = run.rate;
  GeneratorOptions made = events;
  made.seed += 2 + run.number;
  made.events = events_in(run.rate, run.seconds);
  if (run.warm_up > 0) {
    const std::uint64_t warm_up = events_in(run.rate, run.warm_up);
    made.events = warm_up;
    DOCKET_TRY(send(made, paced, "warm-up: "));
    made.events = warm_up + events_in(run.rate, run.seconds);
    paced.send.first = warm_up;
  }
  return send(made, paced, std::to_string(static_cast<std::uint64_t>(run.rate)) + " events/s: ");
}

}  // namespace docket::load
