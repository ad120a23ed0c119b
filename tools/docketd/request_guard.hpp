// What a request must keep before anything is done for it. No Beast here, so that it can be tested
// by itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tools/api/answer.hpp"
#include "tools/api/routes.hpp"
#include "tools/api/url.hpp"

namespace docket::server {

// The parts of a request's head that decide.
struct RequestHead {
  std::string_view method;
  std::string_view target;
  std::string_view host;    // empty: absent
  std::string_view origin;  // empty: absent
  bool has_body = false;
};

struct AdmittedRequest {
  api::Route route;
  api::Parameters parameters;
  std::optional<api::Answer> refusal;  // set: answer with it and do nothing else
};

// Resolves the request and refuses what must not be served:
// - while only loopback is listened on, a `Host` that is neither an IP address nor localhost: a
//   page from elsewhere must not reach the log by a name that resolves to this machine;
// - a write that a page of another origin sends;
// - unknown paths, methods and bodies where none belongs.
[[nodiscard]] AdmittedRequest admit_request(const RequestHead& head, bool loopback_only);

}  // namespace docket::server
