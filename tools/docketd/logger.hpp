// What docketd tells its operator: one line on stderr per happening, as logfmt or JSON.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "tools/docketd/settings.hpp"

namespace docket::server {

using LogFields = std::initializer_list<std::pair<std::string_view, std::string>>;

// Thread-safe from start_logger() on.
void start_logger(LogLevel level, LogFormat format);
void set_log_level(LogLevel level);

// `message` is a fixed lower-case phrase; what differs from time to time goes into fields.
void log_line(LogLevel level, std::string_view message, LogFields fields = {});

// The line itself, for tests. `time` is ns since the epoch.
[[nodiscard]] std::string format_log_line(LogFormat format, Nanos time, LogLevel level,
                                          std::string_view message, LogFields fields);

}  // namespace docket::server
