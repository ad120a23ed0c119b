#include "tools/docketd/address.hpp"

#include <fmt/format.h>

#include "engine/event.hpp"
#include "tools/api/units.hpp"

namespace docket::server {

namespace {

constexpr std::string_view local_prefix = "unix:";

}  // namespace

bool Address::is_loopback() const {
  const auto ip = parse_ip(host);
  if (!ip) {
    return false;
  }
  return ip->is_v4() ? ip->bytes[12] == 127 : format_ip(*ip) == "::1";
}

std::string Address::text() const {
  if (host.starts_with(local_prefix)) {
    return host;
  }
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

Result<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos) {
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) {
      host = host.substr(1, host.size() - 2);
    }
    if (host == "localhost") {
      host = "127.0.0.1";
    }
    const auto ip = parse_ip(host);
    const auto port = api::parse_number<std::uint16_t>(text.substr(colon + 1));
    const bool is_v6 = host.find(':') != std::string_view::npos;
    if (ip && is_v6 == bracketed && port) {
      return Address{std::string(host), *port};
    }
  }
  return fail(
      ErrorCode::invalid_argument,
      fmt::format("must be ADDRESS:PORT, such as 127.0.0.1:7480 or [::1]:7480, and is '{}'", text));
}

Result<Address> parse_destination(std::string_view text) {
  if (text.starts_with(local_prefix) && text.size() > local_prefix.size()) {
    return Address{std::string(text), 0};
  }
  auto address = parse_address(text);
  if (!address) {
    return fail(ErrorCode::invalid_argument, address.error().message + "; or unix:PATH");
  }
  return address;
}

}  // namespace docket::server
