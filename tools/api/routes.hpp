// Which request is which: the API's full list of operations. None edits or deletes an event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace docket::api {

enum class Endpoint : std::uint8_t {
  healthz,
  readyz,
  metrics,
  search,
  count,
  facets,
  histogram,
  explain,
  event,        // /api/v1/events/{log}/{seq}
  post_events,  // POST /api/v1/events
  post_otlp,    // POST /v1/logs, where OpenTelemetry's exporters send to
  export_events,
  tail,
  logs,
  segments,
  stats,
  nodes,
  retention,
  openapi,
};

inline constexpr std::size_t endpoint_count = static_cast<std::size_t>(Endpoint::openapi) + 1;

struct Route {
  enum class Kind : std::uint8_t { found, no_such_path, no_such_method };
  Kind kind = Kind::no_such_path;
  Endpoint endpoint = Endpoint::healthz;  // when found
  std::string allow;                      // unless there is no such path: "GET, HEAD"
  std::string log;                        // event: as in the path
  std::string seq;
};

// `path` is decoded. HEAD is GET without the body; streams (export, tail) do not know it.
[[nodiscard]] Route find_route(std::string_view method, std::string_view path);

// Whether it stores events.
[[nodiscard]] constexpr bool is_write(Endpoint endpoint) {
  return endpoint == Endpoint::post_events || endpoint == Endpoint::post_otlp;
}

struct Operation {
  std::string path;  // with {log} and {seq} where they stand
  Endpoint endpoint = Endpoint::healthz;
  std::string_view allow;
};
// All there are.
[[nodiscard]] std::vector<Operation> operations();

// The path of an operation without parts of its own: "/api/v1/count".
[[nodiscard]] std::string_view path_of(Endpoint endpoint);

}  // namespace docket::api
