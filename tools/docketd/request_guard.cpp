#include "tools/docketd/request_guard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "engine/event.hpp"

namespace docket::server {

namespace {

// The host of `host[:port]`, an IPv6 address without its brackets.
std::string_view host_of(std::string_view authority) {
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t end = authority.find(']');
    return end == std::string_view::npos ? authority : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

// Names of hosts are the same in any case, and with the root's dot behind them.
bool names_this_machine(std::string_view host) {
  if (parse_ip(host)) {
    return true;
  }
  std::string name(host);
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (name.ends_with('.')) {
    name.pop_back();
  }
  return name == "localhost" || name.ends_with(".localhost");
}

// The authority of `scheme://host[:port]`.
std::string_view authority_of(std::string_view origin) {
  const std::size_t slashes = origin.find("://");
  return slashes == std::string_view::npos ? std::string_view() : origin.substr(slashes + 3);
}

}  // namespace

AdmittedRequest admit_request(const RequestHead& head, bool loopback_only) {
  AdmittedRequest admitted;
  if (loopback_only && !head.host.empty() && !names_this_machine(host_of(head.host))) {
    admitted.refusal = api::problem(
        421, "foreign_host", "The request is meant for another host",
        fmt::format("Host: must be an IP address or localhost, and is '{}'", head.host));
    return admitted;
  }
  auto target = api::parse_target(head.target);
  if (!target) {
    admitted.refusal = api::problem(target.error());
    return admitted;
  }
  admitted.parameters = std::move(target->parameters);
  admitted.route = api::find_route(head.method, target->path);
  switch (admitted.route.kind) {
    case api::Route::Kind::no_such_path:
      admitted.refusal = api::problem(404, "no_such_path", "There is no such path",
                                      fmt::format("{} is no path of this API", target->path));
      return admitted;
    case api::Route::Kind::no_such_method:
      admitted.refusal =
          api::problem(405, "no_such_method", "The path does not know this method",
                       fmt::format("{} knows {}", target->path, admitted.route.allow));
      admitted.refusal->allow = admitted.route.allow;
      return admitted;
    case api::Route::Kind::found:
      break;
  }
  const bool is_write = api::is_write(admitted.route.endpoint);
  if (is_write && !head.origin.empty() && authority_of(head.origin) != head.host) {
    admitted.refusal =
        api::problem(403, "foreign_origin", "Pages of another origin may not send events",
                     fmt::format("Origin: is '{}'", head.origin));
  } else if (!is_write && head.has_body) {
    admitted.refusal = api::problem(400, "body_not_expected", "The request has a body",
                                    fmt::format("{} takes no body", target->path));
  }
  return admitted;
}

}  // namespace docket::server
