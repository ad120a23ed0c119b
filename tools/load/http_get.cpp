#include "tools/load/http_get.hpp"

#include <fmt/format.h>

#include <array>

#include "tools/load/tcp_socket.hpp"

namespace docket::load {
namespace {

constexpr std::uint32_t patience_ms = 120'000;

}  // namespace

// The answer ends where the server closes.
Result<std::string> http_get(const std::string& address, std::uint16_t port,
                             const std::string& target, const Access& access) {
  DOCKET_ASSIGN(TcpSocket socket, TcpSocket::connect(address, port, access.tls));
  const std::string shown =
      access.token.empty() ? "" : fmt::format("Authorization: Bearer {}\r\n", access.token);
  DOCKET_TRY(socket.send(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n{}Connection: close\r\n\r\n",
                                     target, address, shown)));
  std::string answer;
  std::array<char, 65536> bytes{};
  while (true) {
    DOCKET_ASSIGN(const bool ready, socket.wait(patience_ms));
    if (!ready) {
      return fail(ErrorCode::io, fmt::format("no answer for {} ms", patience_ms));
    }
    DOCKET_ASSIGN(const std::size_t size, socket.receive(bytes));
    if (size == 0) {
      break;
    }
    answer.append(bytes.data(), size);
  }
  const std::size_t body = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.1 ") || body == std::string::npos) {
    return fail(ErrorCode::io, "the answer is not HTTP");
  }
  return answer.substr(9, 3) == "200"
             ? Result<std::string>(answer.substr(body + 4))
             : fail(ErrorCode::invalid_argument, "answered " + answer.substr(9));
}

}  // namespace docket::load
