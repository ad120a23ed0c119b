#include "tools/docketd/logger.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

#include "engine/timestamp.hpp"
#include "query/render.hpp"

namespace docket::server {

namespace {

std::atomic<LogFormat> chosen_format{LogFormat::logfmt};

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// A logfmt value: bare where that is unambiguous, else a JSON string.
void append_logfmt_value(std::string& out, std::string_view value) {
  const bool bare = !value.empty() && value.find_first_of(" =\"\\") == std::string_view::npos &&
                    query::terminal_safe(value) == value;
  if (bare) {
    out += value;
  } else {
    query::append_json_string(out, value);
  }
}

}  // namespace

void start_logger(LogLevel level, LogFormat format) {
  chosen_format = format;
  auto logger = std::make_shared<spdlog::logger>("docketd",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%v");
  logger->set_level(spdlog_level(level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

void set_log_level(LogLevel level) {
  spdlog::default_logger()->set_level(spdlog_level(level));
}

void log_line(LogLevel level, std::string_view message, LogFields fields) {
  spdlog::logger* const logger = spdlog::default_logger_raw();
  if (logger->should_log(spdlog_level(level))) {
    logger->log(spdlog_level(level),
                format_log_line(chosen_format, now_ns(), level, message, fields));
  }
}

std::string format_log_line(LogFormat format, Nanos time, LogLevel level, std::string_view message,
                            LogFields fields) {
  std::string line;
  if (format == LogFormat::json) {
    fmt::format_to(std::back_inserter(line),
                   "{{\"ts\":\"{}\",\"level\":\"{}\",\"msg\":", format_rfc3339(time),
                   to_string(level));
    query::append_json_string(line, message);
    for (const auto& [name, value] : fields) {
      line += ',';
      query::append_json_string(line, name);
      line += ':';
      query::append_json_string(line, value);
    }
    return line + '}';
  }
  fmt::format_to(std::back_inserter(line), "ts={} level={} msg=", format_rfc3339(time),
                 to_string(level));
  append_logfmt_value(line, message);
  for (const auto& [name, value] : fields) {
    fmt::format_to(std::back_inserter(line), " {}=", name);
    append_logfmt_value(line, value);
  }
  return line;
}

}  // namespace docket::server
