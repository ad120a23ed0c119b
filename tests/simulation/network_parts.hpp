// What a network is made of. Internal to its sources.
#pragma once

#include <sys/epoll.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tests/simulation/network.hpp"

namespace docket::simulation {

struct Network::Descriptor {
  virtual ~Descriptor() = default;
  [[nodiscard]] virtual std::uint32_t level() const = 0;  // the events that hold now
  std::uint32_t host = 0;
  bool nonblocking = false;
};

// Two streams and what they share.
struct Network::Link {
  std::weak_ptr<Stream> ends[2];
  Time latency_max = 0;
  std::optional<std::uint64_t> bytes_left;  // then it ends,
  bool ends_silently = false;               // so
  bool silent = false;                      // nothing passes any more
};

struct Network::Stream : Descriptor {
  std::weak_ptr<Stream> peer;
  std::shared_ptr<Link> link;
  std::uint16_t local = 0, remote = 0;
  bool connected = false;
  bool closed = false;  // by its owner
  int error = 0;
  std::string inbox;
  std::size_t inbox_max = 0;
  std::size_t on_the_way = 0;  // bytes, to here
  Time last_arrival = 0;
  bool fin_sent = false;
  bool fin_arrived = false;
  bool was_reset = false;

  [[nodiscard]] std::size_t room() const {  // of the peer
    const auto to = peer.lock();
    return !to ? 0 : to->inbox_max - std::min(to->inbox_max, to->inbox.size() + to->on_the_way);
  }
  [[nodiscard]] std::uint32_t level() const override {
    std::uint32_t events = 0;
    if (!inbox.empty() || fin_arrived || was_reset || error != 0) {
      events |= EPOLLIN;
    }
    if (was_reset || error != 0 || (connected && !fin_sent && room() != 0)) {
      events |= EPOLLOUT;
    }
    if (error != 0) {
      events |= EPOLLERR;
    }
    if (was_reset || (fin_arrived && fin_sent)) {
      events |= EPOLLHUP;
    }
    return events;
  }
};

struct Network::Listener : Descriptor {
  std::uint16_t port = 0;
  std::deque<StreamPtr> waiting;
  [[nodiscard]] std::uint32_t level() const override {
    return waiting.empty() ? std::uint32_t{0} : static_cast<std::uint32_t>(EPOLLIN);
  }
};

struct Network::Event : Descriptor {
  std::uint64_t value = 0;
  [[nodiscard]] std::uint32_t level() const override {
    return (value != 0 ? EPOLLIN : 0U) | EPOLLOUT;
  }
};

struct Network::Timer : Descriptor {
  std::uint64_t setting = 0;  // how often it has been set
  bool expired = false;
  [[nodiscard]] std::uint32_t level() const override {
    return expired ? static_cast<std::uint32_t>(EPOLLIN) : std::uint32_t{0};
  }
};

struct Network::Epoll : Descriptor {
  struct Registration {
    std::weak_ptr<Descriptor> of;
    epoll_event event{};
    std::uint32_t edges = 0;  // that have not been told
  };
  std::map<int, Registration> registrations;
  [[nodiscard]] std::uint32_t level() const override { return 0; }
};

template <typename Kind>
std::shared_ptr<Kind> Network::find_as(int fd) const {
  return std::dynamic_pointer_cast<Kind>(find(fd));
}

}  // namespace docket::simulation
