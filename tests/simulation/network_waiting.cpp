// Network: timers, epoll, and whoever waits.
#include <algorithm>
#include <cerrno>

#include "tests/simulation/network.hpp"
#include "tests/simulation/network_parts.hpp"

namespace docket::simulation {

// Something has happened that its users may wait for.
void Network::notify(Descriptor& descriptor, std::uint32_t events) {
  machine_.wake_all(&descriptor);
  for (const auto& [fd, each] : descriptors_) {
    auto* const epoll = dynamic_cast<Epoll*>(each.get());
    if (epoll == nullptr) {
      continue;
    }
    for (auto& [of, registration] : epoll->registrations) {
      if (registration.of.lock().get() == &descriptor) {
        registration.edges |= events;
        machine_.wake_all(epoll);
      }
    }
  }
}

int Network::set_timer(int fd, std::optional<Time> at) {
  const auto timer = find_as<Timer>(fd);
  if (!timer) {
    return -EBADF;
  }
  timer->expired = false;
  ++timer->setting;
  if (at) {
    machine_.at(*at, [this, weak = std::weak_ptr(timer), setting = timer->setting] {
      const auto still = weak.lock();
      if (still && still->setting == setting) {
        still->expired = true;
        notify(*still, EPOLLIN);
      }
    });
  }
  return 0;
}

int Network::epoll_control(int fd, int operation, int of, const epoll_event* event) {
  const auto epoll = find_as<Epoll>(fd);
  const auto descriptor = find(of);
  if (!epoll || !descriptor) {
    return -EBADF;
  }
  if (operation == EPOLL_CTL_DEL) {
    epoll->registrations.erase(of);
    return 0;
  }
  epoll->registrations[of] = {descriptor, *event, descriptor->level()};
  machine_.wake_all(epoll.get());
  return 0;
}

int Network::epoll_wait(int fd, epoll_event* events, int count, std::optional<Time> until) {
  machine_.yield();
  for (;;) {
    const auto epoll = find_as<Epoll>(fd);
    if (!epoll) {
      return -EBADF;
    }
    int found = 0;
    for (auto& [of, registration] : epoll->registrations) {
      const auto descriptor = registration.of.lock();
      if (!descriptor || found == count) {
        continue;
      }
      const std::uint32_t wanted = registration.event.events | EPOLLERR | EPOLLHUP;
      const bool by_edge = (registration.event.events & EPOLLET) != 0;
      std::uint32_t holds = descriptor->level() & wanted;
      if (by_edge && (registration.edges & wanted) == 0) {
        holds = 0;
      }
      if (holds != 0) {
        registration.edges = 0;
        events[found] = registration.event;
        events[found].events = holds;
        ++found;
      }
    }
    if (found != 0 || (until && *until <= machine_.now())) {
      return found;
    }
    machine_.wait(epoll.get(), until);
  }
}

std::uint32_t Network::wait_for(int fd, std::uint32_t events, std::optional<Time> until) {
  machine_.yield();
  for (;;) {
    const auto descriptor = find(fd);
    if (!descriptor) {
      return EPOLLERR;
    }
    const std::uint32_t holds = descriptor->level() & (events | EPOLLERR | EPOLLHUP);
    if (holds != 0 || (until && *until <= machine_.now())) {
      return holds;
    }
    machine_.wait(descriptor.get(), until);
  }
}

}  // namespace docket::simulation
