// A blocking test client for sockets: sends bytes as they are, reads lines and frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/protocol.hpp"
#include "ingest/tls_session.hpp"

namespace docket::testing {

struct Frame {
  ingest::FrameType type = ingest::FrameType::hello;
  std::vector<std::byte> body;
};

// Every wait ends after ten seconds with what there is, so that a fault fails and does not hang.
class Peer {
 public:
  explicit Peer(std::uint16_t port);
  // The other end of a connection that came in; see Listener.
  struct Accepted {
    int fd;
  };
  explicit Peer(Accepted accepted);
  // Under TLS, once shake_hands_of_tls() is through; sends and reads nothing before.
  Peer(std::uint16_t port, const ingest::TlsContext& tls, const std::string& host = "localhost");
  // Empty, or why there is no TLS.
  std::string shake_hands_of_tls();
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // False when the other side has closed.
  bool send(std::string_view bytes);
  bool send(std::span<const std::byte> bytes);
  // As much as goes without waiting for the other side; returns how much.
  std::size_t send_without_waiting(std::string_view bytes);
  // Under TLS by its own farewell.
  void close_sending();
  // Below TLS, which is not told.
  void close_sending_unannounced();
  // Resets the connection.
  void abort();

  // The next line without its end; nullopt at the end of the connection.
  std::optional<std::string> line();
  // Everything up to the end of the connection.
  std::string rest();
  // The next intact frame; nullopt at the end of the connection.
  std::optional<Frame> frame();
  // Whether the other side has closed, waiting for it.
  bool closed();

  // Preface and hello; returns the welcome.
  std::optional<ingest::Welcome> shake_hands(const std::string& node, std::uint64_t epoch = 1,
                                             const std::string& token = "");
  void send_batch(std::string_view log, std::uint64_t number, std::span<const std::byte> body);
  // The next frame, which must be of that kind.
  std::optional<ingest::Ack> ack();
  std::optional<ingest::ErrorFrame> error();

  // As a server: preface and hello of a client, which is welcomed with a window of 64 batches.
  std::optional<ingest::Hello> welcome_client();
  // The next frame, which must be a batch.
  std::optional<std::uint64_t> batch_number();
  void send_ack(std::string_view log, std::uint64_t number, std::uint32_t rows);
  void send_error(const ingest::ErrorFrame& error);

 private:
  bool read_more();

  bool send_under_tls(std::string_view bytes);
  bool read_more_under_tls();

  int fd_ = -1;
  std::unique_ptr<ingest::TlsSession> tls_;
  std::string input_;
};

// A server's side for tests of clients that say step by step what it answers.
class Listener {
 public:
  Listener();
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  // The next connection; nullptr when none comes.
  [[nodiscard]] std::unique_ptr<Peer> accept();

 private:
  int fd_ = -1;
  std::uint16_t port_ = 0;
};

// Waits until the condition holds; false after ten seconds.
[[nodiscard]] bool eventually(const std::function<bool()>& condition);

// Bytes of a frame, for tests that take them apart.
[[nodiscard]] std::vector<std::byte> hello_bytes(const std::string& node, std::uint64_t epoch,
                                                 const std::string& token = "");
[[nodiscard]] std::vector<std::byte> batch_bytes(std::string_view log, std::uint64_t number,
                                                 std::span<const std::byte> body);
// An encoded batch of `rows` events; the actors' ids are first_id, first_id + 1, ...
[[nodiscard]] std::vector<std::byte> body_of(std::uint32_t rows, std::uint64_t first_id = 1);
// One event as a line of NDJSON, without newline.
[[nodiscard]] std::string line_of(std::uint64_t id, const std::string& log = "activity");

}  // namespace docket::testing
