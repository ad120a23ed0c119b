// Who a peer under TLS is, by the certificate that it has shown.
#pragma once

#include <optional>
#include <string>
#include <vector>

struct ssl_st;

namespace docket::ingest {

struct PeerCertificate {
  std::string sha256;  // its fingerprint: of its DER form, 64 lower-case hexadecimal digits
  // In lower case: its DNS names, or its common name where it has none.
  std::vector<std::string> names;
};

// Of the other side of a session whose handshake is done; nullopt: it has shown none that an
// authority vouches for. Throws std::bad_alloc.
[[nodiscard]] std::optional<PeerCertificate> peer_certificate(const ssl_st* session);

}  // namespace docket::ingest
