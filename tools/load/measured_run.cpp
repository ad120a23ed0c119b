#include "tools/load/measured_run.hpp"

#include <utility>

#include "tools/load/json_writer.hpp"

namespace docket::load {
namespace {

RunUsage difference(const server::ProcessUsage& before, const server::ProcessUsage& after) {
  RunUsage usage;
  usage.cpu_seconds = after.cpu_seconds - before.cpu_seconds;
  usage.resident_bytes = after.resident_bytes;
  usage.resident_bytes_max = after.resident_bytes_max;
  if (before.written_bytes && after.written_bytes) {
    usage.written_bytes = *after.written_bytes - *before.written_bytes;
  }
  return usage;
}

void write_usage(JsonWriter& json, const RunUsage& usage, std::uint64_t events) {
  const auto each = static_cast<double>(events);
  json.begin_object();
  json.member("cpu_seconds", usage.cpu_seconds);
  json.member("cpu_ns_per_event", usage.cpu_seconds * 1e9 / each);
  json.member("resident_bytes", usage.resident_bytes);
  json.member("resident_bytes_max", usage.resident_bytes_max);
  json.key("written_bytes");
  usage.written_bytes ? json.value(*usage.written_bytes) : json.null();
  json.key("written_bytes_per_event");
  usage.written_bytes ? json.value(static_cast<double>(*usage.written_bytes) / each) : json.null();
  json.end_object();
}

void write_timeline(JsonWriter& json, const MeasuredRun& run) {
  json.begin_object();
  json.member("slice_ms", run.slice_ms);
  json.key("fields");
  json.begin_array();
  for (const char* name : {"end_s", "events", "p50_ms", "p99_ms", "sealed", "retired"}) {
    json.value(name);
  }
  json.end_array();
  json.key("points");
  json.begin_array();
  for (const TimelinePoint& point : run.timeline) {
    json.begin_array();
    json.value(point.end_s);
    json.value(point.events);
    json.value(point.p50_ms);
    json.value(point.p99_ms);
    json.value(point.sealed);
    json.value(point.retired);
    json.end_array();
  }
  json.end_array();
  json.end_object();
}

}  // namespace

Result<MeasuredRun> measure(const Generator& generator, const RunOptions& options,
                            Recorder& recorder) {
  MeasuredRun run;
  run.rate = options.send.rate;
  run.slice_ms = static_cast<double>(options.slice.count());
  DOCKET_ASSIGN(const auto store_before, options.watch.figures());
  DOCKET_ASSIGN(const auto server_before, options.watch.usage());
  DOCKET_ASSIGN(const server::ProcessUsage client_before, server::process_usage(0));
  {
    Timeline timeline(recorder, options.watch, options.slice);
    auto report = options.ndjson ? send_ndjson(generator, options.send, recorder)
                  : options.bare ? send_bare(generator, options.send, recorder)
                                 : send_native(generator, options.send, recorder);
    run.timeline = timeline.finish();
    if (!report) {
      return fail(std::move(report).error());
    }
    run.report = std::move(*report);
  }
  DOCKET_ASSIGN(const server::ProcessUsage client_after, server::process_usage(0));
  DOCKET_ASSIGN(const auto server_after, options.watch.usage());
  DOCKET_ASSIGN(const auto store_after, options.watch.figures());
  run.client = difference(client_before, client_after);
  if (server_before && server_after) {
    run.server = difference(*server_before, *server_after);
  }
  if (store_before && store_after) {
    run.store = RunStore{store_after->events, store_after->bytes,
                         store_after->commits - store_before->commits,
                         store_after->sealed_segments - store_before->sealed_segments,
                         store_after->retired_segments - store_before->retired_segments};
  }
  return run;
}

void write_percentiles(JsonWriter& json, const LatencyHistogram& histogram) {
  constexpr std::pair<double, const char*> shares[] = {
      {0.5, "p50"}, {0.9, "p90"}, {0.99, "p99"}, {0.999, "p99.9"}};
  json.begin_object();
  for (const auto& [share, name] : shares) {
    json.member(name, static_cast<double>(histogram.percentile(share)) / 1e6);
  }
  json.member("max", static_cast<double>(histogram.max()) / 1e6);
  json.member("mean", histogram.mean() / 1e6);
  json.end_object();
}

void write_histogram(JsonWriter& json, const LatencyHistogram& histogram) {
  json.begin_object();
  json.member("max", histogram.max());
  json.member("sum", histogram.sum());
  json.key("buckets");
  json.begin_array();
  for (const auto& [value, times] : histogram.buckets()) {
    json.begin_array();
    json.value(value);
    json.value(times);
    json.end_array();
  }
  json.end_array();
  json.end_object();
}

void write_json(JsonWriter& json, const MeasuredRun& run) {
  const SendReport& report = run.report;
  json.begin_object();
  json.key("rate");
  run.rate > 0 ? json.value(run.rate) : json.null();
  json.member("sent", report.sent);
  json.member("durable", report.durable);
  json.member("rejected", report.rejected);
  json.member("resent_batches", report.resent_batches);
  json.member("reconnects", report.reconnects);
  json.member("seconds", report.seconds);
  json.member("events_per_second", run.events_per_second());
  json.key("ack_latency_ms");
  write_percentiles(json, report.latency);
  json.key("ack_latency_histogram_ns");
  write_histogram(json, report.latency);
  json.key("send_lag_ms");
  run.rate > 0 ? write_percentiles(json, report.lag) : json.null();
  json.key("client");
  write_usage(json, run.client, report.durable);
  json.key("server");
  run.server ? write_usage(json, *run.server, report.durable) : json.null();
  json.key("store");
  if (run.store) {
    json.begin_object();
    json.member("events", run.store->events);
    json.member("bytes", run.store->bytes);
    json.member("commits", run.store->commits);
    json.member("sealed_segments", run.store->sealed_segments);
    json.member("retired_segments", run.store->retired_segments);
    json.end_object();
  } else {
    json.null();
  }
  json.key("timeline");
  write_timeline(json, run);
  json.end_object();
}

}  // namespace docket::load
