// The server's certificate, key and authorities, which a reload reads anew.
#pragma once

#include <atomic>

#include "engine/result.hpp"
#include "ingest/tls.hpp"
#include "tools/docketd/settings.hpp"

namespace docket::server {

[[nodiscard]] ingest::TlsFiles tls_files(const TlsSettings& settings);

// Thread-safe.
class Certificates {
 public:
  // Reads the files; all that follows uses them. Nothing where TLS is off. Errors: those of
  // ingest::server_tls(), and what was in use stays.
  [[nodiscard]] Result<void> read(const TlsSettings& settings);
  // For the next connection; null: TLS is off.
  [[nodiscard]] ingest::TlsContext current() const { return current_.load(); }

 private:
  std::atomic<ingest::TlsContext> current_;
};

}  // namespace docket::server
