// The network of a machine's hosts: TCP as its users see it, with everything that goes wrong there.
//
//   - bytes arrive late and in other pieces than they were sent in, but in order and once, as TCP
//     has it;
//   - a connection may end at any byte: by a reset, or by silence in which both sides believe in
//   it;
//   - a host may crash: what it had sent may still arrive, nothing else does.
//
// socket_calls.cpp stands in for the C library's sockets and leads here.
#pragma once

#include <sys/epoll.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/machine.hpp"

namespace docket::simulation {

// How bad it is. Of connections made from now on.
struct Weather {
  Time latency_max = millisecond;
  std::uint32_t doomed_in_100 = 0;  // connections that end at a byte of the dice's choice
  std::size_t doomed_bytes_max = std::size_t{256} << 10;
  std::uint32_t refused_in_100 = 0;  // attempts to connect
};

// All calls return what the system call of that name returns, errors as negative numbers; those
// that wait do so in Machine::wait(). Not thread-safe, as the machine runs one thread at a time.
class Network {
 public:
  explicit Network(Machine& machine);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // That of the calling thread's machine; nullptr where there is none.
  [[nodiscard]] static Network* current();
  // Descriptors from here on are the network's.
  static constexpr int first_descriptor = 1 << 20;

  void set_weather(const Weather& weather) { weather_ = weather; }
  // Another machine on the network: what a thread's Machine::set_host() can name.
  [[nodiscard]] std::uint32_t add_host() { return next_host_++; }
  // Nothing leaves the host any more, nothing reaches it; its peers find out, now or later.
  void crash(std::uint32_t host);
  // Ends some one connection now; false when there is none.
  bool cut_one();

  int socket();
  int event(unsigned value);
  int timer();
  int epoll();
  int close(int fd);
  int set_nonblocking(int fd, bool on);
  int bind(int fd, std::uint16_t port);
  int listen(int fd);
  int accept(int fd);
  int connect(int fd, std::uint16_t port);
  int shutdown(int fd, int how);
  ssize_t send(int fd, std::string_view bytes, int flags);
  ssize_t receive(int fd, char* into, std::size_t bytes, int flags);
  int take_error(int fd);  // SO_ERROR
  [[nodiscard]] std::optional<std::uint16_t> local_port(int fd) const;
  [[nodiscard]] std::optional<std::uint16_t> remote_port(int fd) const;
  int set_timer(int fd, std::optional<Time> at);
  int epoll_control(int fd, int operation, int of, const epoll_event* event);
  int epoll_wait(int fd, epoll_event* events, int count, std::optional<Time> until);
  // Events as epoll names them; 0 when the time has come first.
  std::uint32_t wait_for(int fd, std::uint32_t events, std::optional<Time> until);

 private:
  struct Descriptor;
  struct Stream;
  struct Listener;
  struct Event;
  struct Timer;
  struct Epoll;
  struct Link;
  using StreamPtr = std::shared_ptr<Stream>;

  [[nodiscard]] std::shared_ptr<Descriptor> find(int fd) const;
  template <typename Kind>
  [[nodiscard]] std::shared_ptr<Kind> find_as(int fd) const;
  int add(std::shared_ptr<Descriptor> descriptor);
  void notify(Descriptor& descriptor, std::uint32_t events);
  [[nodiscard]] std::shared_ptr<Listener> listener_at(std::uint16_t port) const;
  void transmit(const StreamPtr& from, std::string_view bytes);
  void arrive(const StreamPtr& at, const std::string& bytes);
  void finish(const StreamPtr& from);
  void reset(const StreamPtr& stream);
  void end(Link& link);
  [[nodiscard]] Time arrival_at(Stream& to);
  void make_link(const StreamPtr& a, const StreamPtr& b);

  Machine& machine_;
  Weather weather_;
  std::map<int, std::shared_ptr<Descriptor>> descriptors_;
  std::vector<std::weak_ptr<Link>> links_;
  std::set<std::uint32_t> crashed_;
  int next_descriptor_ = first_descriptor;
  std::uint16_t next_port_ = 40000;
  std::uint32_t next_host_ = 1;
};

}  // namespace docket::simulation
