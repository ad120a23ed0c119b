#include "ingest/server.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "ingest/connection.hpp"
#include "ingest/server_core.hpp"

namespace docket::ingest {
namespace {

using boost::system::error_code;

constexpr std::size_t memory_bytes_min = std::size_t{64} << 10;
// After a failed accept (no file descriptors left, usually) the next try waits this long.
constexpr auto accept_pause = std::chrono::milliseconds(50);

// How long the io threads get to close what was cut at the deadline of stop().
constexpr auto cut_wait = std::chrono::milliseconds(1000);

Result<tcp::endpoint> resolve(const std::string& address, std::uint16_t port) {
  asio::io_context io;
  tcp::resolver resolver(io);
  error_code error;
  const auto found =
      resolver.resolve(address, std::to_string(port),
                       tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error || found.empty()) {
    return fail(ErrorCode::invalid_argument, "ingest address " + address + ": " + error.message());
  }
  return found.begin()->endpoint();
}

class RunningServer final : public Server {
 public:
  RunningServer(Store& store, const ServerOptions& options, RejectionObserver observer)
      : core_(store, options, std::move(observer)),
        work_(asio::make_work_guard(core_.io)),
        accept_strand_(asio::make_strand(core_.io)),
        acceptor_(accept_strand_) {}

  ~RunningServer() override {
    stop(0);
    // The store calls every completion; the last touch of the core is the count going down.
    while (core_.batches_in_flight.load() != 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    core_.blocking.join();
  }

  Result<void> listen() {
    DOCKET_ASSIGN(const tcp::endpoint endpoint, resolve(core_.options.address, core_.options.port));
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) {
      acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    }
    if (!error) {
      acceptor_.bind(endpoint, error);
    }
    if (!error) {
      acceptor_.listen(asio::socket_base::max_listen_connections, error);
    }
    if (!error) {
      port_ = acceptor_.local_endpoint(error).port();
    }
    if (error) {
      return fail_errno(
          "cannot listen on " + core_.options.address + ":" + std::to_string(core_.options.port),
          error.value());
    }
    return {};
  }

  void run() {
    asio::co_spawn(accept_strand_, accept_loop(), asio::detached);
    asio::co_spawn(accept_strand_, watch_loop(), asio::detached);
    for (std::uint32_t i = 0; i < core_.options.threads; ++i) {
      threads_.emplace_back([this] { core_.io.run(); });
    }
  }

  [[nodiscard]] std::uint16_t port() const override { return port_; }

  [[nodiscard]] ServerStats stats() const override {
    ServerStats stats;
    stats.connections = core_.connections.load(std::memory_order_relaxed);
    stats.connections_accepted = core_.connections_accepted.load(std::memory_order_relaxed);
    stats.events_accepted = core_.events_accepted.load(std::memory_order_relaxed);
    stats.events_rejected = core_.events_rejected.load(std::memory_order_relaxed);
    stats.batches_duplicate = core_.batches_duplicate.load(std::memory_order_relaxed);
    stats.protocol_errors = core_.protocol_errors.load(std::memory_order_relaxed);
    stats.bytes_received = core_.bytes_received.load(std::memory_order_relaxed);
    stats.memory_used = core_.budget.used() + core_.buffers.used();
    return stats;
  }

  void stop(std::uint32_t deadline_ms) override {
    const std::scoped_lock once(stop_mutex_);
    if (stopped_) {
      return;
    }
    stopped_ = true;
    if (!threads_.empty()) {
      stop_accepting();
      for (const auto& connection : all()) {
        connection->request_stop();
      }
      wait_until_empty(std::chrono::milliseconds(deadline_ms));
      for (const auto& connection : all()) {
        asio::post(connection->executor(), [connection] { connection->cut({}); });
      }
      wait_until_empty(cut_wait);
    }
    core_.io.stop();
    for (std::thread& thread : threads_) {
      thread.join();
    }
    // Whoever could not be cut in time would be kept by its wait until the budgets go, and that is
    // after the io context, which its socket needs.
    core_.budget.abandon_waits();
    core_.buffers.abandon_waits();
  }

 private:
  asio::awaitable<void> accept_loop() {
    asio::steady_timer pause(accept_strand_);
    while (acceptor_.is_open()) {
      const asio::any_io_executor strand = asio::make_strand(core_.io);
      tcp::socket socket(strand);
      error_code error;
      co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
      if (!acceptor_.is_open()) {
        co_return;
      }
      if (error) {
        pause.expires_after(accept_pause);
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
        continue;
      }
      take(strand, std::move(socket));
    }
  }

  void take(const asio::any_io_executor& strand, tcp::socket socket) {
    if (core_.connections.load() >= core_.options.connections_max) {
      error_code unknown;
      const std::string peer = socket.remote_endpoint(unknown).address().to_string();
      core_.rejected(peer, peer, "too many connections");
      return;
    }
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    core_.connections_accepted.fetch_add(1, std::memory_order_relaxed);
    const auto connection = std::make_shared<Connection>(core_, std::move(socket));
    {
      const std::scoped_lock lock(mutex_);
      connections_[connection.get()] = connection;
    }
    asio::co_spawn(strand, connection->run(), [this, connection](const std::exception_ptr& failed) {
      // Memory ran out, or a fault of ours: this connection ends, the others go on.
      if (failed) {
        connection->cut({});
      }
      const std::scoped_lock lock(mutex_);
      connections_.erase(connection.get());
      emptier_.notify_all();
    });
  }

  asio::awaitable<void> watch_loop() {
    const ServerOptions& options = core_.options;
    const std::uint32_t shortest =
        std::min({options.handshake_ms, options.idle_ms, options.write_ms});
    const std::chrono::milliseconds tick(std::clamp<std::uint32_t>(shortest / 4, 5, 250));
    const std::chrono::milliseconds patience(std::min<std::uint32_t>(options.handshake_ms, 1000));
    asio::steady_timer timer(accept_strand_);
    while (acceptor_.is_open()) {
      error_code ignored;
      timer.expires_after(tick);
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      const bool memory_is_wanted =
          std::max(core_.budget.longest_wait(), core_.buffers.longest_wait()) >= patience;
      const std::int64_t now = steady_ms();
      for (const auto& connection : all()) {
        connection->watch(now, memory_is_wanted);
      }
    }
  }

  void stop_accepting() {
    std::promise<void> closed;
    asio::post(accept_strand_, [this, &closed] {
      error_code ignored;
      acceptor_.close(ignored);
      closed.set_value();
    });
    closed.get_future().wait();
  }

  std::vector<std::shared_ptr<Connection>> all() {
    const std::scoped_lock lock(mutex_);
    std::vector<std::shared_ptr<Connection>> connections;
    connections.reserve(connections_.size());
    for (const auto& [key, weak] : connections_) {
      if (auto connection = weak.lock()) {
        connections.push_back(std::move(connection));
      }
    }
    return connections;
  }

  void wait_until_empty(std::chrono::milliseconds deadline) {
    std::unique_lock lock(mutex_);
    emptier_.wait_for(lock, deadline, [this] { return connections_.empty(); });
  }

  std::mutex stop_mutex_;
  bool stopped_ = false;
  std::mutex mutex_;
  std::condition_variable emptier_;
  std::unordered_map<Connection*, std::weak_ptr<Connection>> connections_;
  std::vector<std::thread> threads_;
  std::uint16_t port_ = 0;

  ServerCore core_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::strand<asio::io_context::executor_type> accept_strand_;
  tcp::acceptor acceptor_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(Store& store, const ServerOptions& options,
                                              RejectionObserver observer) {
  if (options.threads == 0 || options.connections_max == 0 ||
      options.memory_bytes < memory_bytes_min) {
    return fail(ErrorCode::invalid_argument,
                "ingest: threads and connections must not be 0, memory not below 64 KiB");
  }
  if (options.rules.payload_bytes_max > limits::payload_bytes_max) {
    return fail(ErrorCode::invalid_argument, "ingest: payloads are at most 1 MiB");
  }
  auto server = std::make_unique<RunningServer>(store, options, std::move(observer));
  DOCKET_TRY(server->listen());
  server->run();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace docket::ingest
