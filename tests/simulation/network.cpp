#include "tests/simulation/network.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "tests/simulation/network_parts.hpp"

namespace docket::simulation {

namespace {

Network* the_network = nullptr;

constexpr std::size_t window_bytes_max = std::size_t{128} << 10;

}  // namespace

Network::Network(Machine& machine) : machine_(machine) {
  the_network = this;
}
Network::~Network() {
  the_network = nullptr;
}

Network* Network::current() {
  return Machine::current() == nullptr ? nullptr : the_network;
}

// --- descriptors ---------------------------------------------------------------------------------

std::shared_ptr<Network::Descriptor> Network::find(int fd) const {
  const auto found = descriptors_.find(fd);
  return found == descriptors_.end() ? nullptr : found->second;
}

int Network::add(std::shared_ptr<Descriptor> descriptor) {
  descriptor->host = machine_.host();
  descriptors_.emplace(next_descriptor_, std::move(descriptor));
  return next_descriptor_++;
}

int Network::socket() {
  return add(std::make_shared<Stream>());
}
int Network::event(unsigned value) {
  auto event = std::make_shared<Event>();
  event->value = value;
  return add(std::move(event));
}
int Network::timer() {
  return add(std::make_shared<Timer>());
}
int Network::epoll() {
  return add(std::make_shared<Epoll>());
}

int Network::set_nonblocking(int fd, bool on) {
  const auto descriptor = find(fd);
  if (!descriptor) {
    return -EBADF;
  }
  descriptor->nonblocking = on;
  return 0;
}

int Network::close(int fd) {
  const auto descriptor = find(fd);
  if (!descriptor) {
    return -EBADF;
  }
  machine_.yield();
  descriptors_.erase(fd);
  for (const auto& [other, each] : descriptors_) {
    if (auto* const epoll = dynamic_cast<Epoll*>(each.get())) {
      epoll->registrations.erase(fd);
    }
  }
  if (const auto stream = std::dynamic_pointer_cast<Stream>(descriptor)) {
    stream->closed = true;
    const auto peer = stream->peer.lock();
    if (peer && !stream->was_reset && !crashed_.contains(stream->host)) {
      if (!stream->inbox.empty()) {
        reset(peer);  // as TCP does when what has come is not read
      } else if (!stream->fin_sent) {
        finish(stream);
      }
    }
  }
  const auto listener = std::dynamic_pointer_cast<Listener>(descriptor);
  if (listener && !crashed_.contains(listener->host)) {
    for (const StreamPtr& stream : listener->waiting) {
      if (const auto peer = stream->peer.lock()) {
        reset(peer);
      }
    }
  }
  return 0;
}

// --- connections ---------------------------------------------------------------------------------

int Network::bind(int fd, std::uint16_t port) {
  const auto stream = find_as<Stream>(fd);
  if (!stream) {
    return -EBADF;
  }
  const std::uint16_t wanted = port == 0 ? next_port_++ : port;
  if (listener_at(wanted)) {
    return -EADDRINUSE;
  }
  stream->local = wanted;
  return 0;
}

int Network::listen(int fd) {
  const auto stream = find_as<Stream>(fd);
  if (!stream) {
    return -EBADF;
  }
  auto listener = std::make_shared<Listener>();
  listener->port = stream->local;
  listener->host = stream->host;
  listener->nonblocking = stream->nonblocking;
  descriptors_[fd] = listener;
  for (const auto& [other, each] : descriptors_) {
    if (auto* const epoll = dynamic_cast<Epoll*>(each.get())) {
      if (const auto found = epoll->registrations.find(fd); found != epoll->registrations.end()) {
        found->second.of = listener;
      }
    }
  }
  return 0;
}

std::shared_ptr<Network::Listener> Network::listener_at(std::uint16_t port) const {
  for (const auto& [fd, each] : descriptors_) {
    auto listener = std::dynamic_pointer_cast<Listener>(each);
    if (listener && listener->port == port && !crashed_.contains(listener->host)) {
      return listener;
    }
  }
  return nullptr;
}

int Network::accept(int fd) {
  machine_.yield();
  for (;;) {
    const auto listener = find_as<Listener>(fd);
    if (!listener) {
      return -EBADF;
    }
    if (!listener->waiting.empty()) {
      const StreamPtr stream = listener->waiting.front();
      listener->waiting.pop_front();
      return add(stream);
    }
    if (listener->nonblocking) {
      return -EAGAIN;
    }
    machine_.wait(listener.get());
  }
}

void Network::make_link(const StreamPtr& a, const StreamPtr& b) {
  auto link = std::make_shared<Link>();
  link->ends[0] = a;
  link->ends[1] = b;
  link->latency_max =
      static_cast<Time>(machine_.below(static_cast<std::uint64_t>(weather_.latency_max)) + 1);
  if (machine_.below(100) < weather_.doomed_in_100) {
    // Early ends are the more instructive.
    link->bytes_left = machine_.below(machine_.below(weather_.doomed_bytes_max) + 1);
    link->ends_silently = machine_.below(3) == 0;
  }
  a->link = b->link = link;
  a->peer = b;
  b->peer = a;
  a->inbox_max = 1 + machine_.below(window_bytes_max);
  b->inbox_max = 1 + machine_.below(window_bytes_max);
  std::erase_if(links_, [](const auto& old) { return old.expired(); });
  links_.push_back(link);
}

int Network::connect(int fd, std::uint16_t port) {
  const auto stream = find_as<Stream>(fd);
  if (!stream) {
    return -EBADF;
  }
  machine_.yield();
  if (stream->connected) {
    return -EISCONN;
  }
  stream->local = next_port_++;
  stream->remote = port;
  const bool lost = machine_.below(100) < weather_.refused_in_100;
  const Time arrival =
      machine_.now() +
      static_cast<Time>(machine_.below(static_cast<std::uint64_t>(weather_.latency_max) + 1));
  machine_.at(arrival, [this, stream, port, lost] {
    if (stream->closed) {
      return;
    }
    const auto listener = lost ? nullptr : listener_at(port);
    if (!listener || crashed_.contains(stream->host)) {
      stream->error = ECONNREFUSED;
      notify(*stream, EPOLLOUT | EPOLLERR | EPOLLHUP);
      return;
    }
    auto accepted = std::make_shared<Stream>();
    accepted->host = listener->host;
    accepted->local = port;
    accepted->remote = stream->local;
    accepted->connected = stream->connected = true;
    make_link(stream, accepted);
    listener->waiting.push_back(accepted);
    notify(*stream, EPOLLOUT);
    notify(*listener, EPOLLIN);
  });
  if (stream->nonblocking) {
    return -EINPROGRESS;
  }
  while (!stream->connected && stream->error == 0) {
    machine_.wait(stream.get());
  }
  return -std::exchange(stream->error, 0);
}

int Network::take_error(int fd) {
  const auto stream = find_as<Stream>(fd);
  return stream ? std::exchange(stream->error, 0) : 0;
}

std::optional<std::uint16_t> Network::local_port(int fd) const {
  if (const auto listener = find_as<Listener>(fd)) {
    return listener->port;
  }
  const auto stream = find_as<Stream>(fd);
  return stream ? std::optional(stream->local) : std::nullopt;
}

std::optional<std::uint16_t> Network::remote_port(int fd) const {
  const auto stream = find_as<Stream>(fd);
  return stream && stream->connected ? std::optional(stream->remote) : std::nullopt;
}

int Network::shutdown(int fd, int how) {
  const auto stream = find_as<Stream>(fd);
  if (!stream) {
    return -EBADF;
  }
  if (!stream->connected || stream->was_reset) {
    return -ENOTCONN;
  }
  if (how != SHUT_RD && !stream->fin_sent) {
    finish(stream);
  }
  return 0;
}

ssize_t Network::send(int fd, std::string_view bytes, int flags) {
  machine_.yield();
  if (const auto event = find_as<Event>(fd)) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
    event->value += value;
    notify(*event, EPOLLIN);
    return static_cast<ssize_t>(bytes.size());
  }
  for (;;) {
    const auto stream = find_as<Stream>(fd);
    if (!stream) {
      return -EBADF;
    }
    if (stream->was_reset) {
      return -(stream->error != 0 ? std::exchange(stream->error, 0) : EPIPE);
    }
    if (stream->fin_sent || !stream->connected) {
      return stream->connected ? -EPIPE : -ENOTCONN;
    }
    if (const std::size_t room = std::min(stream->room(), bytes.size()); room != 0) {
      const std::size_t taken = machine_.below(4) == 0 ? 1 + machine_.below(room) : room;
      transmit(stream, bytes.substr(0, taken));
      return static_cast<ssize_t>(taken);
    }
    if (stream->nonblocking || (flags & MSG_DONTWAIT) != 0) {
      return -EAGAIN;
    }
    machine_.wait(stream.get());
  }
}

ssize_t Network::receive(int fd, char* into, std::size_t bytes, int flags) {
  machine_.yield();
  for (;;) {
    const auto descriptor = find(fd);
    if (!descriptor) {
      return -EBADF;
    }
    if (auto* const event = dynamic_cast<Event*>(descriptor.get())) {
      if (event->value == 0) {
        return -EAGAIN;
      }
      const std::uint64_t value = std::exchange(event->value, 0);
      std::memcpy(into, &value, sizeof value);
      return sizeof value;
    }
    if (const auto timer = std::dynamic_pointer_cast<Timer>(descriptor)) {
      if (std::exchange(timer->expired, false)) {
        constexpr std::uint64_t times = 1;
        std::memcpy(into, &times, sizeof times);
        return sizeof times;
      }
      machine_.wait(timer.get());
      continue;
    }
    const auto stream = std::dynamic_pointer_cast<Stream>(descriptor);
    if (!stream) {
      return -EINVAL;
    }
    if (!stream->inbox.empty()) {
      const std::size_t count = std::min(bytes, stream->inbox.size());
      std::memcpy(into, stream->inbox.data(), count);
      if ((flags & MSG_PEEK) == 0) {
        stream->inbox.erase(0, count);
        if (const auto peer = stream->peer.lock(); peer && peer->room() != 0) {
          notify(*peer, EPOLLOUT);
        }
      }
      return static_cast<ssize_t>(count);
    }
    if (stream->was_reset) {
      const int error = std::exchange(stream->error, 0);
      return error != 0 ? -error : 0;
    }
    if (stream->fin_arrived) {
      return 0;
    }
    if (!stream->connected) {
      return -ENOTCONN;
    }
    if (stream->nonblocking || (flags & MSG_DONTWAIT) != 0) {
      return -EAGAIN;
    }
    machine_.wait(stream.get());
  }
}

Time Network::arrival_at(Stream& to) {
  const auto delay =
      static_cast<Time>(machine_.below(static_cast<std::uint64_t>(to.link->latency_max) + 1));
  to.last_arrival = std::max(to.last_arrival, machine_.now() + delay);
  return to.last_arrival;
}

void Network::transmit(const StreamPtr& from, std::string_view bytes) {
  const StreamPtr to = from->peer.lock();
  if (!to) {
    return;
  }
  Link& link = *from->link;
  bool ends = false;
  if (link.bytes_left) {
    ends = bytes.size() >= *link.bytes_left;
    bytes = bytes.substr(0, *link.bytes_left);
    *link.bytes_left -= bytes.size();
  }
  to->on_the_way += bytes.size();
  if (link.silent || crashed_.contains(from->host) || crashed_.contains(to->host)) {
    return;  // on its way for ever
  }
  while (!bytes.empty()) {
    const std::size_t piece =
        machine_.below(3) == 0 ? 1 + machine_.below(bytes.size()) : bytes.size();
    machine_.at(arrival_at(*to),
                [this, to, part = std::string(bytes.substr(0, piece))] { arrive(to, part); });
    bytes = bytes.substr(piece);
  }
  if (ends) {
    link.bytes_left.reset();
    machine_.at(arrival_at(*to), [this, shared = from->link] { end(*shared); });
  }
}

void Network::arrive(const StreamPtr& at, const std::string& bytes) {
  if (at->link->silent || crashed_.contains(at->host)) {
    return;
  }
  at->on_the_way -= bytes.size();
  if (at->closed) {
    if (const auto peer = at->peer.lock()) {
      reset(peer);
    }
    return;
  }
  if (!at->was_reset) {
    at->inbox += bytes;
    notify(*at, EPOLLIN);
  }
}

void Network::finish(const StreamPtr& from) {
  from->fin_sent = true;
  const StreamPtr to = from->peer.lock();
  if (!to || crashed_.contains(from->host) || from->link->silent) {
    return;
  }
  machine_.at(arrival_at(*to), [this, to] {
    if (!to->link->silent && !crashed_.contains(to->host)) {
      to->fin_arrived = true;
      notify(*to, EPOLLIN | EPOLLHUP);
    }
  });
}

void Network::reset(const StreamPtr& stream) {
  if (stream->was_reset || stream->closed) {
    return;
  }
  stream->was_reset = true;
  stream->error = ECONNRESET;
  if (machine_.below(2) == 0) {
    stream->inbox.clear();  // what had not been read when the reset came
  }
  notify(*stream, EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP);
}

void Network::end(Link& link) {
  if (link.ends_silently && !link.silent) {
    link.silent = true;
    // At last both systems give up what they have sent again and again.
    for (const auto& weak : link.ends) {
      machine_.at(machine_.now() + static_cast<Time>(machine_.below(1000 * second)), [this, weak] {
        if (const auto stream = weak.lock()) {
          reset(stream);
        }
      });
    }
    return;
  }
  for (const auto& weak : link.ends) {
    if (const auto stream = weak.lock()) {
      reset(stream);
    }
  }
}

bool Network::cut_one() {
  std::erase_if(links_, [](const auto& old) { return old.expired(); });
  if (links_.empty()) {
    return false;
  }
  const auto link = links_[machine_.below(links_.size())].lock();
  link->ends_silently = machine_.below(4) == 0;
  end(*link);
  return true;
}

void Network::crash(std::uint32_t host) {
  crashed_.insert(host);
  for (const auto& weak : links_) {
    const auto link = weak.lock();
    if (!link) {
      continue;
    }
    for (int i = 0; i < 2; ++i) {
      const auto here = link->ends[i].lock();
      const auto there = link->ends[1 - i];
      if (!here || here->host != host || there.expired()) {
        continue;
      }
      reset(here);  // whoever is still at work there is to come to an end
      machine_.at(machine_.now() + static_cast<Time>(machine_.below(3 * second)), [this, there] {
        if (const auto stream = there.lock()) {
          reset(stream);
        }
      });
    }
  }
}

}  // namespace docket::simulation
