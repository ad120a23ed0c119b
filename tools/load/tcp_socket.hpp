// A blocking connection over TCP or a Unix socket, for a sender that has a thread per direction.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/result.hpp"

namespace docket::load {

// Closes in the destructor. One thread may send while another receives.
class TcpSocket {
 public:
  // `address` is an IP address, or unix:PATH, whose port is nothing. Error: io, saying what could
  // not be reached.
  [[nodiscard]] static Result<TcpSocket> connect(const std::string& address, std::uint16_t port);
  ~TcpSocket();
  TcpSocket(TcpSocket&& other) noexcept;
  TcpSocket& operator=(TcpSocket&&) = delete;

  // All of it, however long the peer takes.
  [[nodiscard]] Result<void> send(std::string_view bytes);
  // Whether something can be received within `patience_ms`.
  [[nodiscard]] Result<bool> wait(std::uint32_t patience_ms);
  // What has come, at least one byte; 0: the peer has closed its half.
  [[nodiscard]] Result<std::size_t> receive(std::span<char> into);
  // Says that nothing more will be sent.
  [[nodiscard]] Result<void> close_sending();
  // Ends both directions, so that a thread blocked in send() or receive() returns. Thread-safe.
  void abort();
  // For who waits for many of them. Closed with this.
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  [[nodiscard]] static Result<TcpSocket> connect_local(const std::string& path);
  explicit TcpSocket(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace docket::load
