// What lets the inspector in: a token from a file or from the environment, never from the command
// line, where every user of the machine can read it; and the files of https.
#pragma once

#include <CLI/CLI.hpp>

#include "engine/result.hpp"
#include "tools/docket/arguments.hpp"
#include "tools/docket/http_client.hpp"

namespace docket::cli {

// Adds --token-file, --ca, --cert and --key, for a command that may ask a server where `shown`.
void add_access_options(CLI::App& app, Arguments& arguments, bool shown);
// Refuses them where no server is asked, and half a pair. Error: CLI::ValidationError.
void check_access_options(const Arguments& arguments, bool asks_server);

// Reads `--token-file`, else $DOCKET_TOKEN. Errors: those of api::read_token_file().
[[nodiscard]] Result<ServerAccess> server_access(const Arguments& arguments);

}  // namespace docket::cli
