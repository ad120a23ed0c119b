// The running server: store, indexes, ingest listener, HTTP listener, retention, system log.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "engine/result.hpp"
#include "tools/docketd/address.hpp"
#include "tools/docketd/settings.hpp"

namespace docket::server {

// The logs that every server makes, beside the system's own.
inline constexpr std::array<std::string_view, 4> preloaded_logs{"activity", "authentication",
                                                                "campaign", "api"};

class Server {
 public:
  virtual ~Server() = default;  // stop("destroyed")
  // Opens the data directory and starts to listen; on success events and questions are taken.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(const Settings& settings);

  // As bound.
  [[nodiscard]] virtual Address ingest_address() const = 0;
  [[nodiscard]] virtual Address http_address() const = 0;

  // Whether all is well that a restart would put right: what /healthz says. Thread-safe.
  [[nodiscard]] virtual bool is_well() const = 0;

  // Takes over retention, senders, redaction, tokens, certificates, scrub period and log level of
  // `settings`, all or none, and records what changed; names on stderr what takes a restart.
  virtual void reload(const Settings& settings) = 0;
  // Records and tells that the settings stay as they are.
  virtual void reload_failed(const Error& error) = 0;

  // Stops accepting, commits and acknowledges what was received, closes the store. Idempotent; the
  // result of the first call.
  [[nodiscard]] virtual Result<void> stop(std::string_view cause) = 0;
};

}  // namespace docket::server
