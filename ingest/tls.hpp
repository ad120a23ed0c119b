// TLS: the contexts of servers and clients, made from files.
#pragma once

#include <memory>
#include <string>

#include "engine/result.hpp"

namespace boost::asio::ssl {
class context;
}

namespace docket::ingest {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

// Paths of PEM files.
struct TlsFiles {
  std::string certificate;  // the whole chain, the own one first
  std::string key;          // of it; not encrypted
  std::string authorities;  // whose certificates the other side must show one of
  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

// TLS 1.2 and 1.3, suites with forward secrecy and authenticated encryption alone, no compression,
// no renegotiation and no resumption: a certificate or an authority that is taken away counts from
// the next connection on. With `authorities`, clients must show a certificate of one of them.
// Errors: invalid_argument naming the file and what is wrong with it, also where key and
// certificate do not go together.
[[nodiscard]] Result<TlsContext> server_tls(const TlsFiles& files);

// Trusts `authorities`, else those of the system; shows `certificate`, where given. That the server
// is the one that was meant is for the stream to check.
[[nodiscard]] Result<TlsContext> client_tls(const TlsFiles& files);

}  // namespace docket::ingest
