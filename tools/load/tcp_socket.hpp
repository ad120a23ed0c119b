// A blocking connection over TCP, also under TLS, or a Unix socket, for a sender that has a thread
// per direction.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/result.hpp"
#include "ingest/tls_session.hpp"

namespace docket::load {

// Closes in the destructor. One thread may send while another receives.
class TcpSocket {
 public:
  // `address` is an IP address, or unix:PATH, whose port is nothing. Error: io, saying what could
  // not be reached. With `tls`: the server's certificate must be valid for the address.
  [[nodiscard]] static Result<TcpSocket> connect(const std::string& address, std::uint16_t port,
                                                 const std::optional<ingest::TlsFiles>& tls = {});
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
  // What two threads share under TLS.
  struct Tls {
    Tls(const ingest::TlsContext& context, int descriptor, const std::string& host)
        : session(context, descriptor, host) {}
    std::mutex mutex;  // of the session; not held while the socket is waited for
    ingest::TlsSession session;
  };

  explicit TcpSocket(int descriptor) : descriptor_(descriptor) {}
  [[nodiscard]] static Result<TcpSocket> connect_tcp(const std::string& address,
                                                     std::uint16_t port);
  [[nodiscard]] Result<void> begin_tls(const ingest::TlsFiles& files, const std::string& host);
  // Takes one step of the session after the other until it is done or has ended. True: done.
  template <typename Step>
  [[nodiscard]] Result<bool> go(const Step& step);
  // Whether the socket is ready for `events` of poll() within so long; negative: however long.
  [[nodiscard]] Result<bool> ready(short events, int patience_ms) const;

  int descriptor_;
  std::unique_ptr<Tls> tls_;  // null: in the clear
};

}  // namespace docket::load
