#include "tools/docketd/metrics.hpp"

#include <fmt/format.h>

#include <array>

#include "engine/timestamp.hpp"
#include "tools/docketd/process_usage.hpp"
#include "tools/docketd/sender_metrics.hpp"
#include "tools/version.hpp"

namespace docket::server {

namespace {

void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

void single(std::string& out, std::string_view name, std::string_view type, std::string_view help,
            std::uint64_t value) {
  head(out, name, type, help);
  fmt::format_to(std::back_inserter(out), "{} {}\n", name, value);
}

struct LogMetric {
  std::string_view name, type, help;
  std::uint64_t (*value)(const LogStats&);
};

constexpr std::array log_metrics{
    LogMetric{"docket_log_events", "gauge", "Durable events that are not retired.",
              [](const LogStats& s) { return s.events; }},
    LogMetric{"docket_log_last_seq", "gauge", "Seq of the newest durable event.",
              [](const LogStats& s) { return s.last_seq.value; }},
    LogMetric{"docket_log_segments", "gauge", "Segments, sealed and active.",
              [](const LogStats& s) { return s.segments; }},
    LogMetric{"docket_log_bytes", "gauge", "Bytes of segment and index files.",
              [](const LogStats& s) { return s.bytes; }},
    LogMetric{"docket_log_index_bytes", "gauge", "Of these, bytes of index files.",
              [](const LogStats& s) { return s.index_bytes; }},
    LogMetric{"docket_log_unsealed_segments", "gauge", "Full segments that wait to be sealed.",
              [](const LogStats& s) { return s.unsealed_segments; }},
    LogMetric{"docket_log_gaps", "gauge", "Ranges of events that damage has taken.",
              [](const LogStats& s) { return s.gaps; }},
    LogMetric{"docket_log_gap_events", "gauge", "Events in these ranges.",
              [](const LogStats& s) { return s.gap_events; }},
    LogMetric{"docket_log_batches_total", "counter", "Batches stored since start.",
              [](const LogStats& s) { return s.batches; }},
    LogMetric{"docket_log_duplicates_total", "counter", "Batches seen before, since start.",
              [](const LogStats& s) { return s.duplicates; }},
    LogMetric{"docket_log_commits_total", "counter", "Synced writes since start.",
              [](const LogStats& s) { return s.commits; }},
    LogMetric{"docket_log_queued_bytes", "gauge", "Bytes waiting for the disk.",
              [](const LogStats& s) { return s.queued_bytes; }},
    LogMetric{"docket_log_queued_batches", "gauge", "Batches waiting for the disk.",
              [](const LogStats& s) { return s.queued_batches; }},
    LogMetric{"docket_log_retired_events_total", "counter", "Events retired, in all.",
              [](const LogStats& s) { return s.retired_events; }},
    LogMetric{"docket_log_failed", "gauge", "1: a write failed, the log refuses until a restart.",
              [](const LogStats& s) { return std::uint64_t{s.failed ? 1U : 0U}; }},
};

// By the names that Prometheus' own clients give them, where they have some.
void append_process(std::string& out) {
  const auto usage = process_usage(0);
  if (!usage) {
    return;  // a system without /proc
  }
  head(out, "process_cpu_seconds_total", "counter", "Processor time taken.");
  fmt::format_to(std::back_inserter(out), "process_cpu_seconds_total {}\n", usage->cpu_seconds);
  single(out, "process_resident_memory_bytes", "gauge", "Resident memory.", usage->resident_bytes);
  single(out, "docket_process_resident_memory_max_bytes", "gauge", "The most since start.",
         usage->resident_bytes_max);
  if (usage->written_bytes) {
    single(out, "docket_process_written_bytes_total", "counter",
           "Bytes given to the kernel to write.", *usage->written_bytes);
  }
}

}  // namespace

std::string metrics_text(const MetricsSources& sources) {
  std::string out;
  head(out, "docket_build_info", "gauge", "The running version.");
  fmt::format_to(std::back_inserter(out), "docket_build_info{{version=\"{}\"}} 1\n", version);

  std::vector<LogStats> logs;
  for (const Log* log : sources.store.logs()) {
    logs.push_back(log->stats());
  }
  for (const LogMetric& metric : log_metrics) {
    head(out, metric.name, metric.type, metric.help);
    for (const LogStats& stats : logs) {
      fmt::format_to(std::back_inserter(out), "{}{{log=\"{}\"}} {}\n", metric.name, stats.log,
                     metric.value(stats));
    }
  }
  const auto histogram = [&](std::string_view name, std::string_view help,
                             DurationCounts LogStats::* counts) {
    head(out, name, "histogram", help);
    for (const LogStats& stats : logs) {
      append_histogram(out, name, fmt::format("log=\"{}\"", stats.log), stats.*counts);
    }
  };
  histogram("docket_log_commit_duration_seconds",
            "From a batch's being complete and checked until it is durable.",
            &LogStats::commit_time);
  histogram("docket_log_sync_duration_seconds", "How long the disk took for a sync.",
            &LogStats::sync_time);
  single(out, "docket_ready", "gauge", "1: events are taken, as /readyz says.",
         sources.is_ready ? 1 : 0);
  single(out, "docket_start_time_seconds", "gauge", "When the server started, Unix time.",
         static_cast<std::uint64_t>(sources.started / 1'000'000'000));
  single(out, "docket_free_bytes", "gauge", "Free space on the data's file system.",
         sources.free_bytes);
  single(out, "docket_free_space_reserve_bytes", "gauge",
         "Below so much free space senders are refused.", sources.reserve_bytes);

  const ingest::ServerStats ingest = sources.ingest.stats();
  single(out, "docket_ingest_connections", "gauge", "Senders connected now.", ingest.connections);
  single(out, "docket_ingest_connections_accepted_total", "counter", "Senders accepted.",
         ingest.connections_accepted);
  append_intake_metrics(out, ingest.intake);
  const Nanos now = now_ns();
  append_sender_metrics(out,
                        api::sender_rows(api::stored_senders(sources.store),
                                         sources.ingest.senders().all(), sources.sender_rules, now),
                        now);
  single(out, "docket_ingest_batches_duplicate_total", "counter",
         "Batches resent although they were stored.", ingest.batches_duplicate);
  single(out, "docket_ingest_protocol_errors_total", "counter",
         "Connections closed for breaking the protocol.", ingest.protocol_errors);
  single(out, "docket_ingest_tls_failures_total", "counter",
         "Sender connections that said something and did not come to speak TLS.",
         ingest.tls_failures);
  single(out, "docket_ingest_received_bytes_total", "counter", "Bytes received by the ingest port.",
         ingest.bytes_received);
  single(out, "docket_ingest_memory_bytes", "gauge", "Bytes received and not yet stored.",
         ingest.memory_used);

  append_quota_metrics(out, sources.access.throttled());

  const index::CatalogStats index = sources.catalog.stats();
  single(out, "docket_index_built_total", "counter", "Indexes built.", index.built);
  single(out, "docket_index_loaded_total", "counter", "Indexes read from their files.",
         index.loaded);
  single(out, "docket_index_damaged_total", "counter", "Index files found damaged and built anew.",
         index.damaged);
  single(out, "docket_index_memory_bytes", "gauge", "Bytes of loaded indexes.", index.bytes);
  single(out, "docket_index_failures_total", "counter", "Indexes that could not be written.",
         sources.watch.index_failures());

  single(out, "docket_sealed_segments_total", "counter", "Segments sealed since start.",
         sources.watch.sealed());
  single(out, "docket_retired_segments_total", "counter", "Segments retired since start.",
         sources.retention.retired());
  single(out, "docket_retirement_failures_total", "counter",
         "Segments that should have been retired and could not be.", sources.retention.failures());
  const ScrubStats scrub = sources.scrub.stats();
  single(out, "docket_scrub_bytes_total", "counter", "Bytes that the scrub has read since start.",
         scrub.bytes);
  single(out, "docket_scrub_damaged_places", "gauge", "Damaged places that the scrub knows of.",
         scrub.places);
  single(out, "docket_scrub_last_round_end_seconds", "gauge",
         "When the last whole round of the scrub ended, Unix time; 0: there has been none.",
         static_cast<std::uint64_t>(scrub.last_end / 1'000'000'000));
  single(out, "docket_system_events_dropped_total", "counter",
         "Events of the system's own log that could not be kept.", sources.system_log.dropped());
  append_process(out);
  sources.http.append(out);
  return out;
}

}  // namespace docket::server
