// One accepted socket: bounded input, an outbox with its writer, and the marks by which the server
// sees that a peer is too slow. The sessions (native_session, ndjson_session, syslog_session) speak
// through it. Internal to the server's sources.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/log.hpp"
#include "engine/result.hpp"
#include "ingest/memory_budget.hpp"
#include "ingest/server_core.hpp"
#include "ingest/wire_socket.hpp"

namespace docket::ingest {

namespace asio = boost::asio;

// Milliseconds on the monotonic clock; never 0.
[[nodiscard]] std::int64_t steady_ms();
// The same clock, as quotas are kept by.
[[nodiscard]] Nanos steady_ns();

// Bytes read and not yet consumed, in one piece of memory.
class InputBuffer {
 public:
  static constexpr std::size_t bytes_min = 4096;

  [[nodiscard]] std::span<const std::byte> unread() const {
    return std::span(bytes_).subspan(begin_, end_ - begin_);
  }
  void consume(std::size_t bytes) { begin_ += bytes; }
  // Moves what is unread to the front and returns the room behind it.
  [[nodiscard]] std::span<std::byte> room();
  void filled(std::size_t bytes) { end_ += bytes; }
  [[nodiscard]] std::size_t capacity() const { return bytes_.size(); }
  // Precondition: what is unread fits.
  void resize(std::size_t capacity);

 private:
  std::vector<std::byte> bytes_ = std::vector<std::byte>(bytes_min);
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

//   handshake of TLS, where it is asked for
//     |
//   open --end of input, goodbye, stop(), refusal--> draining --all answered--> closed
//      \______________ cut(): dead, slow or hostile peer ______________________/
//
// Everything runs on the connection's io thread except watch(), which reads atomics. Memory that is
// not to be had ends the connection it was for: by an exception out of its coroutines, or in
// attempt(). Asio drops a coroutine, without a word, when it has no memory to let it wait; so what
// must happen in the end is left to destructors in its frame.
//
// C1  Nothing is read while the outbox is over `outbox_bytes_max`, so a peer that does not read its
//     answers cannot make them grow; it is cut after write_ms.
// C2  What came in and is not yet stored is held by `account`, the input buffer beyond its smallest
//     size by an account of its own. A connection that waits for its peer holds nothing but that
//     buffer, gives it back after a second, and the frame or long line it is in the middle of; that
//     one is cut when it takes long while others wait (watch()).
// C3  Under TLS it holds what that may take (tls_connection_bytes) from before the handshake on, of
//     a budget of its own; who cannot have it is refused.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  static constexpr std::size_t outbox_bytes_max = std::size_t{256} << 10;

  // `tls`: what the peer must speak; null: in the clear.
  Connection(ServerCore& core, StreamSocket socket, TlsContext tls);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Serves the peer to the end.
  [[nodiscard]] asio::awaitable<void> run();
  // Any thread: no more input is taken; what came is stored and answered, then the socket closes.
  void request_stop();
  // Any thread: whether a limit is passed; then the connection is cut.
  void watch(std::int64_t now_ms, bool memory_is_wanted);

  // --- for sessions, on its thread ---

  [[nodiscard]] ServerCore& core() { return core_; }
  [[nodiscard]] const std::string& peer() const { return peer_; }
  // What the peer may do that shows this token, or none, and perhaps a certificate. Error: nothing
  // at all, and why.
  [[nodiscard]] Result<SenderRights> rights_of(std::string_view token) const;
  [[nodiscard]] asio::any_io_executor executor() { return socket_.executor(); }
  [[nodiscard]] InputBuffer& input() { return input_; }
  MemoryBudget::Account account;

  // Reads once into input()'s room, at most so many bytes. False: there will be no more input.
  [[nodiscard]] asio::awaitable<bool> fill(std::size_t bytes_max = SIZE_MAX);
  // Reads exactly `into` past input(), for bodies. False as above.
  [[nodiscard]] asio::awaitable<bool> read_exactly(std::span<std::byte> into);
  // Waits until fill() will not have to. False: there will be no more input.
  [[nodiscard]] asio::awaitable<bool> wait_readable();
  // Makes input() larger, if that needs no waiting.
  void try_grow_input(std::size_t capacity);
  // The same, waiting. False: cut, or the memory was not to be had within handshake_ms.
  [[nodiscard]] asio::awaitable<bool> grow_input(std::size_t capacity);
  // Back to the smallest input(), where what is unread allows it.
  void shrink_input();
  // Whether the last fill() used all the room it had.
  [[nodiscard]] bool last_read_was_full() const { return last_read_was_full_; }
  // Whether the next read will not have to wait.
  [[nodiscard]] bool more_is_ready();
  // Makes fill() and read_exactly() return false from now on.
  void end_input();
  [[nodiscard]] bool input_ended() const { return input_ended_; }
  [[nodiscard]] bool stopping() const { return stopping_; }
  [[nodiscard]] bool is_cut() const { return cut_; }

  // The first frame or line is complete.
  void established() { handshake_since_.store(0, std::memory_order_relaxed); }
  // A frame or line that has begun and is not complete holds memory.
  void set_partial(bool partial);

  // What is to be sent; wake_writer() after appending.
  [[nodiscard]] std::vector<std::byte>& outbox() { return outbox_; }
  void append(std::string_view text);
  void wake_writer();
  // The same, for the last answer that is owed: where the writer is idle it need not be woken.
  void write_now();
  // `owed_bytes`: of answers that will come beside those in the outbox.
  [[nodiscard]] bool outbox_full(std::size_t owed_bytes = 0) const {
    return outbox_.size() + owed_bytes > outbox_bytes_max;
  }
  // Called before the outbox is written, to add what is said at most once per write.
  void set_composer(std::function<void()> composer) { composer_ = std::move(composer); }

  // Suspends the session's coroutine until changed() is called. Loop over the condition waited for.
  [[nodiscard]] asio::awaitable<void> pause();
  void changed();
  // Keeps to the quota, if there is one: returns when something may be read again, or the
  // connection is to end. The peer is not read from meanwhile, and gets its answers.
  [[nodiscard]] asio::awaitable<void> keep_to(std::shared_ptr<Quota> quota);
  // Lets the other connections of this thread have their turn.
  [[nodiscard]] asio::awaitable<void> yield();
  // Waits for `bytes` of the budget. False: the connection was cut meanwhile, nothing is reserved.
  [[nodiscard]] asio::awaitable<bool> reserve(std::size_t bytes);
  // The store's log of that name, made where it is new. No io thread waits for the store here.
  [[nodiscard]] asio::awaitable<Result<Log*>> open_log(std::string name);

  // For what runs outside of the connection's coroutines: where there is no memory for `work`, the
  // connection is cut.
  template <typename Work>
  void attempt(Work work) {
    try {
      work();
    } catch (const std::bad_alloc&) {
      cut({});
    }
  }
  // A peer that breaks its protocol: counted and told to the observer. Ends input.
  void refuse(const std::string& node, const std::string& reason);
  // Closes the socket at once. Does not throw when `reason` is empty.
  void cut(const std::string& reason);

 private:
  // `self` keeps the connection while the coroutine has a frame.
  [[nodiscard]] asio::awaitable<void> write_loop(std::shared_ptr<Connection> self);
  enum class Meeting : std::uint8_t { safe, nothing_came, failed };
  // Failed: the peer does not speak TLS, or not so that it can be served.
  [[nodiscard]] asio::awaitable<Meeting> begin_tls();
  // Tells a peer that speaks in the clear what this port wants, in its own protocol.
  void refuse_clear();
  [[nodiscard]] asio::awaitable<void> serve_protocol();
  [[nodiscard]] asio::awaitable<void> close_gently();
  // Waits in a budget's line; `deadline_ms` on the steady clock, 0: none.
  [[nodiscard]] asio::awaitable<bool> take_waiting(MemoryBudget& budget,
                                                   MemoryBudget::Account& from, std::size_t bytes,
                                                   std::int64_t deadline_ms);
  void resize_input(std::size_t capacity);

  ServerCore& core_;
  WireSocket socket_;
  const TlsContext tls_;
  std::string peer_;
  InputBuffer input_;
  MemoryBudget::Account buffer_account_;
  MemoryBudget::Account tls_account_;
  std::vector<std::byte> outbox_;
  std::vector<std::byte> writing_;
  std::function<void()> composer_;
  asio::steady_timer writer_signal_;
  asio::steady_timer progress_;
  bool last_read_was_full_ = false;
  bool input_ended_ = false;
  bool stopping_ = false;
  bool cut_ = false;
  bool writer_is_idle_ = false;
  bool writer_may_end_ = false;
  bool writer_ended_ = false;
  bool shed_wanted_ = false;

  // Since when, in steady_ms(), or 0: seen by watch().
  std::atomic<std::int64_t> handshake_since_;
  std::atomic<std::int64_t> reading_since_{0};
  std::atomic<std::int64_t> writing_since_{0};
  std::atomic<std::int64_t> partial_since_{0};
  std::atomic<bool> has_large_buffer_{false};
};

}  // namespace docket::ingest
