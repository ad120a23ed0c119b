// The command line and environment of docketd.
#pragma once

#include <optional>
#include <string>

#include "engine/result.hpp"
#include "tools/docketd/settings.hpp"

namespace docket::server {

struct Arguments {
  std::optional<std::string> config;  // path of the file
  std::optional<std::string> data, ingest, socket, http, log_level, log_format;
  bool insecure = false;
  bool check_config = false;
  bool print_config = false;
  std::optional<std::string> new_token;  // name of the token to make
  std::string role = "reader";           // of it
};

struct ParsedArguments {
  Arguments arguments;
  std::optional<int> exit_code;  // set: there is nothing to run (help, version, a usage error)
};

// Prints help and version on stdout, usage errors on stderr.
[[nodiscard]] ParsedArguments parse_arguments(int argc, char** argv);

// Defaults, then the file, then environment and flags; checked. Error: invalid_argument, in one
// line for each fault.
[[nodiscard]] Result<Settings> load_settings(const Arguments& arguments);

}  // namespace docket::server
