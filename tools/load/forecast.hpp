// From what a calibration measured to what a load takes, each figure with how it was derived.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/result.hpp"
#include "tools/load/spread.hpp"

namespace docket::load {

class JsonWriter;

struct PlanRequest {
  double events_per_day = 0;  // > 0
  double retention_days = 365;
  double peak_factor = 4;   // the busiest moment's rate over the mean
  double head_room = 0.25;  // of disk and memory, on top
  double use_max = 0.6;     // of a core, at the peak
  double event_bytes = 0;   // of an event as NDJSON; 0: as generated

  [[nodiscard]] double mean_rate() const { return events_per_day / 86'400; }
  [[nodiscard]] double peak_rate() const { return mean_rate() * peak_factor; }
  [[nodiscard]] double events_kept() const { return events_per_day * retention_days; }
};

// A server at a rate.
struct LoadFigures {
  double rate = 0;  // events a second
  Spread cores;     // processor seconds a second, sealing and indexing included
  Spread ack_p50_ms;
  Spread ack_p99_ms;
};

// How long a question takes in stores of two sizes, in the middle.
struct QuestionGrowth {
  std::string name;
  double window_days = 0;  // that it looks back; 0: however old
  double small_ms = 0;
  double large_ms = 0;
};

struct Calibration {
  double capacity = 0;        // events a second, flat out
  double capacity_cores = 0;  // then, sealing and indexing included
  double seal_ns = 0;         // processor time an event takes to be sealed and indexed
  double bytes_per_event = 0;
  bool all_sealed = true;           // what bytes_per_event is of
  double events_per_segment = 0;    // of the largest log, as sealed
  double memory_bytes = 0;          // the server's peak under load
  double sample_bytes = 0;          // of an event as NDJSON, on average
  std::optional<LoadFigures> mean;  // none: the machine does not take the rate
  std::optional<LoadFigures> peak;
  double small_events = 0;  // sizes of the stores that questions were asked of
  double large_events = 0;
  std::vector<QuestionGrowth> questions;
};

struct ForecastItem {
  std::string key;              // "disk_bytes"
  std::string name;             // "Disk"
  std::optional<double> value;  // none: it cannot be told from this machine
  std::string unit;             // "bytes", "cores", "ms", "events/s", "bytes/event"
  std::string how;              // one sentence
};
[[nodiscard]] std::vector<ForecastItem> make_forecast(const PlanRequest& request,
                                                      const Calibration& calibration);

struct Comparison {
  std::string name;
  std::string unit;
  double forecast = 0;
  double measured = 0;
  // How far the runs of one kind lie apart, as a share of their median: where that is much, the
  // machine was not quiet, and no forecast holds. 0 where there is but one.
  double apart = 0;

  // Of what was measured; 0: hit.
  [[nodiscard]] double deviation() const {
    return measured > 0 ? (forecast - measured) / measured : 0;
  }
};
// The figures that a second run at the forecast load has measured again.
[[nodiscard]] std::vector<Comparison> compare(const Calibration& forecast,
                                              const Calibration& measured);

// "1.21 GiB", "0.35 cores", "2.4 ms".
[[nodiscard]] std::string readable_value(double value, const std::string& unit);

void write_json(JsonWriter& json, const PlanRequest& request);
void write_json(JsonWriter& json, const Calibration& calibration);
void write_json(JsonWriter& json, const std::vector<ForecastItem>& forecast);
void write_json(JsonWriter& json, const std::vector<Comparison>& comparisons, double tolerance);

}  // namespace docket::load
