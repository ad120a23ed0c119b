// docket-load garbage: malformed frames and lines against a live server, many on each connection.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/bytes.hpp"
#include "engine/timestamp.hpp"
#include "ingest/protocol.hpp"
#include "tools/load/command_line.hpp"
#include "tools/load/commands.hpp"
#include "tools/load/malformed.hpp"
#include "tools/load/ndjson_answers.hpp"
#include "tools/load/pacer.hpp"
#include "tools/load/tcp_socket.hpp"

namespace docket::load {
namespace {

// So many are sent before their answers are read: below the server's window of batches, and few
// enough lines that sender and server never wait for each other to read.
constexpr std::uint64_t frames_at_once = 48;
constexpr std::uint64_t lines_at_once = 128;
constexpr std::uint64_t template_events = 100'000;

struct Counts {
  std::uint64_t refused = 0;       // answered by an error, the connection goes on
  std::uint64_t acknowledged = 0;  // whole or in part: a change may leave a valid event
  std::uint64_t ended = 0;         // the server ended the connection over it
  [[nodiscard]] std::uint64_t all() const { return refused + acknowledged + ended; }
  void add(const Counts& more) {
    refused += more.refused;
    acknowledged += more.acknowledged;
    ended += more.ended;
  }
};

// Answers of the native protocol, counted; their content is not looked at.
class AnswerCounter {
 public:
  // Error: corrupt, when the server breaks the protocol.
  Result<void> take(std::string_view bytes, Counts& counts) {
    rest_ += bytes;
    std::size_t at = 0;
    while (rest_.size() - at >= ingest::frame_header_bytes) {
      const auto head = as_byte_span(rest_).subspan(at).first<ingest::frame_header_bytes>();
      DOCKET_ASSIGN(const ingest::FrameHeader header, ingest::parse_frame_header(head));
      const std::size_t end = at + ingest::frame_header_bytes + header.body_bytes;
      if (end > rest_.size()) {
        break;
      }
      if (header.type == ingest::FrameType::ack) {
        ++counts.acknowledged;
      } else if (header.type == ingest::FrameType::error) {
        DOCKET_ASSIGN(const ingest::ErrorFrame error,
                      ingest::parse_error(as_byte_span(rest_).subspan(
                          at + ingest::frame_header_bytes, header.body_bytes)));
        counts.refused += error.batch != 0 ? 1 : 0;  // else the end of the connection
      }
      at = end;
    }
    rest_.erase(0, at);
    return {};
  }

 private:
  std::string rest_;
};

class Attacker {
 public:
  Attacker(const GarbageCommand& command, const Generator& generator, std::uint32_t number,
           std::atomic<std::uint64_t>& left)
      : command_(command),
        number_(number),
        malformed_(generator, command.seed, number),
        left_(left) {}

  void run() {
    const bool lines =
        command_.protocol == "ndjson" || (command_.protocol == "both" && number_ % 2 == 1);
    while (!error_ && left_.load(std::memory_order_relaxed) != 0) {
      const auto done = lines ? send_lines() : send_frames();
      if (!done) {
        error_ = done.error();
      }
    }
  }

  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  // How many of `most` may still be sent by this one.
  std::uint64_t claim(std::uint64_t most) {
    std::uint64_t left = left_.load(std::memory_order_relaxed);
    while (!left_.compare_exchange_weak(left, left - std::min(left, most))) {
    }
    return std::min(left, most);
  }
  void give_back(std::uint64_t unsent) { left_.fetch_add(unsent); }

  // Receives more into room_; nothing: the connection has ended.
  Result<std::string_view> receive(TcpSocket& socket) {
    DOCKET_ASSIGN(const bool answered, socket.wait(command_.patience_ms));
    if (!answered) {
      return fail(ErrorCode::io, fmt::format("no answer for {} ms", command_.patience_ms));
    }
    const auto received = socket.receive(room_);
    // A reset is an end like any other.
    return std::string_view(room_.data(), received ? *received : 0);
  }

  // One connection, to its end. Error: the server cannot be reached, or does not answer.
  Result<void> send_frames() {
    DOCKET_ASSIGN(TcpSocket socket,
                  TcpSocket::connect(command_.address, command_.port, command_.access.tls));
    AnswerCounter answers;
    bytes_.clear();
    malformed_.append_greeting(bytes_, fmt::format("garbage-{}", number_), command_.access.token);
    for (;;) {
      const std::uint64_t claimed = claim(frames_at_once);
      std::uint64_t frames = 0;
      bool keeps = true;
      while (frames < claimed && keeps) {
        keeps = malformed_.append_frame(bytes_);
        ++frames;
      }
      give_back(claimed - frames);
      if (frames == 0) {
        return {};
      }
      const Counts before = counts_;
      const bool sent = socket.send(as_text(bytes_)).has_value();
      bytes_.clear();
      while (counts_.all() - before.all() < frames) {
        DOCKET_ASSIGN(const std::string_view answer, receive(socket));
        if (answer.empty()) {
          // The one that ended it was looked at; those behind it were not.
          ++counts_.ended;
          give_back(frames - (counts_.all() - before.all()));
          return {};
        }
        DOCKET_TRY(answers.take(answer, counts_));
      }
      if (!sent || !keeps) {
        return {};
      }
    }
  }

  Result<void> send_lines() {
    DOCKET_ASSIGN(TcpSocket socket,
                  TcpSocket::connect(command_.address, command_.port, command_.access.tls));
    NdjsonAnswers answers;
    // The first byte tells the protocol.
    const std::string& token = command_.access.token;
    std::string text = token.empty() ? "\n" : fmt::format("{{\"token\":\"{}\"}}\n", token);
    std::uint64_t sent = 1;
    for (;;) {
      const std::uint64_t claimed = claim(lines_at_once);
      if (claimed == 0) {
        return {};
      }
      for (std::uint64_t i = 0; i < claimed; ++i) {
        malformed_.append_line(text);
      }
      sent += claimed;
      const std::uint64_t rejected = answers.rejected();
      const std::uint64_t settled = answers.settled();
      const bool is_sent = socket.send(text).has_value();
      text.clear();
      while (is_sent && answers.settled() < sent) {
        DOCKET_ASSIGN(const std::string_view answer, receive(socket));
        if (answer.empty()) {
          break;
        }
        DOCKET_TRY(answers.take(answer));
      }
      const std::uint64_t now_rejected = answers.rejected() - rejected;
      const std::uint64_t now_settled = answers.settled() - settled - (settled == 0 ? 1 : 0);
      counts_.refused += now_rejected;
      counts_.acknowledged += now_settled - std::min(now_settled, now_rejected);
      if (answers.settled() < sent) {
        ++counts_.ended;
        return {};
      }
    }
  }

  const GarbageCommand& command_;
  const std::uint32_t number_;
  Malformed malformed_;
  std::atomic<std::uint64_t>& left_;
  std::vector<std::byte> bytes_;
  std::vector<char> room_ = std::vector<char>(std::size_t{64} << 10);
  Counts counts_;
  std::optional<Error> error_;
};

}  // namespace

int run_garbage(const GarbageCommand& command) {
  const Generator generator({.seed = command.seed, .events = template_events, .end = now_ns()});
  std::atomic<std::uint64_t> left{command.frames};
  std::vector<std::unique_ptr<Attacker>> attackers;
  std::vector<std::thread> threads;
  const Clock::time_point start = Clock::now();
  for (std::uint32_t i = 0; i < command.connections; ++i) {
    attackers.push_back(std::make_unique<Attacker>(command, generator, i, left));
    threads.emplace_back([attacker = attackers.back().get()] { attacker->run(); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  Counts counts;
  std::optional<Error> error;
  for (const auto& attacker : attackers) {
    counts.add(attacker->counts());
    error = error ? error : attacker->error();
  }
  fmt::print(
      "{} malformed frames and lines in {:.1f} s ({} a second), seed {}: {} refused, {} "
      "acknowledged, {} connections ended by the server\n",
      grouped(counts.all()), seconds,
      grouped(static_cast<std::uint64_t>(static_cast<double>(counts.all()) / seconds)),
      command.seed, grouped(counts.refused), grouped(counts.acknowledged), grouped(counts.ended));
  return error ? report_failure(error->describe()) : 0;
}

}  // namespace docket::load
