// TLS over a socket that does not block, step by step: the state of one connection. It waits for
// nothing, so that a read or a write that is given up loses no byte.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "ingest/peer_certificate.hpp"
#include "ingest/tls.hpp"

struct ssl_st;

namespace docket::ingest {

// So many bytes tell a ClientHello; none has fewer.
inline constexpr std::size_t tls_opening_bytes = 9;
// OpenSSL makes room for a whole message once its length is told. What clients send is a tenth of
// it.
inline constexpr std::size_t tls_hello_bytes_max = std::size_t{16} << 10;
inline constexpr std::size_t tls_certificates_bytes_max = std::size_t{32} << 10;

enum class Opening : std::uint8_t { incomplete, tls, too_long, other };
// What a connection is that begins with these.
[[nodiscard]] Opening opening_of(std::span<const std::byte> bytes);

// Not thread-safe. Does not own the socket.
class TlsSession {
 public:
  enum class Step : std::uint8_t {
    done,
    wants_read,   // again once the socket can be read from
    wants_write,  // again once it can be written to
    ended,        // the other side has said that nothing more comes
    failed        // for good: fault() says why; also an end that was not announced
  };
  struct Moved {
    Step step;
    std::size_t bytes;  // done: at least one
  };

  // As a server. `opening`: what was read from the socket already, at most tls_opening_bytes.
  // Throws std::bad_alloc.
  TlsSession(TlsContext context, int socket, std::span<const std::byte> opening);
  // As a client: the server's certificate must be valid for `host`, a name or an address. Throws
  // std::bad_alloc.
  TlsSession(TlsContext context, int socket, const std::string& host);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  [[nodiscard]] Step shake_hands();
  [[nodiscard]] Moved read(std::span<std::byte> into);
  // What is given again after wants_write must begin with the same bytes, and be as long.
  [[nodiscard]] Moved write(std::span<const std::byte> from);
  // Done: read() will not want the socket.
  [[nodiscard]] Step look();
  // Says that nothing more will be sent. What comes can still be read.
  [[nodiscard]] Step say_goodbye();
  // The socket is not touched any more; it may belong to another connection by now.
  void detach() { wire_.socket = -1; }

  // Of the other side, once hands are shaken; see peer_certificate().
  [[nodiscard]] std::optional<PeerCertificate> certificate() const {
    return peer_certificate(session_.get());
  }
  // Why it failed.
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  friend struct WireMethod;
  // What OpenSSL reads from and writes to.
  struct Wire {
    int socket;
    std::array<std::byte, tls_opening_bytes> opening;
    std::size_t opening_begin;
    std::size_t opening_end;
    bool has_ended;
  };
  struct Free {
    void operator()(ssl_st* session) const;
  };

  [[nodiscard]] Step outcome(int result);

  const TlsContext context_;
  Wire wire_;
  std::unique_ptr<ssl_st, Free> session_;
  std::string fault_;
};

}  // namespace docket::ingest
