// Writing TOML.
#pragma once

#include <string>
#include <string_view>

namespace docket::server {

// A basic string, with its quotes.
[[nodiscard]] std::string toml_string(std::string_view text);

}  // namespace docket::server
