// Sockets, timers and epoll of the C library, as a network has them. Calls of threads that belong
// to no machine, and of other descriptors, go through to the library.
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/simulation/network.hpp"
#include "tests/simulation/real_calls.hpp"

namespace docket::simulation {
namespace {

// The network that `fd` belongs to; nullptr: the C library's.
Network* network_of(int fd) {
  return fd >= Network::first_descriptor ? Network::current() : nullptr;
}

// What a system call returns.
template <typename Number>
Number answer(Number result) {
  if (result < 0) {
    errno = static_cast<int>(-result);
    return -1;
  }
  return result;
}

std::uint16_t port_of(const sockaddr* address) {
  sockaddr_in v4{};
  std::memcpy(&v4, address, sizeof v4);
  return ntohs(v4.sin_port);
}

// Every host has the same address; ports tell them apart.
int tell_address(std::optional<std::uint16_t> port, sockaddr* address, socklen_t* bytes) {
  if (!port) {
    return answer(-ENOTCONN);
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(*port);
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::memcpy(address, &v4, std::min<std::size_t>(*bytes, sizeof v4));
  *bytes = sizeof v4;
  return 0;
}

// For what only a machine's threads may call.
[[noreturn]] void no_such_call() {
  std::abort();
}

Network& here() {
  Network* const network = Network::current();
  if (network == nullptr) {
    no_such_call();
  }
  return *network;
}

}  // namespace
}  // namespace docket::simulation

using docket::simulation::answer;
using docket::simulation::Machine;
using docket::simulation::Network;
using docket::simulation::network_of;
using docket::simulation::real;
using docket::simulation::Time;

extern "C" {

int socket(int /*domain*/, int type, int /*protocol*/) noexcept {
  const int fd = docket::simulation::here().socket();
  docket::simulation::here().set_nonblocking(fd, (type & SOCK_NONBLOCK) != 0);
  return fd;
}

int eventfd(unsigned value, int /*flags*/) noexcept {
  return docket::simulation::here().event(value);
}

int epoll_create1(int /*flags*/) noexcept {
  return docket::simulation::here().epoll();
}

int timerfd_create(int /*clock*/, int /*flags*/) noexcept {
  return docket::simulation::here().timer();
}

int timerfd_settime(int fd, int flags, const itimerspec* time, itimerspec* old) noexcept {
  const Time value =
      time->it_value.tv_sec > 1'000'000'000
          ? 1'000'000'000 * docket::simulation::second
          : time->it_value.tv_sec * docket::simulation::second + time->it_value.tv_nsec;
  if (old != nullptr) {
    *old = {};
  }
  std::optional<Time> at;
  if (value != 0) {
    // Asio's absolute time is one that has always passed: now.
    at = Machine::current()->now() + ((flags & TFD_TIMER_ABSTIME) != 0 ? 0 : value);
  }
  return answer(docket::simulation::here().set_timer(fd, at));
}

int close(int fd) {
  Network* const network = network_of(fd);
  return network == nullptr ? real().close(fd) : answer(network->close(fd));
}

int bind(int fd, const sockaddr* address, socklen_t /*bytes*/) noexcept {
  return answer(docket::simulation::here().bind(fd, docket::simulation::port_of(address)));
}

int listen(int fd, int /*backlog*/) noexcept {
  return answer(docket::simulation::here().listen(fd));
}

int accept(int fd, sockaddr* address, socklen_t* bytes) {
  Network& network = docket::simulation::here();
  const int accepted = answer(network.accept(fd));
  if (accepted >= 0 && address != nullptr) {
    docket::simulation::tell_address(network.remote_port(accepted), address, bytes);
  }
  return accepted;
}

int connect(int fd, const sockaddr* address, socklen_t /*bytes*/) {
  return answer(docket::simulation::here().connect(fd, docket::simulation::port_of(address)));
}

int shutdown(int fd, int how) noexcept {
  return answer(docket::simulation::here().shutdown(fd, how));
}

int getsockname(int fd, sockaddr* address, socklen_t* bytes) noexcept {
  return docket::simulation::tell_address(docket::simulation::here().local_port(fd), address,
                                          bytes);
}

int getpeername(int fd, sockaddr* address, socklen_t* bytes) noexcept {
  return docket::simulation::tell_address(docket::simulation::here().remote_port(fd), address,
                                          bytes);
}

int setsockopt(int /*fd*/, int /*level*/, int /*name*/, const void* /*value*/,
               socklen_t /*bytes*/) noexcept {
  return 0;
}

int getsockopt(int fd, int level, int name, void* value, socklen_t* bytes) noexcept {
  int number = 0;
  if (level == SOL_SOCKET && name == SO_ERROR) {
    number = docket::simulation::here().take_error(fd);
  }
  std::memcpy(value, &number, std::min<std::size_t>(*bytes, sizeof number));
  return 0;
}

int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list list;
  va_start(list, request);
  void* const argument = va_arg(list, void*);
  va_end(list);
  Network* const network = network_of(fd);
  if (network == nullptr) {
    return real().ioctl(fd, request, argument);
  }
  return request == FIONBIO
             ? answer(network->set_nonblocking(fd, *static_cast<const int*>(argument) != 0))
             : 0;
}

int fcntl(int fd, int command, ...) {
  va_list list;
  va_start(list, command);
  void* const argument = va_arg(list, void*);
  va_end(list);
  Network* const network = network_of(fd);
  if (network == nullptr) {
    return real().fcntl(fd, command, argument);
  }
  return 0;
}

ssize_t recv(int fd, void* into, size_t bytes, int flags) {
  return answer(docket::simulation::here().receive(fd, static_cast<char*>(into), bytes, flags));
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  for (std::size_t i = 0; i < message->msg_iovlen; ++i) {
    if (const iovec& part = message->msg_iov[i]; part.iov_len != 0) {
      return recv(fd, part.iov_base, part.iov_len, flags);  // less than wanted is always right
    }
  }
  return 0;
}

ssize_t read(int fd, void* into, size_t bytes) {
  Network* const network = network_of(fd);
  return network == nullptr ? real().read(fd, into, bytes)
                            : answer(network->receive(fd, static_cast<char*>(into), bytes, 0));
}

ssize_t send(int fd, const void* bytes, size_t count, int flags) {
  return answer(
      docket::simulation::here().send(fd, {static_cast<const char*>(bytes), count}, flags));
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  std::string bytes;
  for (std::size_t i = 0; i < message->msg_iovlen; ++i) {
    const iovec& part = message->msg_iov[i];
    bytes.append(static_cast<const char*>(part.iov_base), part.iov_len);
  }
  return send(fd, bytes.data(), bytes.size(), flags);
}

ssize_t write(int fd, const void* bytes, size_t count) {
  Network* const network = network_of(fd);
  if (network == nullptr) {
    return real().write(fd, bytes, count);
  }
  return answer(network->send(fd, {static_cast<const char*>(bytes), count}, 0));
}

int poll(pollfd* fds, nfds_t count, int timeout_ms) {
  Network* const network = Network::current();
  if (network == nullptr || count != 1 || fds->fd < Network::first_descriptor) {
    return real().poll(fds, count, timeout_ms);
  }
  // POLLIN and its like are the same numbers as EPOLLIN and its like.
  std::optional<Time> until;
  if (timeout_ms >= 0) {
    until = Machine::current()->now() + timeout_ms * docket::simulation::millisecond;
  }
  const std::uint32_t holds =
      network->wait_for(fds->fd, static_cast<std::uint16_t>(fds->events), until);
  fds->revents = static_cast<short>(holds);
  return holds == 0 ? 0 : 1;
}

int epoll_ctl(int fd, int operation, int of, epoll_event* event) noexcept {
  return answer(docket::simulation::here().epoll_control(fd, operation, of, event));
}

int epoll_wait(int fd, epoll_event* events, int count, int timeout_ms) {
  std::optional<Time> until;
  if (timeout_ms >= 0) {
    until = Machine::current()->now() + timeout_ms * docket::simulation::millisecond;
  }
  return answer(docket::simulation::here().epoll_wait(fd, events, count, until));
}

// Hosts are asked for by their numbers only.
int getaddrinfo(const char* /*host*/, const char* service, const addrinfo* /*hints*/,
                addrinfo** found) {
  auto* const address = static_cast<sockaddr_in*>(std::calloc(1, sizeof(sockaddr_in)));
  auto* const info = static_cast<addrinfo*>(std::calloc(1, sizeof(addrinfo)));
  address->sin_family = AF_INET;
  address->sin_port =
      htons(static_cast<std::uint16_t>(std::atoi(service == nullptr ? "0" : service)));
  address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  info->ai_family = AF_INET;
  info->ai_socktype = SOCK_STREAM;
  info->ai_protocol = IPPROTO_TCP;
  info->ai_addrlen = sizeof(sockaddr_in);
  info->ai_addr = reinterpret_cast<sockaddr*>(address);
  *found = info;
  return 0;
}

void freeaddrinfo(addrinfo* info) noexcept {
  if (info != nullptr) {
    std::free(info->ai_addr);
    std::free(info);
  }
}

}  // extern "C"
