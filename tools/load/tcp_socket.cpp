#include "tools/load/tcp_socket.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <utility>

#include "engine/bytes.hpp"

namespace docket::load {

Result<TcpSocket> TcpSocket::connect_local(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("a socket's path must be below {} bytes", sizeof address.sun_path));
  }
  path.copy(address.sun_path, path.size());
  TcpSocket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.descriptor_ < 0) {
    return fail_errno("socket", errno);
  }
  if (::connect(socket.descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
      0) {
    return fail_errno(fmt::format("connecting to {}", path), errno);
  }
  return socket;
}

Result<TcpSocket> TcpSocket::connect(const std::string& address, std::uint16_t port,
                                     const std::optional<ingest::TlsFiles>& tls) {
  constexpr std::string_view local_prefix = "unix:";
  if (address.starts_with(local_prefix)) {
    return tls ? fail(ErrorCode::invalid_argument, "a Unix socket is in the clear")
               : connect_local(address.substr(local_prefix.size()));
  }
  DOCKET_ASSIGN(TcpSocket socket, connect_tcp(address, port));
  if (tls) {
    DOCKET_TRY(socket.begin_tls(*tls, address));
  }
  return socket;
}

Result<TcpSocket> TcpSocket::connect_tcp(const std::string& address, std::uint16_t port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(address.c_str(), std::to_string(port).c_str(), &wanted, &found) != 0) {
    return fail(ErrorCode::invalid_argument, fmt::format("'{}' is not an IP address", address));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> free_later(found, &freeaddrinfo);
  TcpSocket socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.descriptor_ < 0) {
    return fail_errno("socket", errno);
  }
  if (::connect(socket.descriptor_, found->ai_addr, found->ai_addrlen) != 0) {
    return fail_errno(fmt::format("connecting to {} port {}", address, port), errno);
  }
  const int yes = 1;
  // Nagle's algorithm would hold the last lines back until an answer comes.
  if (setsockopt(socket.descriptor_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0) {
    return fail_errno("TCP_NODELAY", errno);
  }
  return socket;
}

TcpSocket::TcpSocket(TcpSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), tls_(std::move(other.tls_)) {}

TcpSocket::~TcpSocket() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

Result<bool> TcpSocket::ready(short events, int patience_ms) const {
  pollfd waiting{descriptor_, events, 0};
  int count = 0;
  do {
    count = ::poll(&waiting, 1, patience_ms);
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    return fail_errno("poll", errno);
  }
  return count > 0;
}

template <typename Step>
Result<bool> TcpSocket::go(const Step& step) {
  using ingest::TlsSession;
  while (true) {
    TlsSession::Step came{};
    std::string fault;
    {
      const std::lock_guard lock(tls_->mutex);
      came = step(tls_->session);
      fault = tls_->session.fault();
    }
    if (came == TlsSession::Step::done || came == TlsSession::Step::ended) {
      return came == TlsSession::Step::done;
    }
    if (came == TlsSession::Step::failed) {
      return fail(ErrorCode::io, "TLS: " + fault);
    }
    DOCKET_TRY(ready(came == TlsSession::Step::wants_read ? POLLIN : POLLOUT, -1));
  }
}

Result<void> TcpSocket::begin_tls(const ingest::TlsFiles& files, const std::string& host) {
  DOCKET_ASSIGN(const ingest::TlsContext context, ingest::client_tls(files));
  tls_ = std::make_unique<Tls>(context, descriptor_, host);
  DOCKET_TRY(go([](ingest::TlsSession& session) { return session.shake_hands(); }));
  return {};
}

Result<void> TcpSocket::send(std::string_view bytes) {
  while (tls_ && !bytes.empty()) {
    std::size_t sent = 0;
    DOCKET_TRY(go([&](ingest::TlsSession& session) {
      const auto moved = session.write(as_byte_span(bytes));
      sent = moved.bytes;
      return moved.step;
    }));
    bytes.remove_prefix(sent);
  }
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent < 0) {
      return fail_errno("sending", errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<bool> TcpSocket::wait(std::uint32_t patience_ms) {
  if (!tls_) {
    return ready(POLLIN, static_cast<int>(patience_ms));
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
  while (true) {
    {
      const std::lock_guard lock(tls_->mutex);
      if (tls_->session.look() != ingest::TlsSession::Step::wants_read) {
        return true;  // bytes, or what receive() will say
      }
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      return false;
    }
    DOCKET_TRY(ready(POLLIN, static_cast<int>(left.count())));
  }
}

Result<std::size_t> TcpSocket::receive(std::span<char> into) {
  if (tls_) {
    std::size_t received = 0;
    DOCKET_TRY(go([&](ingest::TlsSession& session) {
      const auto moved = session.read(std::as_writable_bytes(into));
      received = moved.bytes;
      return moved.step;
    }));
    return received;
  }
  ssize_t received = 0;
  do {
    received = ::recv(descriptor_, into.data(), into.size(), 0);
  } while (received < 0 && errno == EINTR);
  if (received < 0) {
    return fail_errno("receiving", errno);
  }
  return static_cast<std::size_t>(received);
}

Result<void> TcpSocket::close_sending() {
  if (tls_) {
    DOCKET_TRY(go([](ingest::TlsSession& session) { return session.say_goodbye(); }));
    return {};
  }
  if (::shutdown(descriptor_, SHUT_WR) != 0) {
    return fail_errno("shutdown", errno);
  }
  return {};
}

void TcpSocket::abort() {
  ::shutdown(descriptor_, SHUT_RDWR);
}

}  // namespace docket::load
