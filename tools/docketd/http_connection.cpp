#include "tools/docketd/http_connection.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <vector>

#include "engine/timestamp.hpp"

namespace docket::server {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

// A query may be 64 KiB, and three times that once percent-encoded.
constexpr std::uint32_t head_bytes_max = 256U << 10;
// Beast counts a field's name and value in 16 bits each, with two bytes of separators.
constexpr std::size_t field_bytes_max = (std::size_t{64} << 10) - 3;
constexpr std::chrono::seconds head_timeout{60};  // also how long an idle connection is kept
constexpr std::chrono::seconds write_timeout{30};
constexpr std::chrono::seconds handshake_timeout{10};
// A peer that closed its half is given so long to be answered all the same; then its question is
// cancelled, as nobody is likely to wait for it.
constexpr std::chrono::seconds half_closed_grace{1};
constexpr std::size_t lingering_bytes_max = std::size_t{1} << 20;
// Most clients send a whole body before they look for an answer. What is refused is read over so
// far, so that they get to see why.
constexpr std::size_t refused_body_bytes_max = std::size_t{64} << 20;
constexpr std::chrono::seconds refused_body_time_max{10};

// In the clear, to those who ask in the clear.
constexpr std::string_view speaks_tls =
    "HTTP/1.1 400 Bad Request\r\nServer: docket\r\nContent-Type: application/problem+json\r\n"
    "Content-Length: 150\r\nConnection: close\r\n\r\n"
    R"({"type":"urn:docket:problem:tls_needed","title":"This port speaks TLS","status":400,)"
    R"("detail":"the request came in the clear; ask by https:// instead"})";

std::string peer_text(const asio::ip::tcp::socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? std::string() : Address{endpoint.address().to_string(), endpoint.port()}.text();
}

// What is at work and waits, for /metrics.
void append_budgets(std::string& out, const HttpContext& context) {
  const auto gauge = [&out](std::string_view name, std::string_view help, std::uint64_t value) {
    fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} gauge\n{0} {2}\n", name,
                   help, value);
  };
  gauge("docket_http_questions", "Questions that run or wait.", context.questions.used());
  gauge("docket_http_exports", "Exports that run.", context.exports.used());
  gauge("docket_http_body_bytes", "Bytes of bodies received and to be sent.", context.bytes.used());
}

// Whether the peer has closed its half, told without reading.
enum class PeerState : std::uint8_t { quiet, sending, closed };
PeerState peer_state(int socket, bool is_tls) {
  char byte = 0;
  const ssize_t got = ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got > 0) {
    // The farewell of TLS stands before the end and is not read here.
    pollfd watched{socket, POLLRDHUP, 0};
    const bool has_ended = is_tls && ::poll(&watched, 1, 0) > 0;
    return has_ended ? PeerState::closed : PeerState::sending;
  }
  const bool would_block = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
  return would_block ? PeerState::quiet : PeerState::closed;
}

std::int64_t steady_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

}  // namespace

void HttpConnection::Parser::on_field_impl(http::field name, beast::string_view text,
                                           beast::string_view value,
                                           boost::system::error_code& error) {
  if (text.size() > field_bytes_max || value.size() > field_bytes_max) {
    error = http::error::header_limit;
    return;
  }
  get().insert(name, text, value);
}

HttpConnection::HttpConnection(HttpContext& context, asio::ip::tcp::socket socket)
    : context_(context),
      stream_(beast::tcp_stream(std::move(socket)), context.parts.tls()),
      buffer_(head_bytes_max),
      waiting_since_(steady_ns()) {
  peer_ = peer_text(stream_.socket());
  boost::system::error_code ignored;
  static_cast<void>(stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored));
  // Last, because it may fail, and then there is nobody to take it out again.
  context_.connections.insert(this);
  ++context_.parts.metrics.connections;
}

HttpConnection::~HttpConnection() {
  context_.connections.erase(this);
  --context_.parts.metrics.connections;
}

void HttpConnection::wind_down() {
  if (idle_) {
    close_now();
  }
}

void HttpConnection::close_now() {
  waiting_since_.reset();
  if (cancelled_) {
    *cancelled_ = true;
  }
  stream_.close();
}

asio::awaitable<void> HttpConnection::run() {
  const bool is_spoken = co_await shake_hands();
  while (is_spoken && !context_.stopping) {
    const bool go_on = co_await serve_one();
    if (!go_on) {
      break;
    }
  }
  co_await close_politely();
}

asio::awaitable<bool> HttpConnection::shake_hands() {
  if (!stream_.is_tls()) {
    co_return true;
  }
  boost::system::error_code error;
  stream_.expires_after(handshake_timeout);
  co_await stream_.async_handshake(asio::ssl::stream_base::server,
                                   asio::redirect_error(asio::use_awaitable, error));
  if (!error) {
    co_return true;
  }
  if (stream_.has_heard()) {  // else it may be a probe of the port
    ++context_.parts.metrics.tls_failures;
  }
  if (error.category() == asio::error::get_ssl_category() &&
      ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_HTTP_REQUEST) {
    const auto buffer = asio::buffer(speaks_tls);
    co_await asio::async_write(stream_.transport(), buffer,
                               asio::redirect_error(asio::use_awaitable, error));
  }
  co_return false;
}

asio::awaitable<bool> HttpConnection::serve_one() {
  std::optional<Parser> parser;
  parser.emplace();
  parser->header_limit(head_bytes_max);
  parser->body_limit(context_.limits.http_body_bytes);
  boost::system::error_code error;
  stream_.expires_after(head_timeout);
  idle_ = true;
  waiting_since_ = steady_ns();
  co_await http::async_read_header(stream_, buffer_, *parser,
                                   asio::redirect_error(asio::use_awaitable, error));
  idle_ = false;
  keep_alive_ = false;
  is_head_ = false;
  body_unread_ = false;
  version_ = 11;
  if (error) {
    co_return co_await refuse_head(error);
  }
  const auto& request = parser->get();
  if (request.method() != http::verb::post) {
    waiting_since_.reset();
  }
  version_ = request.version();
  is_head_ = request.method() == http::verb::head;
  accepted_.gzip = accepts_gzip(request[http::field::accept_encoding]);
  accepted_.if_none_match = request[http::field::if_none_match];
  const auto length = parser->content_length();
  const bool has_body = parser->chunked() || (length && *length > 0);
  RequestHead head;
  head.method = request.method_string();
  head.target = request.target();
  head.host = request[http::field::host];
  head.origin = request[http::field::origin];
  head.has_body = has_body;
  AdmittedRequest admitted = admit_request(head, context_.loopback_only);
  const bool is_plain = request.count(http::field::authorization) == 1;
  context_.parts.access.admit(admitted,
                              is_plain ? std::string_view(request[http::field::authorization]) : "",
                              peer_, now_ns(), grant_);
  if (admitted.refusal) {
    // What follows the head was not read, so that the next request could not be told from it.
    keep_alive_ = request.keep_alive() && !has_body;
    body_unread_ = has_body;
    api::Answer refusal = std::move(*admitted.refusal);
    co_return co_await write_answer(std::move(refusal));
  }
  keep_alive_ = request.keep_alive();
  cancelled_ = std::make_shared<std::atomic<bool>>(false);
  switch (admitted.route.endpoint) {
    case api::Endpoint::post_events:
    case api::Endpoint::post_otlp:
      co_return co_await answer_post(admitted, *parser);
    case api::Endpoint::export_events:
      co_return co_await answer_export(admitted);
    case api::Endpoint::tail: {
      std::string position(request["Last-Event-ID"]);
      co_return co_await answer_tail(admitted, std::move(position));
    }
    case api::Endpoint::healthz:
    case api::Endpoint::readyz: {
      api::Answer answer = admitted.route.endpoint == api::Endpoint::healthz
                               ? context_.parts.health()
                               : context_.parts.ready();
      co_return co_await write_answer(std::move(answer));
    }
    case api::Endpoint::metrics: {
      api::Answer answer;
      answer.content_type = "text/plain; version=0.0.4";
      answer.body = context_.parts.metrics_text();
      append_budgets(answer.body, context_);
      co_return co_await write_answer(std::move(answer));
    }
    default:
      co_return co_await answer_question(admitted);
  }
}

asio::awaitable<bool> HttpConnection::refuse_head(boost::system::error_code error) {
  api::Answer answer;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    answer = api::problem(431, "head_too_large", "The request's head is too large",
                          fmt::format("at most {} bytes are taken, and {} of one field",
                                      head_bytes_max, field_bytes_max));
  } else if (error == http::error::body_limit) {
    body_unread_ = true;
    answer = api::problem(413, "body_too_large", "The body is too large",
                          fmt::format("at most {} bytes are taken; send it in parts",
                                      context_.limits.http_body_bytes));
    tell_refusal(answer);
  } else if (error != http::error::end_of_stream && error != http::error::partial_message &&
             error.category() == http::make_error_code(http::error::bad_method).category()) {
    answer = api::problem(400, "not_http", "The request is not HTTP", error.message());
  } else {
    co_return false;  // gone, idle for too long, or closed by us
  }
  co_return co_await write_answer(std::move(answer));
}

asio::awaitable<bool> HttpConnection::write_answer(api::Answer answer) {
  keep_alive_ = keep_alive_ && !context_.stopping;
  const unsigned digit = answer.status / 100;
  if (digit < context_.parts.metrics.answers.size()) {
    ++context_.parts.metrics.answers[digit];
  }
  std::optional<Budget::Share> share = context_.bytes.take(answer.body.size());
  if (!share) {
    answer = api::problem(503, "overloaded", "A budget is used up",
                          "too many answers are on their way to slow readers");
    answer.retry_after_s = 1;
  }
  http::response<http::string_body> response(static_cast<http::status>(answer.status), version_);
  response.set(http::field::server, "docket");
  response.set(http::field::content_type, answer.content_type);
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  if (!answer.etag.empty()) {
    response.set(http::field::etag, answer.etag);
    response.set(http::field::vary, "Accept-Encoding");
  }
  if (!answer.content_encoding.empty()) {
    response.set(http::field::content_encoding, answer.content_encoding);
  }
  if (!answer.allow.empty()) {
    response.set(http::field::allow, answer.allow);
  }
  if (!answer.authenticate.empty()) {
    response.set(http::field::www_authenticate, answer.authenticate);
  }
  if (answer.retry_after_s > 0) {
    response.set(http::field::retry_after, std::to_string(answer.retry_after_s));
  }
  response.keep_alive(keep_alive_);
  if (answer.status != 304) {
    response.content_length(answer.body.size());
  }
  if (!is_head_) {
    response.body() = std::move(answer.body);
  }
  http::response_serializer<http::string_body> serializer(response);
  boost::system::error_code error;
  stream_.expires_after(write_timeout);
  if (is_head_) {
    co_await http::async_write_header(stream_, serializer,
                                      asio::redirect_error(asio::use_awaitable, error));
  } else {
    co_await http::async_write(stream_, serializer,
                               asio::redirect_error(asio::use_awaitable, error));
  }
  co_return keep_alive_ && !error;
}

void HttpConnection::watch_peer() {
  auto timer = std::make_shared<asio::steady_timer>(stream_.get_executor());
  watch_ = timer;
  stream_.socket().async_wait(
      asio::ip::tcp::socket::wait_read,
      [self = weak_from_this(), timer, cancelled = cancelled_](boost::system::error_code error) {
        const auto connection = self.lock();
        if (error || !connection || connection->watch_ != timer) {
          return;
        }
        const PeerState state =
            peer_state(connection->stream_.socket().native_handle(), connection->stream_.is_tls());
        if (state == PeerState::quiet) {
          connection->watch_peer();
        } else if (state == PeerState::closed) {
          timer->expires_after(half_closed_grace);
          timer->async_wait([timer, cancelled](boost::system::error_code stopped) {
            if (!stopped) {
              *cancelled = true;
            }
          });
        }
        // A peer that sends its next request already cannot be watched without reading it.
      });
}

void HttpConnection::stop_watching() {
  if (watch_) {
    watch_->cancel();
    watch_.reset();
    boost::system::error_code ignored;
    static_cast<void>(stream_.socket().cancel(ignored));
  }
}

asio::awaitable<void> HttpConnection::close_politely() {
  boost::system::error_code error;
  auto& socket = stream_.socket();
  if (!socket.is_open()) {
    co_return;
  }
  if (stream_.is_tls()) {
    // Fails where bytes are left that nobody reads; the farewell has been sent all the same.
    stream_.expires_after(half_closed_grace);
    co_await stream_.async_shutdown(asio::redirect_error(asio::use_awaitable, error));
    if (!socket.is_open()) {
      co_return;
    }
  }
  static_cast<void>(socket.shutdown(asio::ip::tcp::socket::shutdown_send, error));
  // Closing with unread bytes resets the connection and may take our last answer with it.
  const std::size_t bytes_max = body_unread_ ? refused_body_bytes_max : lingering_bytes_max;
  const auto end =
      std::chrono::steady_clock::now() + (body_unread_ ? refused_body_time_max : half_closed_grace);
  std::vector<char> rest(body_unread_ ? 65536 : 4096);
  std::size_t read = 0;
  error = {};
  while (!error && read < bytes_max) {
    // A peer that sends nothing for so long has had the time to see the answer.
    stream_.expires_at(std::min(end, std::chrono::steady_clock::now() + half_closed_grace));
    const auto buffer = asio::buffer(rest);
    read += co_await stream_.transport().async_read_some(
        buffer, asio::redirect_error(asio::use_awaitable, error));
  }
  stream_.close();
}

}  // namespace docket::server
