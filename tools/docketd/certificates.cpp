#include "tools/docketd/certificates.hpp"

namespace docket::server {

ingest::TlsFiles tls_files(const TlsSettings& settings) {
  return {settings.certificate, settings.key, settings.client_ca};
}

Result<void> Certificates::read(const TlsSettings& settings) {
  if (settings.is_on()) {
    DOCKET_ASSIGN(ingest::TlsContext made, ingest::server_tls(tls_files(settings)));
    current_.store(std::move(made));
  }
  return {};
}

}  // namespace docket::server
