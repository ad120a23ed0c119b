// What a server says of itself while it is measured, and what its process takes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/result.hpp"
#include "tools/docketd/process_usage.hpp"
#include "tools/load/access.hpp"

namespace docket::load {

// Of GET /metrics. The system's own log is in none of the sums: it is not what was sent.
struct ServerFigures {
  std::uint64_t events = 0;           // durable and not retired
  std::uint64_t bytes = 0;            // of segment and index files
  std::uint64_t commits = 0;          // since start
  std::uint64_t sealed_segments = 0;  // since start, of all logs
  std::uint64_t retired_segments = 0;
  std::optional<server::ProcessUsage> process;  // none from a server without /proc
};

// Error: invalid_argument for a text that is not docketd's.
[[nodiscard]] Result<ServerFigures> read_metrics(std::string_view text);

// Where a server can be looked at. Both parts are optional; thread-safe.
struct ServerWatch {
  std::string http_address;
  std::uint16_t http_port = 0;  // 0: is not asked
  pid_t pid = 0;                // 0: is not looked at
  Access access = {};           // of HTTP

  [[nodiscard]] bool asks() const { return http_port != 0; }
  // Nothing without an address. Error: io; as read_metrics().
  [[nodiscard]] Result<std::optional<ServerFigures>> figures() const;
  // Of the process with the number, or what the server says; nothing without either. Error: as
  // process_usage() and figures().
  [[nodiscard]] Result<std::optional<server::ProcessUsage>> usage() const;
};

}  // namespace docket::load
