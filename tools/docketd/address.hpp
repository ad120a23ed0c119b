// Where to listen: `127.0.0.1:7470`, `[::1]:7480`, `localhost:0`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/result.hpp"

namespace docket::server {

struct Address {
  std::string host;  // an IP address without brackets; of a destination also unix:PATH
  std::uint16_t port = 0;

  [[nodiscard]] bool is_loopback() const;
  // With brackets around an IPv6 address; parse_address reads it back.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Address&, const Address&) = default;
};

// Error: invalid_argument saying what was expected. Names other than localhost are not resolved: a
// listener should not depend on a name server.
[[nodiscard]] Result<Address> parse_address(std::string_view text);

// Where to connect to: as parse_address() takes it, or `unix:PATH`, which is then the host.
[[nodiscard]] Result<Address> parse_destination(std::string_view text);

}  // namespace docket::server
