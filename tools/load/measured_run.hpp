// One run of the harness: events sent at a rate or flat out, and everything that was seen
// meanwhile.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/result.hpp"
#include "tools/load/generator.hpp"
#include "tools/load/sender.hpp"
#include "tools/load/server_watch.hpp"
#include "tools/load/timeline.hpp"

namespace docket::load {

class JsonWriter;

struct RunOptions {
  SendOptions send;
  bool ndjson = false;
  bool bare = false;  // natively, without docket::client
  ServerWatch watch;
  std::chrono::milliseconds slice{100};
};

// Of a process during a run.
struct RunUsage {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;      // at the end
  std::uint64_t resident_bytes_max = 0;  // since the process's start
  std::optional<std::uint64_t> written_bytes;
};

// Of the server's store: before and after.
struct RunStore {
  std::uint64_t events = 0;            // after
  std::uint64_t bytes = 0;             // after
  std::uint64_t commits = 0;           // during
  std::uint64_t sealed_segments = 0;   // during
  std::uint64_t retired_segments = 0;  // during
};

struct MeasuredRun {
  double rate = 0;  // asked for; 0: flat out
  SendReport report;
  RunUsage client;
  std::optional<RunUsage> server;  // where it can be looked at
  std::optional<RunStore> store;   // where it can be asked
  std::vector<TimelinePoint> timeline;
  double slice_ms = 0;

  [[nodiscard]] double events_per_second() const {
    return report.seconds > 0 ? static_cast<double>(report.durable) / report.seconds : 0;
  }
};

// The recorder is for who shows progress; it must be new. Errors: as the senders, and those of
// looking at the server.
[[nodiscard]] Result<MeasuredRun> measure(const Generator& generator, const RunOptions& options,
                                          Recorder& recorder);

// The object that tools/load/README.md describes.
void write_json(JsonWriter& json, const MeasuredRun& run);
// {"p50":…,"p90":…,"p99":…,"p99.9":…,"max":…,"mean":…}, milliseconds.
void write_percentiles(JsonWriter& json, const LatencyHistogram& histogram);
// {"max":ns,"sum":ns,"buckets":[[ns,events]…]}, of which LatencyHistogram::restore() makes it
// again.
void write_histogram(JsonWriter& json, const LatencyHistogram& histogram);

}  // namespace docket::load
