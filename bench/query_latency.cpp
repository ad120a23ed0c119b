// How long questions take, warm, as a client of the HTTP API sees it or within this process (whose
// directory it then owns, so no server may have it).
//
//   query_latency (--data DIR | --server ADDRESS PORT) < questions
//
// A question is a line "NAME TARGET", such as "Q1 /api/v1/search?q=&limit=50". Answers with a line
// "NAME MEDIAN P99 RUNS BYTES" each, in microseconds. Each is asked until half a second has passed,
// at least five and at most 2,000 times, after one run that is not counted.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "engine/disk.hpp"
#include "engine/log.hpp"
#include "index/catalog.hpp"
#include "tools/api/routes.hpp"
#include "tools/api/service.hpp"
#include "tools/api/url.hpp"
#include "tools/load/tcp_socket.hpp"

namespace {

using namespace docket;
using Clock = std::chrono::steady_clock;

// Answers a target with the size of the body.
using Ask = std::function<Result<std::size_t>(const std::string& target)>;

// One kept connection. Understands answers with a Content-Length or in chunks.
class Connection {
 public:
  // `host` is ADDRESS:PORT; a server that guards against rebinding wants to be called by its name.
  Connection(load::TcpSocket socket, std::string host)
      : socket_(std::move(socket)), host_(std::move(host)) {}

  Result<std::size_t> get(const std::string& target) {
    DOCKET_TRY(socket_.send(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", target, host_)));
    buffer_.clear();
    DOCKET_ASSIGN(const std::size_t head, until("\r\n\r\n", 0));
    if (!buffer_.starts_with("HTTP/1.1 200")) {
      return fail(ErrorCode::invalid_argument, buffer_.substr(0, 200));
    }
    const std::size_t length = buffer_.find("Content-Length: ");
    if (length < head) {
      std::size_t size = 0;
      std::from_chars(buffer_.data() + length + 16, buffer_.data() + head, size);
      while (buffer_.size() < head + 4 + size) {
        DOCKET_TRY(more());
      }
      return size;
    }
    // Chunked: the last chunk is empty, and the trailers end with an empty line.
    while (!buffer_.ends_with("\r\n\r\n") || buffer_.find("\r\n0\r\n", head) == std::string::npos) {
      DOCKET_TRY(more());
    }
    return buffer_.size() - head;
  }

 private:
  Result<void> more() {
    DOCKET_ASSIGN(const std::size_t size, socket_.receive(bytes_));
    if (size == 0) {
      return fail(ErrorCode::io, "the server closed the connection");
    }
    buffer_.append(bytes_.data(), size);
    return {};
  }
  Result<std::size_t> until(std::string_view mark, std::size_t from) {
    std::size_t at = 0;
    while ((at = buffer_.find(mark, from)) == std::string::npos) {
      DOCKET_TRY(more());
    }
    return at;
  }

  load::TcpSocket socket_;
  std::string host_;
  std::string buffer_;
  std::array<char, 262144> bytes_{};
};

double microseconds(Clock::duration d) {
  return std::chrono::duration<double, std::micro>(d).count();
}

Result<void> measure(const std::string& name, const std::string& target, const Ask& ask) {
  DOCKET_ASSIGN(const std::size_t bytes, ask(target));
  std::vector<double> runs;
  const Clock::time_point start = Clock::now();
  while (runs.size() < 5 ||
         (runs.size() < 2000 && Clock::now() - start < std::chrono::milliseconds(500))) {
    const Clock::time_point before = Clock::now();
    DOCKET_TRY(ask(target));
    runs.push_back(microseconds(Clock::now() - before));
  }
  std::sort(runs.begin(), runs.end());
  fmt::print("{} {:.1f} {:.1f} {} {}\n", name, runs[runs.size() / 2], runs[runs.size() * 99 / 100],
             runs.size(), bytes);
  return {};
}

Result<void> measure_all(const Ask& ask) {
  std::string line;
  while (std::getline(std::cin, line)) {
    const std::size_t space = line.find(' ');
    DOCKET_TRY(measure(line.substr(0, space), line.substr(space + 1), ask));
  }
  return {};
}

Result<void> run(const std::vector<std::string>& arguments) {
  if (arguments.size() == 3 && arguments[0] == "--server") {
    const auto port = static_cast<std::uint16_t>(std::stoul(arguments[2]));
    DOCKET_ASSIGN(load::TcpSocket socket, load::TcpSocket::connect(arguments[1], port));
    Connection connection(std::move(socket), arguments[1] + ":" + arguments[2]);
    return measure_all([&connection](const std::string& target) { return connection.get(target); });
  }
  if (arguments.size() != 2 || arguments[0] != "--data") {
    return fail(ErrorCode::invalid_argument, "query_latency (--data DIR | --server ADDRESS PORT)");
  }
  // Owned, as docketd owns it: a read-only store looks at the directory anew for each question.
  DOCKET_ASSIGN(const auto store, Store::open(posix_disk(), arguments[1], StoreOptions{}));
  index::Catalog catalog(posix_disk(), index::CatalogOptions{});
  api::ServiceOptions service_options;
  service_options.helpers = query::WorkerPool::threads_for_all_cores();
  const api::Service service(*store, catalog, std::move(service_options));
  return measure_all([&service](const std::string& text) -> Result<std::size_t> {
    DOCKET_ASSIGN(const api::RequestTarget target, api::parse_target(text));
    const api::Answer answer =
        service.get(api::find_route("GET", target.path), target.parameters, nullptr);
    return answer.status == 200 ? Result<std::size_t>(answer.body.size())
                                : fail(ErrorCode::invalid_argument, answer.body);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const auto done = run({argv + 1, argv + argc});
  if (!done) {
    fmt::print(stderr, "query_latency: {}\n", done.error().describe());
    return 1;
  }
  return 0;
}
