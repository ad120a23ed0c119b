// Two threads per connection: one writes lines, one reads the answers.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "tools/load/connections.hpp"
#include "tools/load/ndjson_answers.hpp"
#include "tools/load/ndjson_writer.hpp"
#include "tools/load/pacer.hpp"
#include "tools/load/sender.hpp"
#include "tools/load/tcp_socket.hpp"

namespace docket::load {
namespace {

constexpr std::size_t write_bytes = std::size_t{64} << 10;

// Lines handed to the kernel at once, up to `last_line`.
struct Chunk {
  std::uint64_t last_line = 0;
  Clock::time_point sent;
};

class Connection {
 public:
  Connection(const Generator& generator, const SendOptions& options, const Pacer& pacer,
             std::uint32_t number, Recorder& recorder)
      : generator_(generator),
        options_(options),
        pacer_(pacer),
        number_(number),
        recorder_(recorder) {}

  void run() {
    auto connected = TcpSocket::connect(options_.address, options_.port, options_.access.tls);
    if (!connected) {
      error_ = std::move(connected).error();
      return;
    }
    TcpSocket socket = std::move(*connected);
    if (auto shown = show_token(socket); !shown) {
      error_ = std::move(shown).error();
      return;
    }
    std::thread reader([&] {
      if (auto read = read_answers(socket); !read) {
        read_error_ = std::move(read).error();
        socket.abort();  // the writer must not wait for a server that has gone
      }
    });
    auto written = write_lines(socket);
    if (written) {
      written = socket.close_sending();
    } else {
      socket.abort();
    }
    reader.join();
    // The server's word says more than the broken pipe that follows it.
    if (read_error_) {
      error_ = read_error_;
    } else if (!written) {
      error_ = std::move(written).error();
    } else if (answers_.settled() != lines_) {
      error_ =
          Error{ErrorCode::io, fmt::format("the server closed after settling {} of {} lines{}{}",
                                           answers_.settled(), lines_,
                                           answers_.first_error().empty() ? "" : "; first ",
                                           answers_.first_error())};
    }
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  void add_to(SendReport& report) const {
    report.sent += lines_;
    report.rejected += answers_.rejected();
    report.durable += answers_.settled() - answers_.rejected();
    report.lag.merge(lag_);
  }

 private:
  // When the connection's line `line`, counted from 0, was due.
  [[nodiscard]] Clock::time_point due(std::uint64_t line) const {
    return pacer_.due(options_.first + number_ + line * options_.connections);
  }

  // The first line, which counts as one of the connection's and not as one of the events'.
  Result<void> show_token(TcpSocket& socket) {
    if (options_.access.token.empty()) {
      return {};
    }
    DOCKET_TRY(socket.send(fmt::format("{{\"token\":\"{}\"}}\n", options_.access.token)));
    std::array<char, 4096> bytes{};
    while (answers_.settled() == 0) {
      DOCKET_ASSIGN(const bool answered, socket.wait(options_.patience_ms));
      if (!answered) {
        return fail(ErrorCode::io, fmt::format("no answer for {} ms", options_.patience_ms));
      }
      DOCKET_ASSIGN(const std::size_t size, socket.receive(bytes));
      DOCKET_TRY(answers_.take({bytes.data(), size}));
      if (size == 0 || answers_.rejected() > 0) {
        return fail(ErrorCode::io,
                    fmt::format("the token was refused: {}", answers_.first_error()));
      }
    }
    answers_.begin();
    return {};
  }

  Result<void> write_lines(TcpSocket& socket) {
    GeneratedEvent room;
    std::string buffer;
    buffer.reserve(write_bytes + 4096);
    std::uint64_t lines = 0;
    const auto send = [&]() -> Result<void> {
      const Clock::time_point now = Clock::now();
      for (std::uint64_t line = lines_; pacer_.paced() && line < lines; ++line) {
        lag_.add((now - due(line)).count());
      }
      {
        const std::lock_guard lock(mutex_);
        chunks_.push_back({lines, now});
      }
      lines_ = lines;
      DOCKET_TRY(socket.send(buffer));
      buffer.clear();
      return {};
    };
    const std::uint64_t end = options_.first + options_.events;
    for (std::uint64_t i = options_.first + number_; i < end; i += options_.connections) {
      const Clock::time_point when = pacer_.due(i);
      if (pacer_.paced() && when > Clock::now()) {
        if (!buffer.empty()) {
          DOCKET_TRY(send());
        }
        std::this_thread::sleep_until(pacer_.wake(i, options_.connections, Clock::now()));
      }
      generator_.make(i, room);
      append_ndjson(buffer, room.log(), room.event);
      ++lines;
      if (buffer.size() >= write_bytes) {
        DOCKET_TRY(send());
      }
    }
    return buffer.empty() ? Result<void>() : send();
  }

  Result<void> read_answers(TcpSocket& socket) {
    std::array<char, 4096> bytes{};
    while (true) {
      DOCKET_ASSIGN(const bool answered, socket.wait(options_.patience_ms));
      if (!answered) {
        const std::lock_guard lock(mutex_);
        if (chunks_.empty()) {
          continue;  // a slow rate; nothing is owed
        }
        return fail(ErrorCode::io, fmt::format("no answer for {} ms", options_.patience_ms));
      }
      DOCKET_ASSIGN(const std::size_t size, socket.receive(bytes));
      if (size == 0) {
        return {};
      }
      const std::uint64_t before = answers_.settled();
      DOCKET_TRY(answers_.take({bytes.data(), size}));
      measure(before, answers_.settled());
    }
  }

  // Lines `from` to `to` - 1 have been settled now.
  void measure(std::uint64_t from, std::uint64_t to) {
    const Clock::time_point now = Clock::now();
    recorder_.settled(to - from);
    if (pacer_.paced()) {
      recorder_.durable(to - from, [&](std::uint64_t i) { return (now - due(from + i)).count(); });
    }
    const std::lock_guard lock(mutex_);
    while (!chunks_.empty() && from < to) {
      const Chunk& chunk = chunks_.front();
      const std::uint64_t end = std::min(to, chunk.last_line);
      if (!pacer_.paced()) {
        recorder_.durable(end - from, (now - chunk.sent).count());
      }
      from = end;
      if (chunk.last_line == end) {
        chunks_.pop_front();
      }
    }
  }

  const Generator& generator_;
  const SendOptions& options_;
  const Pacer& pacer_;
  const std::uint32_t number_;
  Recorder& recorder_;
  std::mutex mutex_;  // guards chunks_ between the two threads
  std::deque<Chunk> chunks_;
  std::uint64_t lines_ = 0;
  NdjsonAnswers answers_;
  LatencyHistogram lag_;
  std::optional<Error> read_error_;
  std::optional<Error> error_;
};

}  // namespace

Result<SendReport> send_ndjson(const Generator& generator, const SendOptions& options,
                               Recorder& recorder) {
  return run_connections<Connection>(generator, options, recorder);
}

}  // namespace docket::load
