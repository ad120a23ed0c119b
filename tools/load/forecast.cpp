#include "tools/load/forecast.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/log.hpp"
#include "tools/api/units.hpp"
#include "tools/load/json_writer.hpp"

namespace docket::load {
namespace {

// docketd's defaults of limits.cache_bytes and limits.index_bytes, which fill as questions are
// asked.
const auto cache_bytes = static_cast<double>(StoreOptions().cache_bytes);
constexpr double index_bytes = 64.0 * (1U << 20);
// Of limits.free_space_reserve: below it senders are refused.
constexpr double reserve_bytes = 256.0 * (1U << 20);

std::string grouped_whole(double value) {
  return api::readable_count(static_cast<std::uint64_t>(std::llround(value)));
}

void add_disk(std::vector<ForecastItem>& items, const PlanRequest& request,
              const Calibration& calibration) {
  const double kept = calibration.bytes_per_event * request.events_kept();
  items.push_back(
      {"disk_bytes_per_event", "Disk, an event", calibration.bytes_per_event, "bytes/event",
       fmt::format("files of segments and indexes over events, {}, in segments of {} events of the "
                   "largest log, as this load makes them in an hour or less",
                   calibration.all_sealed ? "all sealed" : "as they stood, not all sealed",
                   grouped_whole(calibration.events_per_segment))});
  items.push_back({"disk_bytes", "Disk, retained events", kept, "bytes",
                   fmt::format("{:.1f} bytes an event x {} events a day x {:g} days",
                               calibration.bytes_per_event, grouped_whole(request.events_per_day),
                               request.retention_days)});
  items.push_back(
      {"disk_bytes_provision", "Disk to provide", kept * (1 + request.head_room) + reserve_bytes,
       "bytes",
       fmt::format("{:.0f} % head-room on top, for segments that retention has not dropped yet and "
                   "files that are being written, and docketd's reserve of 256 MiB",
                   request.head_room * 100)});
}

void add_load(std::vector<ForecastItem>& items, const std::string& when, double rate,
              const std::optional<LoadFigures>& load, const Calibration& calibration) {
  const std::string key_end = "_" + when;
  const std::string name_end = " at the " + when;
  if (load) {
    const auto measured = [&](const Spread& spread) {
      return fmt::format("measured at {} events/s, {:.3g} to {:.3g} in the runs",
                         grouped_whole(rate), spread.min, spread.max);
    };
    items.push_back(
        {"cores" + key_end, "Processor" + name_end, load->cores.median, "cores",
         fmt::format("{}, with {:.0f} ns an event for sealing and indexing, measured by "
                     "themselves",
                     measured(load->cores), calibration.seal_ns)});
    items.push_back({"ack_p50_ms" + key_end, "Acknowledgement p50" + name_end,
                     load->ack_p50_ms.median, "ms", measured(load->ack_p50_ms)});
    items.push_back({"ack_p99_ms" + key_end, "Acknowledgement p99" + name_end,
                     load->ack_p99_ms.median, "ms", measured(load->ack_p99_ms)});
    return;
  }
  const std::string beyond =
      fmt::format("this machine takes {} events/s, less than the {} of the {}",
                  grouped_whole(calibration.capacity), grouped_whole(rate), when);
  items.push_back({"cores" + key_end, "Processor" + name_end,
                   calibration.capacity_cores * rate / calibration.capacity, "cores",
                   beyond + "; scaled from what it took flat out"});
  items.push_back(
      {"ack_p50_ms" + key_end, "Acknowledgement p50" + name_end, std::nullopt, "ms", beyond});
  items.push_back(
      {"ack_p99_ms" + key_end, "Acknowledgement p99" + name_end, std::nullopt, "ms", beyond});
}

void add_questions(std::vector<ForecastItem>& items, const PlanRequest& request,
                   const Calibration& calibration) {
  for (std::size_t i = 0; i < calibration.questions.size(); ++i) {
    const QuestionGrowth& question = calibration.questions[i];
    const double days = question.window_days > 0
                            ? std::min(question.window_days, request.retention_days)
                            : request.retention_days;
    const double events = request.events_per_day * days;
    const double slope = std::max(0.0, (question.large_ms - question.small_ms) /
                                           (calibration.large_events - calibration.small_events));
    const double value =
        question.large_ms + slope * std::max(0.0, events - calibration.large_events);
    items.push_back(
        {fmt::format("question_{}_p50_ms", i + 1), "Question: " + question.name, value, "ms",
         fmt::format(
             "at most: p50 {:.2f} ms over {} events and {:.2f} over {}, in a straight line to "
             "{} events, {:.0f} times as many",
             question.small_ms, grouped_whole(calibration.small_events), question.large_ms,
             grouped_whole(calibration.large_events), grouped_whole(events),
             events / calibration.large_events)});
  }
}

}  // namespace

std::vector<ForecastItem> make_forecast(const PlanRequest& request,
                                        const Calibration& calibration) {
  std::vector<ForecastItem> items;
  items.push_back(
      {"rate_mean", "Mean rate", request.mean_rate(), "events/s", "events a day / 86,400"});
  items.push_back({"rate_peak", "Peak rate", request.peak_rate(), "events/s",
                   fmt::format("mean x the peak factor, {:g}", request.peak_factor)});
  add_disk(items, request, calibration);
  add_load(items, "mean", request.mean_rate(), calibration.mean, calibration);
  add_load(items, "peak", request.peak_rate(), calibration.peak, calibration);
  const auto peak_cores = std::ranges::find(items, "cores_peak", &ForecastItem::key);
  items.push_back({"cores_provision", "Cores to provide",
                   std::max(1.0, std::ceil(*peak_cores->value / request.use_max)), "cores",
                   fmt::format("whole cores of which the peak uses at most {:.0f} %; questions and "
                               "exports come on top",
                               request.use_max * 100)});
  items.push_back({"memory_bytes", "Memory under load", calibration.memory_bytes, "bytes",
                   "the server's peak while segments as large as this load's fill and are sealed"});
  items.push_back(
      {"memory_bytes_provision", "Memory to provide",
       (calibration.memory_bytes + cache_bytes + index_bytes) * (1 + request.head_room), "bytes",
       fmt::format("with caches of {} for columns and {} for indexes full, and {:.0f} % head-room",
                   api::readable_bytes(static_cast<std::uint64_t>(cache_bytes)),
                   api::readable_bytes(static_cast<std::uint64_t>(index_bytes)),
                   request.head_room * 100)});
  add_questions(items, request, calibration);
  return items;
}

std::vector<Comparison> compare(const Calibration& forecast, const Calibration& measured) {
  std::vector<Comparison> found{
      {"Disk, an event", "bytes/event", forecast.bytes_per_event, measured.bytes_per_event, 0},
      {"Memory under load", "bytes", forecast.memory_bytes, measured.memory_bytes, 0}};
  const auto add_figure = [&found](const std::string& name, const char* unit,
                                   const Spread& expected, const Spread& seen) {
    found.push_back(
        {name, unit, expected.median, seen.median, std::max(expected.relative(), seen.relative())});
  };
  const auto add = [&](const char* when, const std::optional<LoadFigures>& expected,
                       const std::optional<LoadFigures>& seen) {
    if (expected && seen) {
      const std::string at = fmt::format(" at the {}", when);
      add_figure("Processor" + at, "cores", expected->cores, seen->cores);
      add_figure("Acknowledgement p50" + at, "ms", expected->ack_p50_ms, seen->ack_p50_ms);
      add_figure("Acknowledgement p99" + at, "ms", expected->ack_p99_ms, seen->ack_p99_ms);
    }
  };
  add("mean", forecast.mean, measured.mean);
  add("peak", forecast.peak, measured.peak);
  return found;
}

std::string readable_value(double value, const std::string& unit) {
  if (unit == "bytes") {
    return api::readable_bytes(static_cast<std::uint64_t>(value));
  }
  if (unit == "events/s" && value >= 10) {
    return grouped_whole(value) + " events/s";
  }
  return fmt::format("{:.3g} {}", value, unit);
}

void write_json(JsonWriter& json, const PlanRequest& request) {
  json.begin_object();
  json.member("events_per_day", request.events_per_day);
  json.member("retention_days", request.retention_days);
  json.member("peak_factor", request.peak_factor);
  json.member("head_room", request.head_room);
  json.member("core_use_max", request.use_max);
  json.key("event_bytes");
  request.event_bytes > 0 ? json.value(request.event_bytes) : json.null();
  json.end_object();
}

void write_json(JsonWriter& json, const Calibration& calibration) {
  const auto spread = [&json](const char* name, const Spread& of_runs) {
    json.key(name);
    json.begin_object();
    json.member("median", of_runs.median);
    json.member("min", of_runs.min);
    json.member("max", of_runs.max);
    json.end_object();
  };
  const auto load = [&json, &spread](const char* name, const std::optional<LoadFigures>& figures) {
    json.key(name);
    if (!figures) {
      json.null();
      return;
    }
    json.begin_object();
    json.member("rate", figures->rate);
    spread("cores", figures->cores);
    spread("ack_p50_ms", figures->ack_p50_ms);
    spread("ack_p99_ms", figures->ack_p99_ms);
    json.end_object();
  };
  json.begin_object();
  json.member("capacity_events_per_second", calibration.capacity);
  json.member("capacity_cores", calibration.capacity_cores);
  json.member("seal_cpu_ns_per_event", calibration.seal_ns);
  json.member("bytes_per_event", calibration.bytes_per_event);
  json.member("all_sealed", calibration.all_sealed);
  json.member("events_per_segment", calibration.events_per_segment);
  json.member("memory_bytes", calibration.memory_bytes);
  json.member("ndjson_bytes_per_event", calibration.sample_bytes);
  load("mean", calibration.mean);
  load("peak", calibration.peak);
  json.key("questions");
  json.begin_array();
  for (const QuestionGrowth& question : calibration.questions) {
    json.begin_object();
    json.member("name", question.name);
    json.member("small_events", calibration.small_events);
    json.member("small_p50_ms", question.small_ms);
    json.member("large_events", calibration.large_events);
    json.member("large_p50_ms", question.large_ms);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void write_json(JsonWriter& json, const std::vector<ForecastItem>& forecast) {
  json.begin_array();
  for (const ForecastItem& item : forecast) {
    json.begin_object();
    json.member("key", item.key);
    json.member("name", item.name);
    json.key("value");
    item.value ? json.value(*item.value) : json.null();
    json.member("unit", item.unit);
    json.member("how", item.how);
    json.end_object();
  }
  json.end_array();
}

void write_json(JsonWriter& json, const std::vector<Comparison>& comparisons, double tolerance) {
  json.begin_array();
  for (const Comparison& comparison : comparisons) {
    json.begin_object();
    json.member("name", comparison.name);
    json.member("unit", comparison.unit);
    json.member("forecast", comparison.forecast);
    json.member("measured", comparison.measured);
    json.member("deviation", comparison.deviation());
    json.member("runs_apart", comparison.apart);
    json.member("within", std::abs(comparison.deviation()) <= tolerance);
    json.end_object();
  }
  json.end_array();
}

}  // namespace docket::load
