// Where a server takes events, as told by the server that answers questions.
#pragma once

#include <string>
#include <string_view>

#include "engine/result.hpp"
#include "ingest/client.hpp"
#include "tools/docket/arguments.hpp"
#include "tools/docket/http_client.hpp"
#include "tools/docketd/address.hpp"

namespace docket::cli {

// Asks the server for its ingest address; a token must be an operator's. Errors: those of
// HttpClient::get() and of reachable_ingest(); io when the answer does not tell it.
[[nodiscard]] Result<server::Address> ask_ingest_address(const std::string& server_url,
                                                         const ServerAccess& access);

// The address to connect to, of a server that was reached as `url` and says that it listens for
// events at `told`. A server that listens everywhere is met at the host of the URL. Error:
// invalid_argument when events are taken on the server's own machine only and that is another one:
// at the same address here may be another server.
[[nodiscard]] Result<server::Address> reachable_ingest(std::string_view told, const ServerUrl& url);

// The rules of the file's section [redact]; none where no file is named. Errors:
// those of server::read_settings_file(), also where the file has no rule: who asks for redaction
// must not go without.
[[nodiscard]] Result<ingest::RedactionRules> redaction_rules(const std::string& file);

// Where import and forward send to, and how: --ingest, else where the server says; under TLS where
// --server is https; without what --redact names. The sender's name is missing. Errors: of --log,
// of the token or certificate to show, of --redact and its file, of --ingest, and those above.
[[nodiscard]] Result<client::Options> ingest_destination(const Arguments& arguments);

}  // namespace docket::cli
