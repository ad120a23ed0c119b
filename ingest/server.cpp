#include "ingest/server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#include "engine/out_of_memory.hpp"
#include "ingest/connection.hpp"
#include "ingest/server_core.hpp"

namespace docket::ingest {
namespace {

using boost::system::error_code;
using tcp = boost::asio::ip::tcp;

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

// A peer whose machine or network is gone sends nothing that would say so. The kernel asks it
// instead, and ends the connection within a minute; a Unix socket needs none of this.
void watch_peer(StreamSocket& socket) {
  constexpr int quiet_s = 20;
  constexpr int again_s = 10;
  constexpr int times = 3;
  error_code ignored;
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  for (const auto& [option, value] :
       {std::pair{TCP_KEEPIDLE, quiet_s}, std::pair{TCP_KEEPINTVL, again_s},
        std::pair{TCP_KEEPCNT, times}}) {
    static_cast<void>(
        ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &value, sizeof value));
  }
}

class RunningServer final : public Server {
 public:
  RunningServer(Store& store, const ServerOptions& options, RejectionObserver observer)
      : core_(store, options, std::move(observer)),
        acceptor_(core_.ios.front()),
        local_acceptor_(core_.ios.front()),
        watch_timer_(core_.ios.front()) {
    work_.reserve(core_.ios.size());
    for (asio::io_context& io : core_.ios) {
      work_.push_back(asio::make_work_guard(io));
    }
  }

  ~RunningServer() override {
    stop(0);
    // The store calls every completion; the last touch of the core is the count going down.
    while (core_.batches_in_flight.load() != 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    core_.blocking.join();
    core_.mail.drop();
  }

  Result<void> listen() {
    DOCKET_ASSIGN(const tcp::endpoint endpoint, resolve(core_.options.address, core_.options.port));
    error_code error;
    tcp::acceptor acceptor(core_.ios.front());
    acceptor.open(endpoint.protocol(), error);
    if (!error) {
      acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    }
    if (!error) {
      acceptor.bind(endpoint, error);
    }
    if (!error) {
      acceptor.listen(asio::socket_base::max_listen_connections, error);
    }
    if (!error) {
      port_ = acceptor.local_endpoint(error).port();
    }
    if (error) {
      return fail_errno(
          "cannot listen on " + core_.options.address + ":" + std::to_string(core_.options.port),
          error.value());
    }
    acceptor_ = std::move(acceptor);
    if (!core_.options.socket.empty()) {
      DOCKET_TRY(
          local_file_.listen(local_acceptor_, core_.options.socket, core_.options.socket_mode));
    }
    return {};
  }

  void run() {
    for (StreamAcceptor* acceptor : {&acceptor_, &local_acceptor_}) {
      asio::co_spawn(acceptor->get_executor(), accept_loop(acceptor), asio::detached);
    }
    asio::co_spawn(acceptor_.get_executor(), watch_loop(nullptr), asio::detached);
    threads_.reserve(core_.ios.size());
    for (asio::io_context& io : core_.ios) {
      threads_.emplace_back([&io] { run_io(io); });
    }
  }

  [[nodiscard]] std::uint16_t port() const override { return port_; }

  [[nodiscard]] ServerStats stats() const override {
    ServerStats stats;
    stats.connections = core_.connections.load(std::memory_order_relaxed);
    stats.connections_accepted = core_.connections_accepted.load(std::memory_order_relaxed);
    stats.intake = core_.intake.numbers();
    for (const SenderWay way : {SenderWay::native, SenderWay::ndjson, SenderWay::syslog}) {
      const auto place = static_cast<std::size_t>(way);
      const auto& rejected = stats.intake.rejected[place];
      stats.events_accepted += stats.intake.accepted[place];
      stats.events_rejected += std::accumulate(rejected.begin(), rejected.end(), std::uint64_t{0});
    }
    stats.batches_duplicate = core_.batches_duplicate.load(std::memory_order_relaxed);
    stats.protocol_errors = core_.protocol_errors.load(std::memory_order_relaxed);
    stats.tls_failures = core_.tls_failures.load(std::memory_order_relaxed);
    stats.bytes_received = core_.bytes_received.load(std::memory_order_relaxed);
    stats.memory_used = core_.budget.used() + core_.buffers.used();
    return stats;
  }

  [[nodiscard]] SenderLedger& senders() override { return core_.senders; }
  [[nodiscard]] IntakeCounts& intake() override { return core_.intake; }

  void stop(std::uint32_t deadline_ms) override {
    const std::scoped_lock once(stop_mutex_);
    if (stopped_) {
      return;
    }
    stopped_ = true;
    if (!threads_.empty()) {
      stop_accepting();
      patiently([this] {
        for (const auto& connection : all()) {
          connection->request_stop();
        }
      });
      wait_until_empty(std::chrono::milliseconds(deadline_ms));
      patiently([this] {
        for (const auto& connection : all()) {
          asio::post(connection->executor(), [connection] { connection->cut({}); });
        }
      });
      wait_until_empty(cut_wait);
      stop_watching();
    }
    for (asio::io_context& io : core_.ios) {
      io.stop();
    }
    for (std::thread& thread : threads_) {
      thread.join();
    }
    core_.logs.start_commits();
    // Whoever could not be cut in time would be kept by its wait until the budgets go, and that is
    // after the io context, which its socket needs.
    core_.budget.abandon_waits();
    core_.buffers.abandon_waits();
  }

 private:
  // In the frame of a loop of the server: begins it anew when Asio has dropped it, for which see
  // connection.hpp.
  struct Revival {
    RunningServer& server;
    asio::awaitable<void> (RunningServer::*loop)(StreamAcceptor*);
    StreamAcceptor* acceptor;
    bool is_over = false;
    ~Revival() {
      if (!is_over && !server.has_stopped()) {
        patiently([this] {
          asio::co_spawn(server.acceptor_.get_executor(), (server.*loop)(acceptor), asio::detached);
        });
      }
    }
  };
  // In the frame of a connection's coroutine: however that ends, the connection is over.
  struct Presence {
    RunningServer& server;
    std::uint64_t number;
    std::shared_ptr<Connection> connection;
    ~Presence() {
      if (!server.has_stopped()) {
        connection->cut({});
      }
      const std::scoped_lock lock(server.mutex_);
      server.connections_.erase(number);
      server.emptier_.notify_all();
    }
  };

  static void run_io(asio::io_context& io) {
    for (;;) {
      try {
        io.run();
        return;
      } catch (const std::bad_alloc&) {
        // Memory ran out in a handler, and what its coroutine held is let go of; the others go on.
      }
    }
  }

  [[nodiscard]] bool has_stopped() const { return core_.ios.front().stopped(); }

  asio::awaitable<void> accept_loop(StreamAcceptor* acceptor) {
    Revival revival{*this, &RunningServer::accept_loop, acceptor};
    asio::steady_timer pause(acceptor->get_executor());
    while (acceptor->is_open()) {
      StreamSocket socket(core_.ios[next_io_]);
      next_io_ = (next_io_ + 1) % core_.ios.size();
      error_code error;
      co_await acceptor->async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
      if (!acceptor->is_open()) {
        break;
      }
      if (error) {
        pause.expires_after(accept_pause);
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
        continue;
      }
      // A connection that there is no memory for is closed at once.
      static_cast<void>(within_memory([&]() -> Result<void> {
        take(std::move(socket), acceptor == &local_acceptor_);
        return {};
      }));
    }
    revival.is_over = true;
  }

  void take(StreamSocket socket, bool is_local) {
    if (core_.connections.load() >= core_.options.connections_max) {
      const std::string peer = peer_of(socket);
      core_.rejected(peer, peer, "too many connections");
      return;
    }
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);  // no option of a Unix socket
    watch_peer(socket);
    const std::uint64_t number = core_.connections_accepted.fetch_add(1, std::memory_order_relaxed);
    TlsContext tls;
    if (!is_local && core_.options.tls) {
      tls = core_.options.tls();
    }
    const auto connection = std::make_shared<Connection>(core_, std::move(socket), std::move(tls));
    // Takes it out again, whatever fails from here on.
    std::shared_ptr<Presence> presence(new Presence{*this, number, connection});
    {
      const std::scoped_lock lock(mutex_);
      connections_[number] = connection;
    }
    asio::co_spawn(connection->executor(), serve(std::move(presence)), asio::detached);
  }

  // A parameter, because that is there before the coroutine has begun.
  static asio::awaitable<void> serve(std::shared_ptr<Presence> presence) {
    co_await presence->connection->run();
  }

  // The watch needs no acceptor; it has the form of a loop that can be revived.
  asio::awaitable<void> watch_loop(StreamAcceptor*) {
    const ServerOptions& options = core_.options;
    const std::uint32_t shortest =
        std::min({options.handshake_ms, options.idle_ms, options.write_ms});
    const std::chrono::milliseconds tick(std::clamp<std::uint32_t>(shortest / 4, 5, 250));
    const std::chrono::milliseconds patience(std::min<std::uint32_t>(options.handshake_ms, 1000));
    Revival revival{*this, &RunningServer::watch_loop, nullptr};
    while (!is_ending_) {
      error_code ignored;
      watch_timer_.expires_after(tick);
      co_await watch_timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      const bool memory_is_wanted =
          std::max(core_.budget.longest_wait(), core_.buffers.longest_wait()) >= patience;
      core_.mail.send_late();
      // Whoever there is no memory to look at is looked at the next time.
      static_cast<void>(within_memory([&]() -> Result<void> {
        const std::int64_t now = steady_ms();
        for (const auto& connection : all()) {
          connection->watch(now, memory_is_wanted);
        }
        return {};
      }));
    }
    revival.is_over = true;
    const std::scoped_lock lock(mutex_);
    has_watched_ = true;
    emptier_.notify_all();
  }

  void stop_accepting() {
    patiently([this] {
      std::promise<void> closed;
      asio::post(acceptor_.get_executor(), [this, &closed] {
        error_code ignored;
        acceptor_.close(ignored);
        local_acceptor_.close(ignored);
        local_file_.remove();
        closed.set_value();
      });
      closed.get_future().wait();
    });
  }

  // Asio needs memory to put away a coroutine that still waits, so none is left behind.
  void stop_watching() {
    patiently([this] {
      asio::post(acceptor_.get_executor(), [this] {
        is_ending_ = true;
        watch_timer_.cancel();
      });
    });
    std::unique_lock lock(mutex_);
    emptier_.wait_for(lock, cut_wait, [this] { return has_watched_; });
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
  std::map<std::uint64_t, std::weak_ptr<Connection>> connections_;  // as they were accepted
  std::vector<std::thread> threads_;
  std::uint16_t port_ = 0;

  ServerCore core_;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  LocalSocketFile local_file_;
  StreamAcceptor acceptor_;
  StreamAcceptor local_acceptor_;  // not open where there is no path
  asio::steady_timer watch_timer_;
  bool is_ending_ = false;    // of the watch, on its thread
  bool has_watched_ = false;  // it is over; under the mutex
  std::size_t next_io_ = 0;   // for the next connection
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
