// A connection in the clear or under TLS: which of the two makes no difference to what is read from
// it and written to it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream_base.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "ingest/tls.hpp"

namespace docket::ingest {

// An AsyncStream of Beast's. Not thread-safe. Every operation ends by expires_after() at the
// latest.
class TlsStream {
 public:
  using executor_type = boost::beast::tcp_stream::executor_type;

  // `tls` may be null: in the clear.
  TlsStream(boost::beast::tcp_stream stream, TlsContext tls) : tls_context_(std::move(tls)) {
    if (tls_context_) {
      tls_.emplace(std::move(stream), *tls_context_);
    } else {
      plain_.emplace(std::move(stream));
    }
  }

  [[nodiscard]] executor_type get_executor() { return transport().get_executor(); }
  [[nodiscard]] bool is_tls() const { return tls_.has_value(); }
  // Below TLS.
  [[nodiscard]] boost::beast::tcp_stream& transport() {
    return tls_ ? tls_->next_layer() : *plain_;
  }
  [[nodiscard]] boost::asio::ip::tcp::socket& socket() { return transport().socket(); }
  void expires_after(std::chrono::nanoseconds time) { transport().expires_after(time); }
  void expires_at(std::chrono::steady_clock::time_point time) { transport().expires_at(time); }
  // At once, without a farewell.
  void close() { transport().close(); }

  // The server's certificate must be valid for `host`, a name or an address. False: it cannot be
  // asked for. Precondition: is_tls().
  [[nodiscard]] bool expect_host(const std::string& host) {
    tls_->set_verify_callback(boost::asio::ssl::host_name_verification(host));
    boost::system::error_code no_address;
    static_cast<void>(boost::asio::ip::make_address(host, no_address));
    return !no_address || SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str()) == 1;
  }
  // Whether anything has come from the other side. Precondition: is_tls().
  [[nodiscard]] bool has_heard() {
    return BIO_number_read(SSL_get_rbio(tls_->native_handle())) != 0;
  }
  // Why the other side's certificate was not accepted; empty: it was not for that. Precondition:
  // is_tls().
  [[nodiscard]] std::string certificate_fault() {
    const long result = SSL_get_verify_result(tls_->native_handle());
    return result == X509_V_OK ? "" : X509_verify_cert_error_string(result);
  }
  // Precondition: is_tls().
  template <typename Handler>
  auto async_handshake(boost::asio::ssl::stream_base::handshake_type type, Handler&& handler) {
    return tls_->async_handshake(type, std::forward<Handler>(handler));
  }
  // Says that there will be no more, and waits for the same. Precondition: is_tls().
  template <typename Handler>
  auto async_shutdown(Handler&& handler) {
    return tls_->async_shutdown(std::forward<Handler>(handler));
  }

  template <typename Buffers, typename Handler>
  auto async_read_some(const Buffers& buffers, Handler&& handler)
      -> decltype(std::declval<boost::beast::tcp_stream&>().async_read_some(
          buffers, std::forward<Handler>(handler))) {
    if (tls_) {
      return tls_->async_read_some(buffers, std::forward<Handler>(handler));
    }
    return plain_->async_read_some(buffers, std::forward<Handler>(handler));
  }
  template <typename Buffers, typename Handler>
  auto async_write_some(const Buffers& buffers, Handler&& handler)
      -> decltype(std::declval<boost::beast::tcp_stream&>().async_write_some(
          buffers, std::forward<Handler>(handler))) {
    if (tls_) {
      return tls_->async_write_some(buffers, std::forward<Handler>(handler));
    }
    return plain_->async_write_some(buffers, std::forward<Handler>(handler));
  }

 private:
  TlsContext tls_context_;  // outlives the stream
  std::optional<boost::beast::tcp_stream> plain_;
  std::optional<boost::beast::ssl_stream<boost::beast::tcp_stream>> tls_;
};

}  // namespace docket::ingest
