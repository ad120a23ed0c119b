#include "tools/api/routes.hpp"

#include <array>
#include <string>

namespace docket::api {

namespace {

struct PathRow {
  std::string_view path;
  Endpoint endpoint;
  std::string_view allow;
};

constexpr std::string_view reads = "GET, HEAD";
constexpr std::string_view streams = "GET";
constexpr std::string_view event_prefix = "/api/v1/events/";

constexpr std::array paths{
    PathRow{"/healthz", Endpoint::healthz, reads},
    PathRow{"/readyz", Endpoint::readyz, reads},
    PathRow{"/metrics", Endpoint::metrics, reads},
    PathRow{"/api/v1/search", Endpoint::search, reads},
    PathRow{"/api/v1/count", Endpoint::count, reads},
    PathRow{"/api/v1/facets", Endpoint::facets, reads},
    PathRow{"/api/v1/histogram", Endpoint::histogram, reads},
    PathRow{"/api/v1/explain", Endpoint::explain, reads},
    PathRow{"/api/v1/events", Endpoint::post_events, "POST"},
    PathRow{"/v1/logs", Endpoint::post_otlp, "POST"},
    PathRow{"/api/v1/export", Endpoint::export_events, streams},
    PathRow{"/api/v1/tail", Endpoint::tail, streams},
    PathRow{"/api/v1/logs", Endpoint::logs, reads},
    PathRow{"/api/v1/segments", Endpoint::segments, reads},
    PathRow{"/api/v1/stats", Endpoint::stats, reads},
    PathRow{"/api/v1/nodes", Endpoint::nodes, reads},
    PathRow{"/api/v1/retention", Endpoint::retention, reads},
    PathRow{"/api/v1/openapi.json", Endpoint::openapi, reads},
};

// Whether a comma-separated list of methods names this one.
bool allows(std::string_view allow, std::string_view method) {
  while (!allow.empty()) {
    const std::string_view name = allow.substr(0, allow.find(','));
    if (name == method) {
      return true;
    }
    allow.remove_prefix(name.size());
    while (!allow.empty() && (allow.front() == ',' || allow.front() == ' ')) {
      allow.remove_prefix(1);
    }
  }
  return false;
}

Route route_to(Endpoint endpoint, std::string_view allow, std::string_view method) {
  Route route;
  route.kind = allows(allow, method) ? Route::Kind::found : Route::Kind::no_such_method;
  route.endpoint = endpoint;
  route.allow = allow;
  return route;
}

}  // namespace

Route find_route(std::string_view method, std::string_view path) {
  for (const PathRow& row : paths) {
    if (row.path == path) {
      return route_to(row.endpoint, row.allow, method);
    }
  }
  if (path.starts_with(event_prefix)) {
    const std::string_view name = path.substr(event_prefix.size());
    const std::size_t slash = name.find('/');
    if (slash != std::string_view::npos && slash != 0 && slash + 1 < name.size() &&
        name.find('/', slash + 1) == std::string_view::npos) {
      Route route = route_to(Endpoint::event, reads, method);
      route.log = name.substr(0, slash);
      route.seq = name.substr(slash + 1);
      return route;
    }
  }
  return {};
}

std::vector<Operation> operations() {
  std::vector<Operation> all;
  for (const PathRow& row : paths) {
    all.push_back({std::string(row.path), row.endpoint, row.allow});
  }
  all.push_back({std::string(event_prefix) + "{log}/{seq}", Endpoint::event, reads});
  return all;
}

std::string_view path_of(Endpoint endpoint) {
  for (const PathRow& row : paths) {
    if (row.endpoint == endpoint) {
      return row.path;
    }
  }
  return event_prefix;
}

}  // namespace docket::api
