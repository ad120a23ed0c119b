// Writing TOML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace docket::server {

// A basic string, with its quotes.
[[nodiscard]] std::string toml_string(std::string_view text);
// An array of such.
[[nodiscard]] std::string toml_strings(const std::vector<std::string>& texts);

}  // namespace docket::server
