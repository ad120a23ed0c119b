#include "tests/ingest/cutting_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace docket::testing {
namespace {

constexpr int tick_ms = 5;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void send_at_once(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void reset(int fd) {
  const linger now{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close(fd);
}

bool send_all(int fd, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

}  // namespace

CuttingProxy::CuttingProxy(std::uint16_t server_port)
    : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), server_port_(server_port) {
  sockaddr_in address = loopback(0);
  bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  listen(listener_, 64);
  socklen_t size = sizeof(address);
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_loop(); });
}

CuttingProxy::~CuttingProxy() {
  ending_ = true;
  acceptor_.join();
  for (std::thread& thread : forwarders_) {
    thread.join();
  }
  close(listener_);
}

void CuttingProxy::cut_next_after(Direction direction, std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  next_cut_ = Cut{direction, bytes};
  has_cut_ = false;
}

void CuttingProxy::cut_all() {
  ++cut_generation_;
}

void CuttingProxy::accept_loop() {
  while (!ending_) {
    pollfd wanted{listener_, POLLIN, 0};
    if (poll(&wanted, 1, tick_ms) != 1) {
      continue;
    }
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) {
      continue;
    }
    std::optional<Cut> cut;
    {
      const std::scoped_lock lock(mutex_);
      cut = std::exchange(next_cut_, std::nullopt);
    }
    ++connections_;
    forwarders_.emplace_back([this, client, cut] { forward(client, cut); });
  }
}

void CuttingProxy::forward(int client, std::optional<Cut> cut) {
  const std::uint64_t generation = cut_generation_;
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(server_port_);
  bool open = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  send_at_once(client);
  send_at_once(server);
  std::array<std::size_t, 2> passed{};
  std::array<char, 65536> buffer{};
  if (cut && cut->bytes == 0) {
    has_cut_ = true;
    open = false;
  }
  while (open && !ending_ && generation == cut_generation_) {
    std::array<pollfd, 2> wanted{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
    poll(wanted.data(), 2, tick_ms);
    for (std::size_t side = 0; side < 2 && open; ++side) {
      if (wanted[side].revents == 0) {
        continue;
      }
      const auto direction = side == 0 ? Direction::to_server : Direction::to_client;
      std::size_t room = buffer.size();
      if (cut && cut->direction == direction) {
        room = std::min(room, cut->bytes - passed[side]);
      }
      const ssize_t received = recv(wanted[side].fd, buffer.data(), room, 0);
      if (received <= 0 || !send_all(side == 0 ? server : client, buffer.data(),
                                     static_cast<std::size_t>(received))) {
        open = false;
        break;
      }
      passed[side] += static_cast<std::size_t>(received);
      if (cut && cut->direction == direction && passed[side] == cut->bytes) {
        has_cut_ = true;
        open = false;
      }
    }
  }
  // Alternately a reset and an orderly end.
  if (cut && cut->bytes % 2 == 1) {
    reset(client);
    reset(server);
  } else {
    close(client);
    close(server);
  }
}

}  // namespace docket::testing
