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
#include <memory>
#include <utility>

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

Result<TcpSocket> TcpSocket::connect(const std::string& address, std::uint16_t port) {
  constexpr std::string_view local_prefix = "unix:";
  if (address.starts_with(local_prefix)) {
    return connect_local(address.substr(local_prefix.size()));
  }
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
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

TcpSocket::~TcpSocket() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

Result<void> TcpSocket::send(std::string_view bytes) {
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
  pollfd waiting{descriptor_, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&waiting, 1, static_cast<int>(patience_ms));
  } while (ready < 0 && errno == EINTR);
  if (ready < 0) {
    return fail_errno("poll", errno);
  }
  return ready > 0;
}

Result<std::size_t> TcpSocket::receive(std::span<char> into) {
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
  if (::shutdown(descriptor_, SHUT_WR) != 0) {
    return fail_errno("shutdown", errno);
  }
  return {};
}

void TcpSocket::abort() {
  ::shutdown(descriptor_, SHUT_RDWR);
}

}  // namespace docket::load
