// What lets the inspector in: a token from a file or from the environment, never from the command
// line, where every user of the machine can read it.
#pragma once

#include <string>

#include "engine/result.hpp"
#include "tools/docket/arguments.hpp"
#include "tools/docket/http_client.hpp"

namespace docket::cli {

// Reads `--token-file`, else $DOCKET_TOKEN. Errors: those of reading the file; invalid_argument for
// one that holds no token, or more than one line.
[[nodiscard]] Result<ServerAccess> server_access(const Arguments& arguments);

// White space around it is left out. Error: invalid_argument naming `source`.
[[nodiscard]] Result<std::string> parse_token(std::string_view text, const std::string& source);

}  // namespace docket::cli
