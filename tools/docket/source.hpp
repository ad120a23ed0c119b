// Where the inspector looks: a data directory, or a server. Both give the same bytes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/result.hpp"
#include "tools/api/export.hpp"
#include "tools/api/url.hpp"

namespace docket::cli {

// Not thread-safe.
class Source {
 public:
  virtual ~Source() = default;

  // The body of a successful answer to GET `path`. A problem document comes back as the error it
  // tells of.
  [[nodiscard]] virtual Result<std::string> get(const std::string& path,
                                                const api::Parameters& parameters) = 0;
  // Gives an export's text to `sink` in pieces until it returns false (error: cancelled). Row count
  // and digest are the source's own.
  [[nodiscard]] virtual Result<api::ExportSummary> export_events(
      const api::Parameters& parameters, const std::function<bool(std::string_view)>& sink) = 0;
  // Gives the newest events and then each new one to `sink`, as JSON objects without line breaks,
  // until it returns false. `idle` is called when there is nothing new for the moment.
  [[nodiscard]] virtual Result<void> follow(const api::Parameters& parameters,
                                            const std::function<bool(std::string_view)>& sink,
                                            const std::function<bool()>& idle) = 0;
};

// Opens read-only, also beside the running server; never writes. `config`, where not empty, is the
// server's configuration file, for the retention policies. Errors: not_found (no such directory, or
// not a store), newer_format, io, invalid_argument (the file).
[[nodiscard]] Result<std::unique_ptr<Source>> open_directory(const std::string& directory,
                                                             const std::string& config);

// `http://HOST[:PORT]`; connects at the first request. Error: invalid_argument.
[[nodiscard]] Result<std::unique_ptr<Source>> open_server(const std::string& url);

}  // namespace docket::cli
