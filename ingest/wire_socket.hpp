// A stream socket in the clear or under TLS: which of the two makes no difference to what is read
// from it and written to it. Internal to the server's and the client's sources.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ingest/local_socket.hpp"
#include "ingest/tls_session.hpp"

namespace docket::ingest {

// Everything runs on the socket's one thread; one coroutine may read while another writes. An
// operation that cancel() ends has the error operation_aborted and has lost nothing.
class WireSocket {
 public:
  explicit WireSocket(StreamSocket socket) : socket_(std::move(socket)) {}

  [[nodiscard]] boost::asio::any_io_executor executor() { return socket_.get_executor(); }
  // Below TLS.
  [[nodiscard]] StreamSocket& socket() { return socket_; }

  // From now on under TLS; as TlsSession's constructors. fault() says what an error was, but for
  // operation_aborted, which ends the attempt.
  [[nodiscard]] boost::asio::awaitable<void> accept_tls(TlsContext context,
                                                        std::span<const std::byte> opening,
                                                        boost::system::error_code& error);
  [[nodiscard]] boost::asio::awaitable<void> connect_tls(TlsContext context, std::string host,
                                                         boost::system::error_code& error);
  [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }
  // What the other side has shown; nullopt: none, or it is in the clear.
  [[nodiscard]] std::optional<PeerCertificate> certificate() const {
    return tls_ ? tls_->certificate() : std::nullopt;
  }
  // What has gone wrong with TLS; empty: nothing has.
  [[nodiscard]] std::string fault() const { return tls_ ? tls_->fault() : std::string(); }

  // At least a byte, or an error; eof: the other side has said that nothing more comes. Under TLS
  // an end that was not announced is another error: it may be somebody else's doing.
  [[nodiscard]] boost::asio::awaitable<std::size_t> read_some(std::span<std::byte> into,
                                                              boost::system::error_code& error);
  // What is written after operation_aborted must begin with the same bytes, and be as long.
  [[nodiscard]] boost::asio::awaitable<std::size_t> write_some(std::span<const std::byte> from,
                                                               boost::system::error_code& error);
  // What can be written without waiting; 0 where nothing can, for whatever reason, which the next
  // write will see. Not while another write is under way. Under TLS nothing.
  [[nodiscard]] std::size_t write_at_once(std::span<const std::byte> from);
  // All of them.
  [[nodiscard]] boost::asio::awaitable<void> write(
      const std::vector<boost::asio::const_buffer>& buffers, boost::system::error_code& error);
  // Until read_some() will not have to wait.
  [[nodiscard]] boost::asio::awaitable<void> wait_readable(boost::system::error_code& error);
  // Whether read_some() has bytes already.
  [[nodiscard]] bool is_ready();
  // Says that nothing more will be sent.
  [[nodiscard]] boost::asio::awaitable<void> end_sending();
  // The same as far as it goes without waiting, then close().
  void leave();

  void cancel();
  void close();

 private:
  [[nodiscard]] boost::asio::awaitable<void> shake_hands(boost::system::error_code& error);
  [[nodiscard]] boost::asio::awaitable<void> write_record(std::span<const std::byte> record,
                                                          boost::system::error_code& error);
  // Waits for what the step wants; no error: the step is to be tried again.
  [[nodiscard]] boost::asio::awaitable<void> wait_for(TlsSession::Step step,
                                                      boost::system::error_code& error);

  StreamSocket socket_;
  std::unique_ptr<TlsSession> tls_;
};

}  // namespace docket::ingest
