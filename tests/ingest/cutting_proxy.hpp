// A proxy between a client and a server that cuts connections at a chosen byte.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace docket::testing {

enum class Direction : std::uint8_t { to_server, to_client };

// Forwards bytes on loopback. Thread-safe.
class CuttingProxy {
 public:
  explicit CuttingProxy(std::uint16_t server_port);
  ~CuttingProxy();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  // The next connection is reset once `bytes` have passed in that direction; later ones are not,
  // until this is called again.
  void cut_next_after(Direction direction, std::size_t bytes);
  // Where connections go from now on.
  void set_server(std::uint16_t server_port) { server_port_ = server_port; }
  // Resets the connections there are.
  void cut_all();
  [[nodiscard]] std::size_t connections() const { return connections_; }
  // Whether the cut that was asked for has been made.
  [[nodiscard]] bool has_cut() const { return has_cut_; }

 private:
  struct Cut {
    Direction direction = Direction::to_server;
    std::size_t bytes = 0;
  };

  void accept_loop();
  void forward(int client, std::optional<Cut> cut);

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<std::uint16_t> server_port_;
  std::mutex mutex_;
  std::optional<Cut> next_cut_;
  std::atomic<bool> has_cut_{false};
  std::atomic<std::uint64_t> cut_generation_{0};
  std::atomic<std::size_t> connections_{0};
  std::atomic<bool> ending_{false};
  std::vector<std::thread> forwarders_;
  std::thread acceptor_;
};

}  // namespace docket::testing
