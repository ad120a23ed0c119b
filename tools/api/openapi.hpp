// The description of the HTTP API, OpenAPI 3.1: openapi.json as it stands in this folder.
#pragma once

#include <string_view>

namespace docket::api {

[[nodiscard]] std::string_view openapi_text();

}  // namespace docket::api
