#include "tools/docket/ingest_address.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/event.hpp"
#include "tools/api/routes.hpp"
#include "tools/docket/answer_reader.hpp"
#include "tools/docket/server_access.hpp"
#include "tools/docket/source.hpp"
#include "tools/docketd/settings.hpp"

namespace docket::cli {

namespace {

bool is_everywhere(const server::Address& address) {
  const auto ip = parse_ip(address.host);
  if (!ip) {
    return false;
  }
  // An IPv4 address is kept in its mapped form.
  const auto* const first = ip->is_v4() ? ip->bytes.data() + 12 : ip->bytes.data();
  return std::all_of(first, ip->bytes.data() + ip->bytes.size(),
                     [](const auto byte) { return byte == 0; });
}

}  // namespace

Result<server::Address> reachable_ingest(std::string_view told, const ServerUrl& url) {
  DOCKET_ASSIGN(server::Address address, server::parse_address(told));
  const bool is_here = url.host == "localhost" || server::Address{url.host, 0}.is_loopback();
  if (address.is_loopback() && !is_here) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{} takes events at {}, which is its own machine's only; import there, "
                            "or give --ingest",
                            url.authority(), address.text()));
  }
  if (is_everywhere(address)) {
    address.host = url.host;
  }
  return address;
}

Result<server::Address> ask_ingest_address(const std::string& server_url,
                                           const ServerAccess& access) {
  DOCKET_ASSIGN(const ServerUrl url, parse_server_url(server_url));
  DOCKET_ASSIGN(const auto source, open_server(server_url, access));
  DOCKET_ASSIGN(const std::string body,
                source->get(std::string(api::path_of(api::Endpoint::stats)), {}));
  DOCKET_ASSIGN(const std::string told, read_server_fact(body, "ingest"));
  if (told.empty()) {
    return fail(ErrorCode::io, fmt::format("{} does not say where it takes events; give --ingest",
                                           url.authority()));
  }
  return reachable_ingest(told, url);
}

namespace {

Result<server::Address> ingest_address(const Arguments& arguments, const ServerAccess& access) {
  if (arguments.ingest.empty()) {
    return ask_ingest_address(arguments.server, access);
  }
  auto address = server::parse_destination(arguments.ingest);
  if (!address) {
    address.error().message.insert(0, "--ingest: ");
  }
  return address;
}

}  // namespace

Result<ingest::RedactionRules> redaction_rules(const std::string& file) {
  server::Settings settings;
  if (file.empty()) {
    return settings.redaction;
  }
  DOCKET_TRY(server::read_settings_file(file, settings));
  if (settings.redaction.is_empty()) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{}: has no keys and no patterns in a section [redact]", file));
  }
  return settings.redaction;
}

Result<client::Options> ingest_destination(const Arguments& arguments) {
  if (!arguments.log.empty() && (!is_log_name(arguments.log) || arguments.log == "docket")) {
    return fail(ErrorCode::invalid_argument,
                "--log: must be a lower-case letter and up to 31 of a-z 0-9 _ -, and not docket, "
                "which is the system's own");
  }
  DOCKET_ASSIGN(const ServerAccess access, server_access(arguments));
  DOCKET_ASSIGN(const ServerUrl url, parse_server_url(arguments.server));
  DOCKET_ASSIGN(const server::Address address, ingest_address(arguments, access));
  client::Options options;
  DOCKET_ASSIGN(options.redaction, redaction_rules(arguments.redact));
  options.address = address.host;
  options.port = address.port;
  options.token = access.token;
  if (url.is_tls && !address.host.starts_with("unix:")) {
    options.tls = access.tls;
    // The server that was asked has one certificate for both ports.
    options.server_name = arguments.ingest.empty() ? url.host : "";
  }
  return options;
}

}  // namespace docket::cli
