#include "tools/docket/server_access.hpp"

#include <cstdlib>
#include <utility>

#include "tools/api/token_file.hpp"

namespace docket::cli {

void add_access_options(CLI::App& app, Arguments& arguments, bool shown) {
  const auto add = [&](const std::string& name, std::string& into, const std::string& text) {
    app.add_option(name, into, text)->type_name("FILE")->group(shown ? "Options" : "");
  };
  add("--token-file", arguments.token_file,
      "Show the server the token in this file ($DOCKET_TOKEN)");
  add("--ca", arguments.ca, "Trust these authorities with an https server, not the system's");
  add("--cert", arguments.certificate, "Show this certificate to an https server");
  add("--key", arguments.key, "Its key");
}

void check_access_options(const Arguments& arguments, bool asks_server) {
  for (const auto& [name, value] :
       {std::pair{"--token-file", &arguments.token_file}, std::pair{"--ca", &arguments.ca},
        std::pair{"--cert", &arguments.certificate}, std::pair{"--key", &arguments.key}}) {
    if (!value->empty() && !asks_server) {
      throw CLI::ValidationError(name, "is for a server; a directory asks for nothing");
    }
  }
  if (arguments.certificate.empty() != arguments.key.empty()) {
    throw CLI::ValidationError("--cert", "and --key go together");
  }
}

Result<ServerAccess> server_access(const Arguments& arguments) {
  ServerAccess access;
  access.tls = {arguments.certificate, arguments.key, arguments.ca};
  if (!arguments.token_file.empty()) {
    DOCKET_ASSIGN(access.token, api::read_token_file(arguments.token_file));
    return access;
  }
  // There is no other thread yet.
  const char* const value = std::getenv("DOCKET_TOKEN");  // NOLINT(concurrency-mt-unsafe)
  if (value != nullptr && *value != '\0') {
    DOCKET_ASSIGN(access.token, api::parse_token(value, "$DOCKET_TOKEN"));
  }
  return access;
}

}  // namespace docket::cli
