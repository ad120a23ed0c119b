// One connection of a client, from connecting to its end: frames in, frames out, signs of life.
// Internal to the client.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/result.hpp"
#include "ingest/client_stream.hpp"
#include "ingest/protocol.hpp"
#include "ingest/wire_socket.hpp"

namespace docket::client {

namespace asio = boost::asio;
using tcp = boost::asio::ip::tcp;

// What a connection tells its client. Error results end the connection.
class LinkEvents {
 public:
  virtual ~LinkEvents() = default;
  virtual void on_welcome(const ingest::Welcome& welcome) = 0;
  [[nodiscard]] virtual Result<void> on_ack(const ingest::Ack& ack) = 0;
  [[nodiscard]] virtual Result<void> on_error(const ingest::ErrorFrame& error) = 0;
  // The server takes no more batches on this connection.
  virtual void on_goodbye() = 0;
};

// Where the server is, and how it is spoken to.
struct ServerPlace {
  std::string address;
  std::uint16_t port = 0;
  std::optional<ingest::TlsFiles> tls;  // read for each connection
  std::string host;                     // that the server's certificate must be valid for
};

// Everything runs on the client's one thread.
class ClientLink : public std::enable_shared_from_this<ClientLink> {
 public:
  // `events` must outlive run().
  ClientLink(asio::io_context& io, LinkEvents& events);

  // Connects, shakes hands and reads to the end. Returns why it ended.
  [[nodiscard]] asio::awaitable<std::string> run(ServerPlace place, ingest::Hello hello);
  // Queues a frame. It must stay unchanged until it is written, which sharing it makes sure of.
  void send(OutBatchPtr batch);
  void close(const std::string& why);

 private:
  [[nodiscard]] asio::awaitable<void> write_loop();
  [[nodiscard]] asio::awaitable<void> watch_loop();
  [[nodiscard]] asio::awaitable<bool> connect(const ServerPlace& place);
  [[nodiscard]] asio::awaitable<bool> begin_tls(const ServerPlace& place);
  [[nodiscard]] asio::awaitable<boost::system::error_code> connect_local(std::string path);
  [[nodiscard]] asio::awaitable<boost::system::error_code> connect_tcp(std::string address,
                                                                       std::string service);
  // Closes it, saying why.
  void lost(const boost::system::error_code& error);
  [[nodiscard]] asio::awaitable<bool> read_exactly(std::span<std::byte> into);
  [[nodiscard]] asio::awaitable<bool> read_frame();
  [[nodiscard]] Result<void> take_frame();
  void wake_writer() { writer_signal_.cancel(); }

  LinkEvents& events_;
  tcp::resolver resolver_;
  ingest::WireSocket socket_;
  asio::steady_timer writer_signal_;
  asio::steady_timer watch_timer_;
  std::string why_;
  std::string why_not_safe_;
  bool closed_ = false;
  bool is_safe_ = false;  // bytes can go both ways, under TLS where that is wanted
  bool welcome_ = false;

  std::vector<std::byte> control_;  // small frames to be sent, before the batches
  std::deque<OutBatchPtr> batches_;

  std::vector<std::byte> input_;
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  ingest::FrameHeader header_;
  std::vector<std::byte> body_;

  std::int64_t last_received_ms_ = 0;
  std::int64_t last_pinged_ms_ = 0;
  std::int64_t ping_after_ms_ = 0;
};

}  // namespace docket::client
