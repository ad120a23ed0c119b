// Where the inspector looks: a data directory, or a server. Both give the same bytes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/result.hpp"
#include "engine/snapshot.hpp"
#include "tools/api/export.hpp"
#include "tools/api/url.hpp"
#include "tools/docket/http_client.hpp"

namespace docket::cli {

// Who follows a source. Every member must be there.
struct Follower {
  // An event as a JSON object without line breaks. False: enough.
  std::function<bool(std::string_view json)> event;
  // What should have come here and cannot be read.
  std::function<void(const Gap& gap)> gap;
  // Everything up to this position has been given; `after` goes on behind it.
  std::function<void(std::string_view position)> position;
  // There is nothing new for the moment. False: enough.
  std::function<bool()> idle;
  // The server is gone, and why; null: it is back.
  std::function<void(const Error* error)> lost;
};

// Not thread-safe.
class Source {
 public:
  virtual ~Source() = default;

  // The body of a successful answer to GET `path`. A problem document comes back as the error it
  // tells of.
  [[nodiscard]] virtual Result<std::string> get(const std::string& path,
                                                const api::Parameters& parameters) = 0;
  // Gives an export's text to `sink` in pieces until it returns false (error: cancelled). Row count
  // and digest are the source's own; the digest is that of what `sink` was given, else it is an
  // error (io).
  [[nodiscard]] virtual Result<api::ExportSummary> export_events(
      const api::Parameters& parameters, const std::function<bool(std::string_view)>& sink) = 0;
  // Gives the newest events and then each new one to the follower until that has enough. Where a
  // server goes away that had answered, it is asked again until it is back.
  [[nodiscard]] virtual Result<void> follow(const api::Parameters& parameters,
                                            const Follower& follower) = 0;
};

// Opens read-only, also beside the running server; never writes. `config`, where not empty, is the
// server's configuration file, for the retention policies. Errors: not_found (no such directory, or
// not a store), newer_format, io, invalid_argument (the file).
[[nodiscard]] Result<std::unique_ptr<Source>> open_directory(const std::string& directory,
                                                             const std::string& config);

// `http[s]://HOST[:PORT][/PREFIX]`, the prefix being a reverse proxy's; connects at the first
// request. Error: invalid_argument.
[[nodiscard]] Result<std::unique_ptr<Source>> open_server(const std::string& url,
                                                          const ServerAccess& access);

}  // namespace docket::cli
