// One HTTP connection: requests one after the other, each answered before the next is read.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "ingest/tls_stream.hpp"
#include "tools/docketd/content_coding.hpp"
#include "tools/docketd/http_context.hpp"
#include "tools/docketd/request_guard.hpp"

namespace docket::server {

// Lives on the io thread. Whoever awaits run() holds a pointer meanwhile.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(HttpContext& context, boost::asio::ip::tcp::socket socket);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  [[nodiscard]] boost::asio::awaitable<void> run();
  // The server is stopping: an idle connection closes now, a busy one after its answer.
  void wind_down();
  void close_now();
  // When it began to wait for a request, head or body, in ns of the steady clock; nullopt: it has
  // one to answer.
  [[nodiscard]] std::optional<std::int64_t> waiting_since() const { return waiting_since_; }

 private:
  // As Beast's, whose own throws out of the io thread's work for a field that is too long for it.
  class Parser : public boost::beast::http::request_parser<boost::beast::http::string_body> {
    void on_field_impl(boost::beast::http::field name, boost::beast::string_view text,
                       boost::beast::string_view value, boost::system::error_code& error) override;
  };
  using Fields = boost::beast::http::fields;

  // Begins TLS, where it is spoken. False: the peer does not.
  boost::asio::awaitable<bool> shake_hands();
  // Reads one request and answers it. False: the connection is done.
  boost::asio::awaitable<bool> serve_one();
  enum class Body : std::uint8_t { complete, ended, no_room };
  // `share` grows with what has come.
  boost::asio::awaitable<Body> read_body(Parser& parser, Budget::Share& share);
  boost::asio::awaitable<bool> refuse_head(boost::system::error_code error);

  // Each answers one request and says whether the connection may go on.
  boost::asio::awaitable<bool> answer_question(const AdmittedRequest& request);
  boost::asio::awaitable<bool> answer_post(const AdmittedRequest& request, Parser& parser);
  // Refuses a post whose body is still to come.
  boost::asio::awaitable<bool> refuse_post(api::Answer answer);
  void tell_refusal(const api::Answer& answer) const;
  // What became of a post that was read whole: for its token's quota, and for who counts.
  void settle_post(const Result<ingest::RequestOutcome>& outcome, ingest::Quota* quota,
                   ingest::SenderWay way) const;
  boost::asio::awaitable<bool> answer_export(const AdmittedRequest& request);
  boost::asio::awaitable<bool> answer_tail(const AdmittedRequest& request, std::string position);

  // Writes a whole answer. False: the peer is gone or the connection is to close.
  boost::asio::awaitable<bool> write_answer(api::Answer answer);
  // The head of a stream; the body follows in pieces.
  boost::asio::awaitable<bool> write_stream_head(std::string_view content_type,
                                                 std::string_view file_name,
                                                 std::string_view trailers, bool gzip);
  boost::asio::awaitable<bool> write_piece(std::string_view piece);
  boost::asio::awaitable<bool> write_stream_end(const Fields& trailers);

  // The name of the token that the request at hand has shown.
  [[nodiscard]] std::string asker() const { return grant_ ? grant_->name : std::string(); }

  // Sets `cancelled_` when the peer goes away while nothing is read from it.
  void watch_peer();
  void stop_watching();
  // Closes so that the peer can read our last answer although not all it sent was read.
  boost::asio::awaitable<void> close_politely();

  HttpContext& context_;
  ingest::TlsStream stream_;
  boost::beast::flat_buffer buffer_;
  std::string peer_;
  bool idle_ = true;
  std::optional<std::int64_t> waiting_since_;
  // Of the request at hand:
  bool keep_alive_ = false;
  bool is_head_ = false;
  bool body_unread_ = false;  // refused without reading all of its body
  unsigned version_ = 11;
  Acceptance accepted_;
  Grant grant_;
  std::shared_ptr<std::atomic<bool>> cancelled_;
  std::shared_ptr<boost::asio::steady_timer> watch_;
};

}  // namespace docket::server
