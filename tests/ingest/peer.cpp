#include "tests/ingest/peer.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "engine/batch.hpp"
#include "engine/bytes.hpp"

namespace docket::testing {
namespace {

constexpr int wait_ms = 10'000;

bool ready(int fd, short what) {
  pollfd wanted{fd, what, 0};
  return poll(&wanted, 1, wait_ms) == 1;
}

// Whether the step can be tried again.
bool ready(int fd, ingest::TlsSession::Step step) {
  using Step = ingest::TlsSession::Step;
  return (step == Step::wants_read && ready(fd, POLLIN)) ||
         (step == Step::wants_write && ready(fd, POLLOUT));
}

}  // namespace

Peer::Peer(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  const int on = 1;
  EXPECT_EQ(setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
}

Peer::Peer(Accepted accepted) : fd_(accepted.fd) {}

Peer::Peer(std::uint16_t port, const ingest::TlsContext& tls, const std::string& host)
    : Peer(port) {
  tls_ = std::make_unique<ingest::TlsSession>(tls, fd_, host);
}

std::string Peer::shake_hands_of_tls() {
  ingest::TlsSession::Step step{};
  while ((step = tls_->shake_hands()) != ingest::TlsSession::Step::done) {
    if (!ready(fd_, step)) {
      return tls_->fault().empty() ? "the server says nothing" : tls_->fault();
    }
  }
  return {};
}

bool Peer::send_under_tls(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto moved = tls_->write(as_byte_span(bytes));
    if (moved.step != ingest::TlsSession::Step::done && !ready(fd_, moved.step)) {
      return false;
    }
    bytes.remove_prefix(moved.bytes);
  }
  return true;
}

Peer::~Peer() {
  ::close(fd_);
}

bool Peer::send(std::string_view bytes) {
  if (tls_) {
    return send_under_tls(bytes);
  }
  while (!bytes.empty()) {
    if (!ready(fd_, POLLOUT)) {
      return false;
    }
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EAGAIN) {
        continue;
      }
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Peer::send(std::span<const std::byte> bytes) {
  return send(as_text(bytes));
}

std::size_t Peer::send_without_waiting(std::string_view bytes) {
  const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

void Peer::close_sending() {
  if (tls_) {
    static_cast<void>(tls_->say_goodbye());
  } else {
    shutdown(fd_, SHUT_WR);
  }
}

void Peer::close_sending_unannounced() {
  shutdown(fd_, SHUT_WR);
}

void Peer::abort() {
  const linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  ::close(fd_);
  fd_ = -1;
}

bool Peer::read_more() {
  if (tls_) {
    return read_more_under_tls();
  }
  if (!ready(fd_, POLLIN)) {
    ADD_FAILURE() << "the server says nothing";
    return false;
  }
  std::array<char, 65536> buffer{};
  const ssize_t received = recv(fd_, buffer.data(), buffer.size(), 0);
  if (received <= 0) {
    return false;
  }
  input_.append(buffer.data(), static_cast<std::size_t>(received));
  return true;
}

bool Peer::read_more_under_tls() {
  std::array<std::byte, 65536> buffer{};
  for (;;) {
    const auto moved = tls_->read(buffer);
    if (moved.step == ingest::TlsSession::Step::done) {
      input_ += as_text(std::span(buffer).first(moved.bytes));
      return true;
    }
    if (!ready(fd_, moved.step)) {
      EXPECT_NE(moved.step, ingest::TlsSession::Step::wants_read) << "the server says nothing";
      return false;
    }
  }
}

std::optional<std::string> Peer::line() {
  std::size_t end = 0;
  while ((end = input_.find('\n')) == std::string::npos) {
    if (!read_more()) {
      return std::nullopt;
    }
  }
  std::string line = input_.substr(0, end);
  input_.erase(0, end + 1);
  return line;
}

std::string Peer::rest() {
  while (read_more()) {
  }
  return std::exchange(input_, {});
}

std::optional<Frame> Peer::frame() {
  const auto have = [this](std::size_t bytes) {
    while (input_.size() < bytes) {
      if (!read_more()) {
        return false;
      }
    }
    return true;
  };
  if (!have(ingest::frame_header_bytes)) {
    return std::nullopt;
  }
  const auto header_bytes = as_byte_span(input_).first<ingest::frame_header_bytes>();
  const auto header = ingest::parse_frame_header(header_bytes);
  if (!header) {
    ADD_FAILURE() << header.error().message;
    return std::nullopt;
  }
  const std::size_t size = ingest::frame_header_bytes + header->body_bytes;
  if (!have(size)) {
    return std::nullopt;
  }
  Frame frame;
  frame.type = header->type;
  const auto body = as_byte_span(input_).subspan(ingest::frame_header_bytes, header->body_bytes);
  frame.body.assign(body.begin(), body.end());
  EXPECT_TRUE(ingest::frame_is_intact(as_byte_span(input_).first<ingest::frame_header_bytes>(),
                                      frame.body));
  input_.erase(0, size);
  return frame;
}

bool Peer::closed() {
  while (read_more()) {
  }
  return !::testing::Test::HasFailure();
}

std::optional<ingest::Welcome> Peer::shake_hands(const std::string& node, std::uint64_t epoch,
                                                 const std::string& token) {
  send(hello_bytes(node, epoch, token));
  const auto first = frame();
  if (!first || first->type != ingest::FrameType::welcome) {
    ADD_FAILURE() << "no welcome";
    return std::nullopt;
  }
  return ingest::parse_welcome(first->body).value();
}

void Peer::send_batch(std::string_view log, std::uint64_t number, std::span<const std::byte> body) {
  send(batch_bytes(log, number, body));
}

std::optional<ingest::Ack> Peer::ack() {
  const auto next = frame();
  if (next && next->type == ingest::FrameType::error) {
    const auto error = ingest::parse_error(next->body);
    ADD_FAILURE() << "an error instead of an ack: " << (error ? error->message : "malformed");
    return std::nullopt;
  }
  if (!next || next->type != ingest::FrameType::ack) {
    ADD_FAILURE() << "no ack";
    return std::nullopt;
  }
  return ingest::parse_ack(next->body).value();
}

std::optional<ingest::ErrorFrame> Peer::error() {
  const auto next = frame();
  if (!next || next->type != ingest::FrameType::error) {
    ADD_FAILURE() << "no error frame";
    return std::nullopt;
  }
  return ingest::parse_error(next->body).value();
}

std::optional<ingest::Hello> Peer::welcome_client() {
  while (input_.size() < ingest::native_preface.size()) {
    if (!read_more()) {
      return std::nullopt;
    }
  }
  EXPECT_EQ(input_.substr(0, ingest::native_preface.size()), ingest::native_preface);
  input_.erase(0, ingest::native_preface.size());
  const auto first = frame();
  if (!first || first->type != ingest::FrameType::hello) {
    ADD_FAILURE() << "no hello";
    return std::nullopt;
  }
  ingest::Welcome welcome;
  welcome.window_batches = 64;
  welcome.payload_bytes_max = 64 << 10;
  welcome.window_bytes = 1 << 20;
  welcome.body_bytes_max = ingest::frame_body_bytes_max;
  welcome.idle_ms = 60'000;
  std::vector<std::byte> bytes;
  ingest::append_welcome(bytes, welcome);
  send(bytes);
  return ingest::parse_hello(first->body).value();
}

std::optional<std::uint64_t> Peer::batch_number() {
  const auto next = frame();
  if (!next || next->type != ingest::FrameType::batch) {
    ADD_FAILURE() << "no batch";
    return std::nullopt;
  }
  const std::span<const std::byte> body(next->body);
  return ingest::parse_batch_prefix(body.first<ingest::batch_prefix_bytes>()).value().batch;
}

void Peer::send_ack(std::string_view log, std::uint64_t number, std::uint32_t rows) {
  ingest::Ack ack;
  ack.batch = number;
  ack.first_seq = number;
  ack.rows = rows;
  ack.log = log;
  std::vector<std::byte> bytes;
  ingest::append_ack(bytes, ack);
  send(bytes);
}

void Peer::send_error(const ingest::ErrorFrame& error) {
  std::vector<std::byte> bytes;
  ingest::append_error(bytes, error);
  send(bytes);
}

Listener::Listener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(fd_, generic, sizeof(address)), 0);
  EXPECT_EQ(listen(fd_, 8), 0);
  socklen_t size = sizeof(address);
  EXPECT_EQ(getsockname(fd_, generic, &size), 0);
  port_ = ntohs(address.sin_port);
}

Listener::~Listener() {
  ::close(fd_);
}

std::unique_ptr<Peer> Listener::accept() {
  if (!ready(fd_, POLLIN)) {
    ADD_FAILURE() << "nobody connects";
    return nullptr;
  }
  return std::make_unique<Peer>(Peer::Accepted{::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC)});
}

bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < wait_ms; ++i) {
    if (condition()) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

std::vector<std::byte> hello_bytes(const std::string& node, std::uint64_t epoch,
                                   const std::string& token) {
  std::vector<std::byte> bytes;
  for (const char c : ingest::native_preface) {
    bytes.push_back(static_cast<std::byte>(c));
  }
  ingest::Hello hello;
  hello.node = node;
  hello.epoch = epoch;
  hello.token = token;
  ingest::append_hello(bytes, hello);
  return bytes;
}

std::vector<std::byte> batch_bytes(std::string_view log, std::uint64_t number,
                                   std::span<const std::byte> body) {
  const ingest::BatchHead head = ingest::batch_head(log, number, body);
  std::vector<std::byte> bytes(head.size() + body.size());
  std::copy(head.begin(), head.end(), bytes.begin());
  std::copy(body.begin(), body.end(), bytes.begin() + head.size());
  return bytes;
}

std::vector<std::byte> body_of(std::uint32_t rows, std::uint64_t first_id) {
  BatchBuilder builder;
  for (std::uint32_t i = 0; i < rows; ++i) {
    const std::string id = std::to_string(first_id + i);
    EventView event;
    event.ts = 1'777'000'000'000'000'000 + i;
    event.actor = {"user", id, "", ""};
    event.verb = "EDIT";
    event.target = {"List", "7", ""};
    builder.add(event);
  }
  return builder.finish().bytes;
}

std::string line_of(std::uint64_t id, const std::string& log) {
  return R"({"log":")" + log + R"(","actor":{"kind":"user","id":")" + std::to_string(id) +
         R"("},"verb":"EDIT","target":{"type":"List","id":"7"}})";
}

}  // namespace docket::testing
