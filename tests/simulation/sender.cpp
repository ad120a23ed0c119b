#include "tests/simulation/sender.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "query/render.hpp"
#include "tests/simulation/node.hpp"

namespace docket::simulation {

namespace {

constexpr std::array<std::string_view, 3> logs = {"activity", "campaign", "api"};
constexpr int answer_wait_ms = 120'000;

// Sends lines over a connection of its own and returns how many of them are settled, as far as is
// told.
class LineConnection {
 public:
  LineConnection() : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(node_port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_open_ = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~LineConnection() { close(fd_); }
  LineConnection(const LineConnection&) = delete;
  LineConnection& operator=(const LineConnection&) = delete;

  bool send(std::string_view bytes) {
    while (is_open_ && !bytes.empty()) {
      pollfd ready{fd_, POLLOUT, 0};
      if (poll(&ready, 1, answer_wait_ms) != 1) {
        return false;
      }
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN) {
        return false;
      }
      bytes.remove_prefix(sent < 0 ? 0 : static_cast<std::size_t>(sent));
    }
    return is_open_;
  }
  void end_sending() { shutdown(fd_, SHUT_WR); }

  // The next line of an answer; nullopt at the end, however it came.
  std::optional<std::string> line() {
    for (;;) {
      if (const auto end = input_.find('\n'); end != std::string::npos) {
        std::string line = input_.substr(0, end);
        input_.erase(0, end + 1);
        return line;
      }
      pollfd ready{fd_, POLLIN, 0};
      std::array<char, 4096> bytes;
      ssize_t received = 0;
      if (!is_open_ || poll(&ready, 1, answer_wait_ms) != 1 ||
          (received = recv(fd_, bytes.data(), bytes.size(), 0)) <= 0) {
        return std::nullopt;
      }
      input_.append(bytes.data(), static_cast<std::size_t>(received));
    }
  }

 private:
  int fd_;
  bool is_open_ = false;
  std::string input_;
};

}  // namespace

Sender::Sender(Machine& machine, Ledger& ledger, const SenderOptions& options)
    : machine_(machine),
      ledger_(ledger),
      options_(options),
      dice_(options.seed),
      events_(options.seed, {.step_max = second}) {
  thread_ = std::thread([this] { run(); });
}

Sender::~Sender() {
  end();
  client_.reset();
}

void Sender::end() {
  ending_ = true;
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Sender::run() {
  for (std::uint64_t round = 0; round < options_.rounds && !ending_; ++round) {
    if (options_.is_ndjson) {
      send_lines();
    } else {
      if (!client_ || (options_.crashes && below(8) == 0)) {
        start_client();
      }
      send_round();
    }
    machine_.sleep(static_cast<Time>(below(static_cast<std::uint64_t>(options_.pause_max) + 1)));
  }
}

void Sender::start_client() {
  client_.reset();
  client::Options options;
  options.port = 7470;
  options.node = options_.node;
  options.memory_bytes = std::size_t{1} << 20;
  options.batch_rows = static_cast<std::uint32_t>(1 + below(200));
  options.reconnect_ms_max = 1000;
  client_ = client::Client::start(options).value();
}

Event Sender::make_event(std::string_view log) {
  Event event = events_.next();
  event.log = log;
  const bool is_one_line = event.payload.find_first_of("\r\n") == std::string::npos;
  if (event.payload.size() > 2000 || !is_one_line) {
    event.payload.clear();  // many small ones are more instructive here
  }
  return event;
}

void Sender::send_round() {
  std::vector<TargetView> related;
  for (std::uint64_t count = 1 + below(30); count != 0; --count) {
    const std::string_view log = logs[below(logs.size())];
    Event event = make_event(log);
    const std::size_t number = ledger_.add(log, options_.node, event);
    const auto emitted = client_->emit(log, view_of(event, related),
                                       [this, number](const client::Delivery& delivery) {
                                         if (delivery.ok()) {
                                           ledger_.stored(number, delivery.seq);
                                         } else {
                                           ledger_.refused(number, delivery.error);
                                         }
                                       });
    if (!emitted) {
      if (emitted.error().code != ErrorCode::overloaded) {
        ledger_.refused(number, emitted.error().describe());
      }
      break;  // never sent, as far as anybody is told
    }
  }
}

void Sender::send_lines() {
  LineConnection connection;
  std::vector<std::size_t> numbers;
  bool sound = true;
  for (std::uint64_t count = 1 + below(30); count != 0 && sound; --count) {
    const std::string_view log = logs[below(logs.size())];
    Event event = make_event(log);
    // NDJSON senders are named by their address.
    numbers.push_back(ledger_.add(log, "127.0.0.1", event));
    event.log = log;
    std::string line;
    query::append_json(line, event, query::PayloadForm::as_sent);
    sound = connection.send(line + "\n");
  }
  connection.end_sending();
  std::size_t settled = 0;
  while (const auto line = connection.line()) {
    constexpr std::string_view durable = "{\"durable\":";
    if (!line->starts_with(durable)) {
      continue;
    }
    std::size_t told = 0;
    std::from_chars(line->data() + durable.size(), line->data() + line->size(), told);
    for (; settled < told && settled < numbers.size(); ++settled) {
      ledger_.stored(numbers[settled], 0);
    }
  }
}

Result<void> Sender::settle() {
  return client_ ? client_->flush(3'600'000) : Result<void>();
}

}  // namespace docket::simulation
