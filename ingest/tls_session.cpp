#include "ingest/tls_session.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ssl/context.hpp>
#include <cerrno>
#include <climits>
#include <cstring>
#include <new>
#include <system_error>
#include <utility>

#include "engine/assert.hpp"

namespace docket::ingest {

// OpenSSL's own method for sockets would raise SIGPIPE in a process that has not made it harmless,
// and would know nothing of the opening.
struct WireMethod {
  static TlsSession::Wire& wire_of(BIO* bio) {
    return *static_cast<TlsSession::Wire*>(BIO_get_data(bio));
  }

  static int moved(BIO* bio, ssize_t bytes, int direction) {
    if (bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      BIO_set_flags(bio, direction | BIO_FLAGS_SHOULD_RETRY);
    }
    return static_cast<int>(bytes);
  }

  static int read(BIO* bio, char* into, int size) {
    TlsSession::Wire& wire = wire_of(bio);
    BIO_clear_retry_flags(bio);
    const std::size_t ahead =
        std::min(static_cast<std::size_t>(size), wire.opening_end - wire.opening_begin);
    if (ahead != 0) {
      std::memcpy(into, wire.opening.data() + wire.opening_begin, ahead);
      wire.opening_begin += ahead;
      return static_cast<int>(ahead);
    }
    ssize_t got = 0;
    do {
      got = ::recv(wire.socket, into, static_cast<std::size_t>(size), MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    wire.has_ended = got == 0;
    return moved(bio, got, BIO_FLAGS_READ);
  }

  static int write(BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    ssize_t sent = 0;
    do {
      sent = ::send(wire_of(bio).socket, from, static_cast<std::size_t>(size),
                    MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return moved(bio, sent, BIO_FLAGS_WRITE);
  }

  static long control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_EOF) {
      return wire_of(bio).has_ended ? 1 : 0;
    }
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static BIO_METHOD* make() {
    BIO_METHOD* const method =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "a docket socket");
    if (method == nullptr) {
      throw std::bad_alloc();
    }
    BIO_meth_set_read(method, &read);
    BIO_meth_set_write(method, &write);
    BIO_meth_set_ctrl(method, &control);
    return method;
  }

  // Gives the session its wire.
  static void attach(SSL* session, TlsSession::Wire& wire) {
    static BIO_METHOD* const method = make();  // for as long as the process lives
    BIO* const bio = BIO_new(method);
    if (bio == nullptr) {
      throw std::bad_alloc();
    }
    BIO_set_data(bio, &wire);
    BIO_set_init(bio, 1);
    SSL_set_bio(session, bio, bio);
  }
};

namespace {

constexpr auto record_of_handshake = std::byte{22};
constexpr auto version_major = std::byte{3};
constexpr auto client_hello = std::byte{1};
// Of the record: type, version, length. Of the message: type, length.
constexpr std::size_t record_header_bytes = 5;
constexpr std::size_t message_header_bytes = 4;

std::size_t number_of(std::span<const std::byte> bytes) {
  std::size_t number = 0;
  for (const std::byte byte : bytes) {
    number = number << CHAR_BIT | std::to_integer<std::size_t>(byte);
  }
  return number;
}

SSL* made(SSL_CTX* context) {
  SSL* const session = SSL_new(context);
  if (session == nullptr) {
    ERR_clear_error();
    throw std::bad_alloc();
  }
  SSL_set_mode(session, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Records that bring nothing to read must not keep the thread: after each the socket is waited
  // for.
  SSL_clear_mode(session, SSL_MODE_AUTO_RETRY);
  return session;
}

int size_of(std::size_t bytes) {
  return static_cast<int>(std::min<std::size_t>(bytes, INT_MAX));
}

// Of a call that has failed for good.
std::string fault_of(const SSL* session, int kind, int system_error) {
  const unsigned long error = ERR_peek_error();
  const int reason = ERR_GET_REASON(error);
  if (kind == SSL_ERROR_SYSCALL && system_error != 0) {
    return std::generic_category().message(system_error);
  }
  if (kind == SSL_ERROR_SYSCALL || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return "the connection ended without TLS having been ended";
  }
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    const long result = SSL_get_verify_result(session);
    return std::string("the certificate is not accepted: ") + X509_verify_cert_error_string(result);
  }
  if (reason == SSL_R_WRONG_VERSION_NUMBER) {
    return "the other side does not speak TLS";
  }
  const char* const words = ERR_reason_error_string(error);
  return words == nullptr ? "TLS failed" : words;
}

}  // namespace

Opening opening_of(std::span<const std::byte> bytes) {
  static constexpr std::array<std::pair<std::size_t, std::byte>, 3> marks{
      {{0, record_of_handshake}, {1, version_major}, {record_header_bytes, client_hello}}};
  for (const auto& [at, value] : marks) {
    if (at < bytes.size() && bytes[at] != value) {
      return Opening::other;
    }
  }
  if (bytes.size() < tls_opening_bytes) {
    return Opening::incomplete;
  }
  // A record that ends within the header of its message could hide the length.
  if (number_of(bytes.subspan(3, 2)) < message_header_bytes) {
    return Opening::other;
  }
  const std::size_t length = number_of(bytes.subspan(record_header_bytes + 1, 3));
  return length > tls_hello_bytes_max ? Opening::too_long : Opening::tls;
}

void TlsSession::Free::operator()(ssl_st* session) const {
  SSL_free(session);
}

TlsSession::TlsSession(TlsContext context, int socket, std::span<const std::byte> opening)
    : context_(std::move(context)),
      wire_{socket, {}, 0, opening.size(), false},
      session_(made(context_->native_handle())) {
  DOCKET_ASSERT(opening.size() <= wire_.opening.size());
  std::copy(opening.begin(), opening.end(), wire_.opening.begin());
  WireMethod::attach(session_.get(), wire_);
  SSL_set_max_cert_list(session_.get(), long{tls_certificates_bytes_max});
  SSL_set_accept_state(session_.get());
}

TlsSession::TlsSession(TlsContext context, int socket, const std::string& host)
    : context_(std::move(context)),
      wire_{socket, {}, 0, 0, false},
      session_(made(context_->native_handle())) {
  WireMethod::attach(session_.get(), wire_);
  SSL* const session = session_.get();
  SSL_set_connect_state(session);
  SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str()) == 1;
  const bool is_set = is_address || (SSL_set1_host(session, host.c_str()) == 1 &&
                                     SSL_set_tlsext_host_name(session, host.c_str()) == 1);
  ERR_clear_error();
  if (!is_set) {
    throw std::bad_alloc();
  }
}

TlsSession::~TlsSession() = default;

TlsSession::Step TlsSession::outcome(int result) {
  const int system_error = errno;
  if (!fault_.empty()) {
    return Step::failed;  // the first fault says most
  }
  const int kind = SSL_get_error(session_.get(), result);
  switch (kind) {
    case SSL_ERROR_NONE:
      return Step::done;
    case SSL_ERROR_WANT_READ:
      return Step::wants_read;
    case SSL_ERROR_WANT_WRITE:
      return Step::wants_write;
    case SSL_ERROR_ZERO_RETURN:
      return Step::ended;
    default:
      fault_ = fault_of(session_.get(), kind, wire_.has_ended ? 0 : system_error);
      ERR_clear_error();
      return Step::failed;
  }
}

TlsSession::Step TlsSession::shake_hands() {
  ERR_clear_error();
  return outcome(SSL_do_handshake(session_.get()));
}

TlsSession::Moved TlsSession::read(std::span<std::byte> into) {
  ERR_clear_error();
  const int result = SSL_read(session_.get(), into.data(), size_of(into.size()));
  return {outcome(result), static_cast<std::size_t>(std::max(result, 0))};
}

TlsSession::Moved TlsSession::write(std::span<const std::byte> from) {
  ERR_clear_error();
  const int result = SSL_write(session_.get(), from.data(), size_of(from.size()));
  return {outcome(result), static_cast<std::size_t>(std::max(result, 0))};
}

TlsSession::Step TlsSession::look() {
  ERR_clear_error();
  std::byte unused{};
  return outcome(SSL_peek(session_.get(), &unused, 1));
}

TlsSession::Step TlsSession::say_goodbye() {
  ERR_clear_error();
  const int result = SSL_shutdown(session_.get());
  // 0: it is said, and the other side has not said it yet.
  return result >= 0 ? Step::done : outcome(result);
}

}  // namespace docket::ingest
