// What a service manager is told (sd_notify(3)), without its library: a datagram to the socket
// that the environment names.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace docket::server {

class Notifier {
 public:
  // Of NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. Call it before there are threads.
  [[nodiscard]] static Notifier from_environment();

  // `READY=1` and the like. Nothing where no manager listens, and nobody waits for it.
  void send(std::string_view state) const;
  // How often a sign of life is due: twice in the time after which the manager takes the process
  // for dead. nullopt: it does not watch.
  [[nodiscard]] std::optional<std::chrono::microseconds> watchdog_interval() const {
    return interval_;
  }

 private:
  std::string path_;  // begins with @ for an abstract socket; empty: no manager
  std::optional<std::chrono::microseconds> interval_;
};

}  // namespace docket::server
