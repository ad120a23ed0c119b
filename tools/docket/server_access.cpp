#include "tools/docket/server_access.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "engine/disk.hpp"

namespace docket::cli {

namespace {

constexpr std::size_t token_file_bytes_max = 4096;

}  // namespace

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

Result<std::string> parse_token(std::string_view text, const std::string& source) {
  static constexpr std::string_view space = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(space), text.size()));
  text = text.substr(0, text.find_last_not_of(space) + 1);
  const bool is_visible = std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
  if (text.empty() || !is_visible) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{}: {}", source,
                            text.empty() ? "is empty" : "holds more than a token, or none"));
  }
  return std::string(text);
}

Result<ServerAccess> server_access(const Arguments& arguments) {
  ServerAccess access;
  access.tls = {arguments.certificate, arguments.key, arguments.ca};
  if (!arguments.token_file.empty()) {
    DOCKET_ASSIGN(const std::vector<std::byte> bytes,
                  read_file(posix_disk(), arguments.token_file, token_file_bytes_max));
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    DOCKET_ASSIGN(access.token, parse_token(text, "--token-file " + arguments.token_file));
    return access;
  }
  // There is no other thread yet.
  const char* const value = std::getenv("DOCKET_TOKEN");  // NOLINT(concurrency-mt-unsafe)
  if (value != nullptr && *value != '\0') {
    DOCKET_ASSIGN(access.token, parse_token(value, "$DOCKET_TOKEN"));
  }
  return access;
}

}  // namespace docket::cli
