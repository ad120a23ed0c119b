#include "ingest/tls.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>

namespace docket::ingest {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

// Of TLS 1.2; all suites of 1.3 are sound.
constexpr const char* suites = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!PSK";
// Curves that are quick. Of TLS 1.3 there are groups of numbers, too, of which the largest takes a
// server a hundred times as long, and a client chooses.
constexpr const char* groups = "X25519:P-256:P-384";

tl::unexpected<Error> fault(const std::string& path, const error_code& error) {
  return fail(ErrorCode::invalid_argument, fmt::format("{}: {}", path, error.message()));
}

Result<TlsContext> make_context(ssl::context::method method) {
  auto context = std::make_shared<ssl::context>(method);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_options(native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                  SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(native, 0);
  // Idle connections keep no buffers.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(native, suites) != 1 ||
      SSL_CTX_set1_groups_list(native, groups) != 1) {
    return fail(ErrorCode::io, "OpenSSL does not know the suites of TLS 1.2, or its curves");
  }
  return context;
}

Result<void> use_certificate(ssl::context& context, const TlsFiles& files) {
  error_code error;
  static_cast<void>(context.use_certificate_chain_file(files.certificate, error));
  if (error) {
    return fault(files.certificate, error);
  }
  // Asked for a passphrase, it would read one from the terminal.
  context.set_password_callback(
      [](std::size_t, ssl::context::password_purpose) { return std::string(); }, error);
  // Also says whether it is the key of the certificate.
  static_cast<void>(context.use_private_key_file(files.key, ssl::context::pem, error));
  if (error) {
    return fault(files.key, error);
  }
  return {};
}

Result<void> trust(ssl::context& context, const std::string& authorities) {
  error_code error;
  static_cast<void>(context.load_verify_file(authorities, error));
  if (error) {
    return fault(authorities, error);
  }
  return {};
}

}  // namespace

Result<TlsContext> server_tls(const TlsFiles& files) {
  DOCKET_ASSIGN(TlsContext context, make_context(ssl::context::tls_server));
  DOCKET_TRY(use_certificate(*context, files));
  if (!files.authorities.empty()) {
    DOCKET_TRY(trust(*context, files.authorities));
    context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
  }
  return context;
}

Result<TlsContext> client_tls(const TlsFiles& files) {
  DOCKET_ASSIGN(TlsContext context, make_context(ssl::context::tls_client));
  context->set_verify_mode(ssl::verify_peer);
  if (!files.authorities.empty()) {
    DOCKET_TRY(trust(*context, files.authorities));
  } else {
    error_code error;
    static_cast<void>(context->set_default_verify_paths(error));
    if (error) {
      return fault("the system's authorities", error);
    }
  }
  if (!files.certificate.empty()) {
    DOCKET_TRY(use_certificate(*context, files));
  }
  return context;
}

}  // namespace docket::ingest
