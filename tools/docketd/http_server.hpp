// The HTTP listener: the API of tools/api over sockets.
//
// One io thread moves bytes; questions run on a pool of two threads, exports on threads of their
// own, writes on another: a slow reader or a long question costs the others nothing. Connections,
// bodies, waiting questions and exports are bounded before memory is given to them.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/event.hpp"
#include "engine/log.hpp"
#include "engine/result.hpp"
#include "ingest/event_json.hpp"
#include "ingest/sender_ledger.hpp"
#include "ingest/tls.hpp"
#include "tools/api/service.hpp"
#include "tools/docketd/access.hpp"
#include "tools/docketd/address.hpp"
#include "tools/docketd/http_metrics.hpp"
#include "tools/docketd/settings.hpp"

namespace docket::server {

// What the listener is connected to; everything must outlive it and be thread-safe.
struct HttpParts {
  const api::Service& service;
  EventRules rules;
  HttpMetrics& metrics;
  Access& access;
  // After every read of content: what was read, by whom (the token's name, or "" where there are
  // none), and why it ended early (or "").
  std::function<void(const api::ReadRecord&, const std::string& token, const std::string& peer,
                     std::string_view failure)>
      on_read;
  std::function<api::Answer()> health;
  std::function<api::Answer()> ready;
  std::function<std::string()> metrics_text;
  // Rises whenever new events became visible; follow-streams look at it before they ask.
  const std::atomic<std::uint64_t>& visible;
  // Of the next connection; null: in the clear.
  std::function<ingest::TlsContext()> tls;
  // After every post: by whom, from where, and what became of it.
  std::function<void(const std::string& node, const std::string& peer, ingest::SenderWay way,
                     const Result<ingest::RequestOutcome>& outcome)>
      on_post = {};
  ingest::CurrentRedactor redactor = {};
  // After a post that was refused unread: by whom, from where, and why.
  std::function<void(const std::string& node, const std::string& peer, const std::string& reason)>
      on_refused = {};
};

class HttpServer {
 public:
  virtual ~HttpServer() = default;  // stops
  // Binds and starts. Errors: io (the address is taken), invalid_argument.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(const Address& address,
                                                                 const LimitSettings& limits,
                                                                 HttpParts parts);
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  // Stops accepting, ends follow-streams and idle connections, lets requests at hand finish (at
  // most `deadline_ms`), closes. Idempotent.
  virtual void stop(std::uint32_t deadline_ms) = 0;
};

}  // namespace docket::server
