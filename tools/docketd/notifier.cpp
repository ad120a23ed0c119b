#include "tools/docketd/notifier.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>

#include "tools/api/units.hpp"

namespace docket::server {

namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): see the header
  return value == nullptr ? "" : value;
}

}  // namespace

Notifier Notifier::from_environment() {
  Notifier made;
  const std::string path = variable("NOTIFY_SOCKET");
  if (path.size() > 1 && path.size() < sizeof(sockaddr_un::sun_path) &&
      (path.front() == '/' || path.front() == '@')) {
    made.path_ = path;
  }
  const auto period = api::parse_number<std::uint64_t>(variable("WATCHDOG_USEC"));
  const std::string pid = variable("WATCHDOG_PID");
  if (period && *period > 1 && (pid.empty() || pid == std::to_string(::getpid()))) {
    made.interval_ = std::chrono::microseconds(*period / 2);
  }
  return made;
}

void Notifier::send(std::string_view state) const {
  if (path_.empty()) {
    return;
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  if (path_.front() == '@') {
    address.sun_path[0] = '\0';
  }
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) {
    return;
  }
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
  static_cast<void>(::sendto(socket, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                             reinterpret_cast<const sockaddr*>(&address), size));
  ::close(socket);
}

}  // namespace docket::server
