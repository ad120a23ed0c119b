#include "tools/load/server_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "tools/load/http_get.hpp"

namespace docket::load {
namespace {

// The value of a line "NAME VALUE" or "NAME{LABELS} VALUE".
struct Sample {
  std::string_view name;
  std::string_view labels;
  double value = 0;
};

std::optional<Sample> read_sample(std::string_view line) {
  const std::size_t space = line.rfind(' ');
  if (line.empty() || line.front() == '#' || space == std::string_view::npos) {
    return std::nullopt;
  }
  Sample sample;
  const std::string_view left = line.substr(0, space);
  const std::size_t brace = left.find('{');
  sample.name = left.substr(0, brace);
  sample.labels = brace == std::string_view::npos ? std::string_view() : left.substr(brace);
  const char* const end = line.data() + line.size();
  const auto [stop, error] = std::from_chars(line.data() + space + 1, end, sample.value);
  return error == std::errc() && stop == end ? std::optional(sample) : std::nullopt;
}

}  // namespace

Result<ServerFigures> read_metrics(std::string_view text) {
  ServerFigures figures;
  server::ProcessUsage process;
  bool is_docket = false;
  bool has_process = false;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto sample = read_sample(line);
    if (!sample) {
      continue;
    }
    const auto whole = static_cast<std::uint64_t>(sample->value);
    const bool own_log = sample->labels == R"({log="docket"})";
    if (sample->name == "docket_build_info") {
      is_docket = true;
    } else if (sample->name == "docket_log_events" && !own_log) {
      figures.events += whole;
    } else if (sample->name == "docket_log_bytes" && !own_log) {
      figures.bytes += whole;
    } else if (sample->name == "docket_log_commits_total" && !own_log) {
      figures.commits += whole;
    } else if (sample->name == "docket_sealed_segments_total") {
      figures.sealed_segments = whole;
    } else if (sample->name == "docket_retired_segments_total") {
      figures.retired_segments = whole;
    } else if (sample->name == "process_cpu_seconds_total") {
      process.cpu_seconds = sample->value;
      has_process = true;
    } else if (sample->name == "process_resident_memory_bytes") {
      process.resident_bytes = whole;
    } else if (sample->name == "docket_process_resident_memory_max_bytes") {
      process.resident_bytes_max = whole;
    } else if (sample->name == "docket_process_written_bytes_total") {
      process.written_bytes = whole;
    }
  }
  if (!is_docket) {
    return fail(ErrorCode::invalid_argument, "what answers there is no docketd");
  }
  if (has_process) {
    figures.process = process;
  }
  return figures;
}

Result<std::optional<ServerFigures>> ServerWatch::figures() const {
  if (!asks()) {
    return std::nullopt;
  }
  DOCKET_ASSIGN(const std::string text, http_get(http_address, http_port, "/metrics", access));
  DOCKET_ASSIGN(const ServerFigures read, read_metrics(text));
  return read;
}

Result<std::optional<server::ProcessUsage>> ServerWatch::usage() const {
  if (pid != 0) {
    DOCKET_ASSIGN(const server::ProcessUsage read, server::process_usage(pid));
    return read;
  }
  DOCKET_ASSIGN(const std::optional<ServerFigures> asked, figures());
  return asked ? asked->process : std::nullopt;
}

}  // namespace docket::load
