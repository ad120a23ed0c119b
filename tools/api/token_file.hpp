// Tokens from where no other user of the machine can read them.
#pragma once

#include <string>
#include <string_view>

#include "engine/result.hpp"

namespace docket::api {

// The one token that the text is; white space around it is left out. Error: invalid_argument naming
// `source`.
[[nodiscard]] Result<std::string> parse_token(std::string_view text, const std::string& source);

// Of a file that holds nothing else. Errors: those of reading it, and of parse_token().
[[nodiscard]] Result<std::string> read_token_file(const std::string& path);

}  // namespace docket::api
