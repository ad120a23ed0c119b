#include "tools/docket/http_client.hpp"

#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <optional>

#include "ingest/tls_stream.hpp"

namespace docket::cli {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr std::chrono::seconds connect_timeout{10};
// A question may take its time; a server that is silent for this long is not coming back.
constexpr std::chrono::seconds answer_timeout{300};
// The server sends a sign of life every 15 s on a stream that is followed.
constexpr std::chrono::seconds follow_timeout{60};
// How often a quiet stream looks whether it should go on.
constexpr std::chrono::milliseconds idle_interval{250};
// A page holds 8 MiB and one event; this leaves room for payloads of the largest size.
constexpr std::uint64_t body_bytes_max = std::uint64_t{256} << 20;
constexpr std::size_t piece_bytes = std::size_t{128} << 10;
// Beast reads as much at once as its buffer has room for, and 512 bytes into one that has none.
constexpr std::size_t read_bytes = std::size_t{64} << 10;

}  // namespace

std::string ServerUrl::authority() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

Result<ServerUrl> parse_server_url(std::string_view url) {
  const auto malformed = [url](std::string_view why) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("the server's address must be http[s]://HOST[:PORT][/PREFIX], and is '{}'{}",
                    url, why));
  };
  static constexpr std::string_view plain = "http://";
  static constexpr std::string_view secure = "https://";
  ServerUrl parsed;
  parsed.is_tls = url.starts_with(secure);
  if (!parsed.is_tls && !url.starts_with(plain)) {
    return malformed("");
  }
  std::string_view rest = url.substr(parsed.is_tls ? secure.size() : plain.size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  parsed.prefix = rest.substr(slash);
  while (!parsed.prefix.empty() && parsed.prefix.back() == '/') {
    parsed.prefix.pop_back();
  }
  std::string_view authority = rest.substr(0, slash);
  std::size_t host_end = authority.rfind(':');
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) {
      return malformed("");
    }
    parsed.host = authority.substr(1, bracket - 1);
    host_end = bracket + 1;
  } else {
    parsed.host = authority.substr(0, std::min(host_end, authority.size()));
  }
  parsed.port = parsed.is_tls ? "443" : "80";
  if (host_end < authority.size()) {
    parsed.port = authority.substr(host_end + 1);
    if (authority[host_end] != ':' || parsed.port.empty() ||
        parsed.port.find_first_not_of("0123456789") != std::string::npos) {
      return malformed("");
    }
    if (parsed.port.size() > 5 || std::stoul(parsed.port) > 65535 || std::stoul(parsed.port) == 0) {
      return malformed(": a port is from 1 to 65535");
    }
  }
  if (parsed.host.empty() || parsed.prefix.find_first_of("?# ") != std::string::npos) {
    return malformed("");
  }
  return parsed;
}

struct HttpClient::State {
  State(ServerUrl server, ServerAccess server_access)
      : url(std::move(server)), access(std::move(server_access)) {}

  // Runs what was started until it has ended.
  void finish() {
    io.restart();
    io.run();
  }

  Result<void> connect() {
    if (url.is_tls && !tls) {
      DOCKET_ASSIGN(tls, ingest::client_tls(access.tls));
    }
    asio::ip::tcp::resolver resolver(io);
    error_code error;
    const auto endpoints = resolver.resolve(url.host, url.port, error);
    if (error) {
      return unreachable(error);
    }
    stream.emplace(beast::tcp_stream(io), tls);
    stream->expires_after(connect_timeout);
    stream->transport().async_connect(endpoints,
                                      [&error](error_code result, const auto&) { error = result; });
    finish();
    if (error) {
      return unreachable(error);
    }
    if (url.is_tls) {
      DOCKET_TRY(shake_hands());
    }
    connected = true;
    buffer.clear();
    buffer.reserve(read_bytes);
    return {};
  }

  Result<void> shake_hands() {
    if (!stream->expect_host(url.host)) {
      return fail(ErrorCode::invalid_argument, fmt::format("'{}' is no name of a host", url.host));
    }
    error_code error;
    stream->expires_after(connect_timeout);
    stream->async_handshake(asio::ssl::stream_base::client,
                            [&error](error_code result) { error = result; });
    finish();
    if (!error) {
      return {};
    }
    const std::string fault = stream->certificate_fault();
    return fail(ErrorCode::io,
                fmt::format("cannot trust the server at {}: {}", url.authority(),
                            error == beast::error::timeout ? "no answer in time"
                            : fault.empty()                ? error.message()
                                            : "its certificate is not accepted: " + fault));
  }

  [[nodiscard]] tl::unexpected<Error> unreachable(error_code error) const {
    return fail(ErrorCode::io, fmt::format("cannot reach the server at {}: {}", url.authority(),
                                           error == beast::error::timeout ? "no answer in time"
                                                                          : error.message()));
  }

  Result<void> send(const std::string& target) {
    http::request<http::empty_body> request(http::verb::get, url.prefix + target, 11);
    request.set(http::field::host, url.authority());
    request.set(http::field::user_agent, "docket");
    if (!access.token.empty()) {
      request.set(http::field::authorization, "Bearer " + access.token);
    }
    error_code error;
    stream->expires_after(answer_timeout);
    http::async_write(*stream, request,
                      [&error](error_code result, std::size_t) { error = result; });
    finish();
    return error ? Result<void>(cut_off(error)) : Result<void>();
  }

  // Sends the request and reads the answer's head. A kept connection may have been closed by the
  // server meanwhile: then once more on a new one, as a GET may be repeated.
  template <typename Parser>
  Result<void> begin(const std::string& target, std::optional<Parser>& parser) {
    for (;;) {
      const bool kept = connected;
      if (!connected) {
        DOCKET_TRY(connect());
      }
      parser.emplace();
      parser->body_limit(boost::none);
      Result<void> done = send(target);
      if (done) {
        error_code error;
        stream->expires_after(answer_timeout);
        http::async_read_header(*stream, buffer, *parser,
                                [&error](error_code result, std::size_t) { error = result; });
        finish();
        if (!error) {
          return {};
        }
        done = cut_off(error);
      }
      close();
      if (!kept) {
        return done;
      }
    }
  }

  [[nodiscard]] tl::unexpected<Error> cut_off(error_code error) const {
    return fail(ErrorCode::io,
                fmt::format("the server at {} {}", url.authority(),
                            error == beast::error::timeout ? "gave no answer in time"
                                                           : "broke off: " + error.message()));
  }

  void close() {
    if (stream) {
      stream->close();
    }
    connected = false;
  }

  const ServerUrl url;
  const ServerAccess access;
  asio::io_context io{1};
  ingest::TlsContext tls;
  std::optional<ingest::TlsStream> stream;
  beast::flat_buffer buffer;
  bool connected = false;
};

HttpClient::HttpClient(ServerUrl url, ServerAccess access)
    : state_(std::make_unique<State>(std::move(url), std::move(access))) {}
HttpClient::~HttpClient() = default;

Result<HttpAnswer> HttpClient::get(const std::string& target) {
  std::optional<http::response_parser<http::string_body>> parser;
  DOCKET_TRY(state_->begin(target, parser));
  parser->body_limit(body_bytes_max);
  error_code error;
  state_->stream->expires_after(answer_timeout);
  http::async_read(*state_->stream, state_->buffer, *parser,
                   [&error](error_code result, std::size_t) { error = result; });
  state_->finish();
  if (error) {
    state_->close();
    return state_->cut_off(error);
  }
  if (!parser->keep_alive()) {
    state_->close();
  }
  HttpAnswer answer;
  answer.status = parser->get().result_int();
  answer.body = std::move(parser->get().body());
  return answer;
}

Result<HttpAnswer> HttpClient::stream(const std::string& target,
                                      const std::function<bool(std::string_view)>& sink,
                                      const std::function<bool()>& idle) {
  std::optional<http::response_parser<http::buffer_body>> parser;
  DOCKET_TRY(state_->begin(target, parser));
  HttpAnswer answer;
  answer.status = parser->get().result_int();
  std::string piece(piece_bytes, '\0');
  bool go_on = true;
  while (go_on && !parser->is_done()) {
    parser->get().body().data = piece.data();
    parser->get().body().size = piece.size();
    std::optional<error_code> ended;
    state_->stream->expires_after(idle ? follow_timeout : answer_timeout);
    http::async_read_some(*state_->stream, state_->buffer, *parser,
                          [&ended](error_code result, std::size_t) { ended = result; });
    state_->io.restart();
    while (!ended && go_on) {
      state_->io.run_for(idle_interval);
      go_on = ended || !idle || idle();
    }
    if (!go_on) {
      break;
    }
    if (*ended && *ended != http::error::need_buffer) {
      state_->close();
      return state_->cut_off(*ended);
    }
    const std::string_view got(piece.data(), piece.size() - parser->get().body().size);
    if (answer.status != 200) {
      answer.body += got;
    } else if (!got.empty()) {
      go_on = sink(got);
    }
  }
  if (!go_on) {
    // The read that is under way refers to the parser: it is ended first.
    state_->close();
    state_->finish();
    return fail(ErrorCode::cancelled, "the reader went away");
  }
  answer.rows = parser->get()["X-Docket-Rows"];
  answer.sha256 = parser->get()["X-Docket-SHA256"];
  answer.position = parser->get()["X-Docket-Position"];
  answer.gaps = parser->get()["X-Docket-Gaps"];
  if (!parser->keep_alive()) {
    state_->close();
  }
  return answer;
}

}  // namespace docket::cli
