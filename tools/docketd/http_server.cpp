#include "tools/docketd/http_server.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <future>
#include <thread>

#include "engine/out_of_memory.hpp"
#include "tools/docketd/http_connection.hpp"
#include "tools/docketd/logger.hpp"

namespace docket::server {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::chrono::milliseconds accept_pause{100};

class Listener final : public HttpServer {
 public:
  Listener(const LimitSettings& limits, bool loopback_only, HttpParts parts)
      : context_(limits, loopback_only, std::move(parts)), acceptor_(io_) {}

  ~Listener() override { stop(0); }

  Result<void> open(const Address& address) {
    boost::system::error_code error;
    const auto ip = asio::ip::make_address(address.host, error);
    if (error) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("http: {}: {}", address.text(), error.message()));
    }
    const tcp::endpoint endpoint(ip, address.port);
    static_cast<void>(acceptor_.open(endpoint.protocol(), error));
    if (!error) {
      static_cast<void>(acceptor_.set_option(tcp::acceptor::reuse_address(true), error));
    }
    if (!error) {
      static_cast<void>(acceptor_.bind(endpoint, error));
    }
    if (!error) {
      static_cast<void>(acceptor_.listen(asio::socket_base::max_listen_connections, error));
    }
    if (error) {
      return fail_errno(fmt::format("http: cannot listen on {}", address.text()), error.value());
    }
    port_ = acceptor_.local_endpoint().port();
    asio::co_spawn(io_, accept(), asio::detached);
    thread_ = std::thread([this] { run(); });
    return {};
  }

  [[nodiscard]] std::uint16_t port() const override { return port_; }

  void stop(std::uint32_t deadline_ms) override {
    if (!thread_.joinable()) {
      return;
    }
    context_.stopping = true;
    patiently([this] {
      asio::post(io_, [this] {
        boost::system::error_code ignored;
        static_cast<void>(acceptor_.close(ignored));
        for_each_connection([](HttpConnection& connection) { connection.wind_down(); });
      });
    });
    // The io thread ends by itself once the last connection is gone.
    if (ended_.wait_for(std::chrono::milliseconds(deadline_ms)) != std::future_status::ready) {
      patiently([this] {
        asio::post(io_, [this] {
          for_each_connection([](HttpConnection& connection) { connection.close_now(); });
        });
      });
    }
    thread_.join();
    context_.query_pool.join();
    context_.long_query_pool.join();
    context_.store_pool.join();
    context_.export_pool.join();
  }

 private:
  // A connection that closes takes itself out of the set: so that is left behind in time.
  template <typename Call>
  void for_each_connection(Call call) {
    auto& connections = context_.connections;
    for (auto next = connections.begin(); next != connections.end();) {
      HttpConnection& connection = **next;
      ++next;
      call(connection);
    }
  }

  void run() {
    for (;;) {
      try {
        io_.run();
        break;
      } catch (const std::exception& error) {
        // Memory ran out in some handler; its connection is lost, the others go on.
        static_cast<void>(within_memory([&]() -> Result<void> {
          log_line(LogLevel::error, "an HTTP connection failed", {{"error", error.what()}});
          return {};
        }));
      }
    }
    end_.set_value();
  }

  // The coroutine's own copy of the pointer keeps the connection until it ends.
  static asio::awaitable<void> serve(std::shared_ptr<HttpConnection> connection) {
    co_await connection->run();
  }

  // Makes room for whoever has something to ask. False: all connections are busy.
  bool close_longest_waiting() {
    HttpConnection* longest = nullptr;
    for (HttpConnection* connection : context_.connections) {
      const auto since = connection->waiting_since();
      if (since && (longest == nullptr || *since < *longest->waiting_since())) {
        longest = connection;
      }
    }
    if (longest != nullptr) {
      longest->close_now();
    }
    return longest != nullptr;
  }

  // In the frame of accept(): begins it anew when it has ended for want of memory. Asio drops a
  // coroutine, without a word, when it has none to let it wait.
  struct Revival {
    Listener& listener;
    bool is_over = false;
    ~Revival() {
      if (!is_over && !listener.context_.stopping) {
        patiently([this] { asio::co_spawn(listener.io_, listener.accept(), asio::detached); });
      }
    }
  };

  asio::awaitable<void> accept() {
    Revival revival{*this};
    HttpMetrics& metrics = context_.parts.metrics;
    while (!context_.stopping) {
      boost::system::error_code error;
      tcp::socket socket =
          co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (error == asio::error::operation_aborted || !acceptor_.is_open()) {
        break;
      }
      if (error) {
        // No file descriptors, most likely: wait until some connection has ended.
        asio::steady_timer pause(io_, accept_pause);
        boost::system::error_code ignored;
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        continue;
      }
      if (metrics.connections >= context_.limits.http_connections && !close_longest_waiting()) {
        ++metrics.connections_refused;
        continue;  // Closed at once.
      }
      ++metrics.connections_accepted;
      // A connection that there is no memory for is closed at once.
      static_cast<void>(within_memory([&]() -> Result<void> {
        auto connection = std::make_shared<HttpConnection>(context_, std::move(socket));
        asio::co_spawn(io_, serve(std::move(connection)), asio::detached);
        return {};
      }));
    }
    revival.is_over = true;
  }

  HttpContext context_;  // outlives the coroutines that io_ may still hold
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::thread thread_;
  std::promise<void> end_;
  std::future<void> ended_ = end_.get_future();
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(const Address& address,
                                                      const LimitSettings& limits,
                                                      HttpParts parts) {
  auto listener = std::make_unique<Listener>(limits, address.is_loopback(), std::move(parts));
  DOCKET_TRY(listener->open(address));
  return listener;
}

}  // namespace docket::server
