// One thread for all connections, each of which sends a batch a log and waits for the answers.
#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/batch.hpp"
#include "engine/bytes.hpp"
#include "ingest/protocol.hpp"
#include "tools/load/pacer.hpp"
#include "tools/load/sender.hpp"
#include "tools/load/tcp_socket.hpp"

namespace docket::load {
namespace {

class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const Generator& generator,
                                                  const SendOptions& options, std::uint32_t number,
                                                  Recorder& recorder) {
    DOCKET_ASSIGN(TcpSocket socket, TcpSocket::connect(options.address, options.port));
    auto made =
        std::make_unique<Connection>(generator, options, number, recorder, std::move(socket));
    DOCKET_TRY(made->greet());
    return made;
  }

  Connection(const Generator& generator, const SendOptions& options, std::uint32_t number,
             Recorder& recorder, TcpSocket socket)
      : generator_(generator),
        options_(options),
        recorder_(recorder),
        socket_(std::move(socket)),
        number_(number),
        next_(options.first + number) {}

  [[nodiscard]] int descriptor() const { return socket_.descriptor(); }
  // All of its events have their answer.
  [[nodiscard]] bool is_done() const { return is_done_; }
  void add_to(SendReport& report) const {
    report.sent += sent_;
    report.durable += durable_;
    report.rejected += rejected_;
  }

  // Takes what has come; sends the next batches when the last ones have all been answered.
  Result<void> receive() {
    std::array<char, 4096> room;
    DOCKET_ASSIGN(const std::size_t bytes, socket_.receive(room));
    if (bytes == 0) {
      return fail(ErrorCode::io, "the server closed the connection");
    }
    received_.append(room.data(), bytes);
    std::size_t at = 0;
    while (received_.size() - at >= ingest::frame_header_bytes) {
      const auto head = as_byte_span(received_).subspan(at).first<ingest::frame_header_bytes>();
      DOCKET_ASSIGN(const ingest::FrameHeader header, ingest::parse_frame_header(head));
      const std::size_t end = at + ingest::frame_header_bytes + header.body_bytes;
      if (end > received_.size()) {
        break;
      }
      DOCKET_TRY(take(header.type, as_byte_span(received_).subspan(at + ingest::frame_header_bytes,
                                                                   header.body_bytes)));
      at = end;
    }
    received_.erase(0, at);
    return {};
  }

 private:
  Result<void> take(ingest::FrameType type, std::span<const std::byte> body) {
    switch (type) {
      case ingest::FrameType::welcome:
        return send_next();
      case ingest::FrameType::ack: {
        DOCKET_ASSIGN(const ingest::Ack ack, ingest::parse_ack(body));
        recorder_.settled(ack.rows + ack.rejected.size());
        recorder_.durable(ack.rows, (Clock::now() - sent_at_).count());
        durable_ += ack.rows;
        rejected_ += ack.rejected.size();
        return --unanswered_ == 0 ? send_next() : Result<void>();
      }
      case ingest::FrameType::ping: {
        DOCKET_ASSIGN(const std::uint64_t opaque, ingest::parse_ping(body));
        std::vector<std::byte> pong;
        ingest::append_ping(pong, ingest::FrameType::pong, opaque);
        return socket_.send(as_text(pong));
      }
      case ingest::FrameType::error: {
        DOCKET_ASSIGN(const ingest::ErrorFrame error, ingest::parse_error(body));
        return fail(ErrorCode::io, "the server refused a batch: " + error.message);
      }
      case ingest::FrameType::goodbye:
        return fail(ErrorCode::closed, "the server is shutting down");
      default:
        return {};
    }
  }

  Result<void> greet() {
    const auto preface = as_byte_span(ingest::native_preface);
    frames_.assign(preface.begin(), preface.end());
    ingest::Hello hello;
    hello.epoch = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch() /
                                             std::chrono::nanoseconds(1));
    hello.node = fmt::format("docket-load-{}", number_);
    hello.token = options_.access.token;
    ingest::append_hello(frames_, hello);
    return socket_.send(as_text(frames_));
  }

  // The next batch_rows events, in a batch for each log that they have.
  Result<void> send_next() {
    const std::uint64_t end = options_.first + options_.events;
    for (std::uint32_t row = 0; row < options_.batch_rows && next_ < end; ++row) {
      generator_.make(next_, event_);
      BatchBuilder& builder = builders_[static_cast<std::size_t>(event_.surface)];
      builder.add(event_.event);
      next_ += options_.connections;
      ++sent_;
      if (builder.full()) {
        break;
      }
    }
    frames_.clear();
    for (std::size_t surface = 0; surface < surface_count; ++surface) {
      if (builders_[surface].rows() == 0) {
        continue;
      }
      const EncodedBatch batch = builders_[surface].finish();
      const auto head =
          ingest::batch_head(surface_names[surface], ++batches_[surface], batch.bytes);
      append_bytes(frames_, head);
      append_bytes(frames_, batch.bytes);
      ++unanswered_;
    }
    is_done_ = unanswered_ == 0;
    sent_at_ = Clock::now();
    return socket_.send(as_text(frames_));
  }

  const Generator& generator_;
  const SendOptions& options_;
  Recorder& recorder_;
  TcpSocket socket_;
  const std::uint32_t number_;
  std::uint64_t next_;
  std::array<BatchBuilder, surface_count> builders_;
  std::array<std::uint64_t, surface_count> batches_{};
  GeneratedEvent event_;
  std::vector<std::byte> frames_;
  std::string received_;
  Clock::time_point sent_at_;
  std::uint32_t unanswered_ = 0;
  bool is_done_ = false;
  std::uint64_t sent_ = 0, durable_ = 0, rejected_ = 0;
};

// Which connections have something to read.
class Readable {
 public:
  static Result<Readable> make() {
    const int descriptor = ::epoll_create1(EPOLL_CLOEXEC);
    return descriptor < 0 ? fail_errno("epoll_create1", errno)
                          : Result<Readable>(Readable(descriptor));
  }
  Readable(Readable&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Readable& operator=(Readable&&) = delete;
  ~Readable() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }

  Result<void> add(Connection& connection) {
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.ptr = &connection;
    return change(EPOLL_CTL_ADD, connection, &wanted);
  }
  Result<void> remove(const Connection& connection) {
    return change(EPOLL_CTL_DEL, connection, nullptr);
  }
  // Calls `each` for those that have something; at least one. Error: overloaded, when there is none
  // within `patience_ms`.
  template <typename Each>
  Result<void> wait(std::uint32_t patience_ms, const Each& each) {
    std::array<epoll_event, 64> ready;
    int count = 0;
    do {
      count = ::epoll_wait(descriptor_, ready.data(), static_cast<int>(ready.size()),
                           static_cast<int>(patience_ms));
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
      return fail_errno("epoll_wait", errno);
    }
    if (count == 0) {
      return fail(ErrorCode::overloaded, fmt::format("no answer within {} ms", patience_ms));
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      DOCKET_TRY(each(*static_cast<Connection*>(ready[i].data.ptr)));
    }
    return {};
  }

 private:
  explicit Readable(int descriptor) : descriptor_(descriptor) {}
  Result<void> change(int what, const Connection& connection, epoll_event* wanted) const {
    return ::epoll_ctl(descriptor_, what, connection.descriptor(), wanted) == 0
               ? Result<void>()
               : fail_errno("epoll_ctl", errno);
  }

  int descriptor_;
};

}  // namespace

Result<SendReport> send_bare(const Generator& generator, const SendOptions& options,
                             Recorder& recorder) {
  DOCKET_ASSIGN(Readable readable, Readable::make());
  const Clock::time_point start = Clock::now();
  std::vector<std::unique_ptr<Connection>> connections;
  for (std::uint32_t i = 0; i < options.connections; ++i) {
    DOCKET_ASSIGN(auto connection, Connection::open(generator, options, i, recorder));
    DOCKET_TRY(readable.add(*connection));
    connections.push_back(std::move(connection));
  }
  std::size_t done = 0;
  const auto take = [&](Connection& connection) -> Result<void> {
    DOCKET_TRY(connection.receive());
    if (!connection.is_done()) {
      return {};
    }
    ++done;
    return readable.remove(connection);
  };
  while (done < connections.size()) {
    DOCKET_TRY(readable.wait(options.patience_ms, take));
  }
  SendReport report;
  report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  for (const auto& connection : connections) {
    connection->add_to(report);
  }
  report.latency = recorder.all();
  return report;
}

}  // namespace docket::load
