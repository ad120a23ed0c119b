#include "ingest/connection.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstring>
#include <utility>

#include "engine/assert.hpp"
#include "engine/bytes.hpp"
#include "ingest/native_session.hpp"
#include "ingest/ndjson_session.hpp"
#include "ingest/protocol.hpp"
#include "ingest/syslog_session.hpp"

namespace docket::ingest {
namespace {

using boost::system::error_code;

// How long a closing connection waits for the peer to have read what was written last.
constexpr auto linger = std::chrono::milliseconds(1000);

// How often a wait with a deadline looks at the clock.
constexpr auto memory_tick = std::chrono::milliseconds(20);
// A connection that has waited so long for its peer gives its large buffer back.
constexpr std::uint32_t shed_after_ms = 1000;

constexpr std::string_view unknown_protocol =
    "error: this port takes the native protocol (first bytes DKT1), NDJSON (first byte {) or "
    "syslog (first byte < or a digit)\n";

bool is_blank(std::byte b) {
  return b == std::byte{' '} || b == std::byte{'\t'} || b == std::byte{'\r'} ||
         b == std::byte{'\n'};
}

}  // namespace

std::int64_t steady_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::max<std::int64_t>(1,
                                std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

Nanos steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::span<std::byte> InputBuffer::room() {
  if (begin_ != 0) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return std::span(bytes_).subspan(end_);
}

void InputBuffer::resize(std::size_t capacity) {
  DOCKET_ASSERT(end_ - begin_ <= capacity);
  std::vector<std::byte> bytes(capacity);
  std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(begin_),
            bytes_.begin() + static_cast<std::ptrdiff_t>(end_), bytes.begin());
  bytes_ = std::move(bytes);
  end_ -= begin_;
  begin_ = 0;
}

Connection::Connection(ServerCore& core, StreamSocket socket, TlsContext tls)
    : core_(core),
      socket_(std::move(socket)),
      tls_(std::move(tls)),
      peer_(peer_of(socket_.socket())),
      writer_signal_(socket_.executor()),
      progress_(socket_.executor()),
      handshake_since_(steady_ms()) {
  core_.connections.fetch_add(1, std::memory_order_relaxed);
}

Connection::~Connection() {
  core_.budget.settle(account);
  core_.buffers.settle(buffer_account_);
  core_.sessions.settle(tls_account_);
  core_.connections.fetch_sub(1, std::memory_order_relaxed);
}

asio::awaitable<bool> Connection::fill(std::size_t bytes_max) {
  for (;;) {
    if (input_ended_) {
      co_return false;
    }
    std::span<std::byte> room = input_.room();
    DOCKET_ASSERT(!room.empty());
    room = room.first(std::min(room.size(), bytes_max));
    error_code error;
    reading_since_.store(steady_ms(), std::memory_order_relaxed);
    const std::size_t bytes = co_await socket_.read_some(room, error);
    reading_since_.store(0, std::memory_order_relaxed);
    input_.filled(bytes);
    core_.bytes_received.fetch_add(bytes, std::memory_order_relaxed);
    last_read_was_full_ = bytes == room.size();
    if (bytes > 0) {
      co_return true;
    }
    if (error && error != asio::error::operation_aborted) {
      input_ended_ = true;
      if (error != asio::error::eof) {
        cut({});
      }
    }
  }
}

asio::awaitable<bool> Connection::wait_readable() {
  while (!input_ended_) {
    if (std::exchange(shed_wanted_, false)) {
      shrink_input();
    }
    error_code error;
    reading_since_.store(steady_ms(), std::memory_order_relaxed);
    co_await socket_.wait_readable(error);
    reading_since_.store(0, std::memory_order_relaxed);
    if (!error) {
      co_return true;
    }
    if (error != asio::error::operation_aborted) {
      cut({});
    }
  }
  co_return false;
}

void Connection::resize_input(std::size_t capacity) {
  input_.resize(capacity);
  has_large_buffer_.store(capacity > InputBuffer::bytes_min, std::memory_order_relaxed);
}

void Connection::try_grow_input(std::size_t capacity) {
  if (core_.buffers.try_take(buffer_account_, capacity - input_.capacity())) {
    resize_input(capacity);
  }
}

asio::awaitable<bool> Connection::grow_input(std::size_t capacity) {
  const std::int64_t deadline = steady_ms() + core_.options.handshake_ms;
  const bool taken =
      co_await take_waiting(core_.buffers, buffer_account_, capacity - input_.capacity(), deadline);
  if (taken) {
    resize_input(capacity);
  }
  co_return taken;
}

void Connection::shrink_input() {
  const std::size_t more = input_.capacity() - InputBuffer::bytes_min;
  if (more != 0 && input_.unread().size() < InputBuffer::bytes_min) {
    resize_input(InputBuffer::bytes_min);
    core_.buffers.give_back(buffer_account_, more);
  }
}

asio::awaitable<bool> Connection::read_exactly(std::span<std::byte> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    if (input_ended_) {
      co_return false;
    }
    const std::span<std::byte> rest = into.subspan(done);
    error_code error;
    reading_since_.store(steady_ms(), std::memory_order_relaxed);
    const std::size_t bytes = co_await socket_.read_some(rest, error);
    reading_since_.store(0, std::memory_order_relaxed);
    core_.bytes_received.fetch_add(bytes, std::memory_order_relaxed);
    done += bytes;
    if (bytes == 0 && error && error != asio::error::operation_aborted) {
      input_ended_ = true;
      if (error != asio::error::eof) {
        cut({});
      }
    }
  }
  co_return true;
}

bool Connection::more_is_ready() {
  // A record under TLS may be smaller than the room without being the last one.
  return (last_read_was_full_ || tls_) && !input_ended_ && socket_.is_ready();
}

void Connection::end_input() {
  if (input_ended_) {
    return;
  }
  input_ended_ = true;
  // Wakes a pending read. A pending write is woken too and simply goes on.
  socket_.cancel();
  changed();
}

void Connection::request_stop() {
  asio::post(executor(), [self = shared_from_this()] {
    self->stopping_ = true;
    self->end_input();
  });
}

void Connection::set_partial(bool partial) {
  if (!partial) {
    partial_since_.store(0, std::memory_order_relaxed);
  } else if (partial_since_.load(std::memory_order_relaxed) == 0) {
    partial_since_.store(steady_ms(), std::memory_order_relaxed);
  }
}

void Connection::watch(std::int64_t now_ms, bool memory_is_wanted) {
  const auto passed = [now_ms](const std::atomic<std::int64_t>& since, std::uint32_t limit_ms) {
    const std::int64_t start = since.load(std::memory_order_relaxed);
    return start != 0 && now_ms - start > static_cast<std::int64_t>(limit_ms);
  };
  const ServerOptions& limits = core_.options;
  const char* reason = nullptr;
  if (passed(handshake_since_, limits.handshake_ms)) {
    reason = "no complete first frame or line in time";
  } else if (passed(writing_since_, limits.write_ms)) {
    reason = "does not read its answers";
  } else if (memory_is_wanted && reading_since_.load(std::memory_order_relaxed) != 0 &&
             passed(partial_since_, limits.handshake_ms)) {
    reason = "too slow with a frame or line while memory is short";
  } else if (passed(reading_since_, limits.idle_ms)) {
    reason = "";  // an idle peer did nothing wrong
  }
  if (reason != nullptr) {
    asio::post(executor(),
               [self = shared_from_this(), text = std::string(reason)] { self->cut(text); });
  } else if (has_large_buffer_.load(std::memory_order_relaxed) &&
             passed(reading_since_, shed_after_ms)) {
    asio::post(executor(), [self = shared_from_this()] {
      self->shed_wanted_ = true;
      self->socket_.cancel();  // a pending write simply goes on
    });
  }
}

void Connection::append(std::string_view text) {
  append_bytes(outbox_, as_byte_span(text));
}

void Connection::wake_writer() {
  writer_signal_.cancel();
}

void Connection::write_now() {
  if (writer_is_idle_ && !composer_ && !cut_) {
    const std::size_t sent = socket_.write_at_once(outbox_);
    if (sent == outbox_.size()) {
      outbox_.clear();
      return;
    }
    outbox_.erase(outbox_.begin(), outbox_.begin() + static_cast<std::ptrdiff_t>(sent));
  }
  wake_writer();
}

void Connection::changed() {
  progress_.cancel();
}

asio::awaitable<void> Connection::pause() {
  error_code ignored;
  progress_.expires_at(asio::steady_timer::time_point::max());
  co_await progress_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

asio::awaitable<void> Connection::keep_to(std::shared_ptr<Quota> quota) {
  if (!quota) {
    co_return;
  }
  const Nanos begun = steady_ns();
  Nanos now = begun;
  for (Nanos wait = quota->wait(now); wait > 0 && !cut_ && !input_ended_; wait = quota->wait(now)) {
    error_code ignored;
    progress_.expires_after(std::chrono::nanoseconds(wait));
    co_await progress_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    now = steady_ns();
  }
  if (now != begun) {
    quota->throttled(now - begun);
  }
}

asio::awaitable<void> Connection::yield() {
  co_await asio::post(executor(), asio::use_awaitable);
}

asio::awaitable<bool> Connection::take_waiting(MemoryBudget& budget, MemoryBudget::Account& from,
                                               std::size_t bytes, std::int64_t deadline_ms) {
  const auto granted = std::make_shared<bool>(false);
  std::function<void()> when_granted = [self = shared_from_this(), granted] {
    *granted = true;
    self->changed();
  };
  auto message = std::make_shared<Message>(executor(), std::move(when_granted));
  std::function<void()> on_grant = [&mail = core_.mail, message = std::move(message)] {
    mail.send(message);
  };
  if (budget.take(from, bytes, std::move(on_grant))) {
    co_return true;
  }
  while (!*granted) {
    if (cut_ || (deadline_ms != 0 && steady_ms() > deadline_ms)) {
      // Served at the last moment, the bytes are given back when the connection goes.
      budget.leave(from);
      co_return false;
    }
    if (deadline_ms != 0) {
      progress_.expires_after(memory_tick);
      error_code ignored;
      co_await progress_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    } else {
      co_await pause();
    }
  }
  // The peer had no chance to go on while it was not read from.
  const std::int64_t now = steady_ms();
  for (auto* since : {&partial_since_, &handshake_since_}) {
    if (since->load(std::memory_order_relaxed) != 0) {
      since->store(now, std::memory_order_relaxed);
    }
  }
  co_return true;
}

asio::awaitable<bool> Connection::reserve(std::size_t bytes) {
  return take_waiting(core_.budget, account, bytes, 0);
}

asio::awaitable<Result<Log*>> Connection::open_log(std::string name) {
  if (Log* log = core_.logs.find(name)) {
    co_return log;
  }
  const auto opened = std::make_shared<std::optional<Result<Log*>>>();
  std::function<void()> open = [self = shared_from_this(), opened, name] {
    Result<Log*> result;
    try {
      result = self->core_.store.log(name);
      if (result) {
        self->core_.logs.add(name, *result);
      }
    } catch (const std::bad_alloc&) {
      // It passes. "Overloaded" would be for good here: there are as many logs as there may be.
      result = docket::fail(ErrorCode::busy, out_of_memory().message);
    }
    patiently([&] {
      asio::post(self->executor(), [self, opened, result] {
        *opened = result;
        self->changed();
      });
    });
  };
  asio::post(core_.blocking, std::move(open));
  while (!opened->has_value()) {
    co_await pause();
  }
  co_return std::move(**opened);
}

Result<SenderRights> Connection::rights_of(std::string_view token) const {
  if (!core_.options.authenticate) {
    return SenderRights();
  }
  return core_.options.authenticate({token, socket_.certificate()}, peer_);
}

void Connection::refuse(const std::string& node, const std::string& reason) {
  core_.rejected(node, peer_, reason);
  end_input();
}

void Connection::cut(const std::string& reason) {
  if (cut_) {
    return;
  }
  cut_ = true;
  input_ended_ = true;
  socket_.close();
  writer_signal_.cancel();
  changed();
  if (!reason.empty()) {
    core_.rejected(peer_, peer_, reason);
  }
}

asio::awaitable<void> Connection::write_loop(std::shared_ptr<Connection> self) {
  struct End {
    Connection& connection;
    bool is_regular = false;
    ~End() {
      connection.writer_ended_ = true;
      if (!is_regular && !connection.core_.ios.front().stopped()) {
        connection.cut({});
      }
      connection.changed();
    }
  } end{*self};
  while (!cut_) {
    if (composer_) {
      composer_();
    }
    if (outbox_.empty()) {
      if (writer_may_end_) {
        break;
      }
      error_code ignored;
      writer_signal_.expires_at(asio::steady_timer::time_point::max());
      writer_is_idle_ = true;
      co_await writer_signal_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      writer_is_idle_ = false;
      continue;
    }
    std::swap(outbox_, writing_);
    outbox_.clear();
    changed();  // there is room in the outbox again
    std::size_t done = 0;
    while (done < writing_.size() && !cut_) {
      const std::span<const std::byte> rest = std::span(writing_).subspan(done);
      error_code error;
      writing_since_.store(steady_ms(), std::memory_order_relaxed);
      done += co_await socket_.write_some(rest, error);
      writing_since_.store(0, std::memory_order_relaxed);
      if (error && error != asio::error::operation_aborted) {
        cut({});
      }
    }
    if (writing_.capacity() > outbox_bytes_max) {
      writing_ = {};
    }
  }
  end.is_regular = true;
}

void Connection::refuse_clear() {
  const auto unread = input_.unread();
  if (unread[0] == std::byte{'{'} || is_blank(unread[0])) {
    append(R"({"line":1,"error":"this port speaks TLS"})"
           "\n");
  } else if (unread[0] == static_cast<std::byte>(native_preface[0])) {
    ErrorFrame error;
    error.code = WireError::protocol;
    error.message = "this port speaks TLS";
    append_error(outbox_, error);
  } else {
    append("error: this port speaks TLS\n");
  }
  wake_writer();
  refuse(peer_, "in the clear, where TLS is spoken");
}

asio::awaitable<Connection::Meeting> Connection::begin_tls() {
  Opening opening = Opening::incomplete;
  while (opening == Opening::incomplete) {
    const bool more = co_await fill(tls_opening_bytes - input_.unread().size());
    if (!more) {
      co_return input_.unread().empty() ? Meeting::nothing_came : Meeting::failed;
    }
    opening = opening_of(input_.unread());
  }
  if (opening == Opening::other) {
    refuse_clear();
    co_return Meeting::failed;
  }
  if (opening == Opening::too_long) {
    refuse(peer_, "TLS: the first message is longer than 16 KiB");
    co_return Meeting::failed;
  }
  if (!core_.sessions.try_take(tls_account_, tls_connection_bytes)) {
    refuse(peer_, "TLS: no memory for so many connections");
    co_return Meeting::failed;
  }
  error_code error;
  reading_since_.store(steady_ms(), std::memory_order_relaxed);
  co_await socket_.accept_tls(tls_, input_.unread(), error);
  reading_since_.store(0, std::memory_order_relaxed);
  input_.consume(input_.unread().size());
  if (error && !input_ended_) {
    refuse(peer_, "TLS: " + socket_.fault());
  }
  co_return error ? Meeting::failed : Meeting::safe;
}

asio::awaitable<void> Connection::serve_protocol() {
  if (tls_) {
    const Meeting met = co_await begin_tls();
    if (met == Meeting::failed && !stopping_) {
      core_.tls_failures.fetch_add(1, std::memory_order_relaxed);
    }
    if (met != Meeting::safe) {
      co_return;
    }
  }
  for (;;) {
    const auto unread = input_.unread();
    if (!unread.empty() && (unread[0] == std::byte{'{'} || is_blank(unread[0]))) {
      const auto session = std::make_shared<NdjsonSession>(shared_from_this());
      co_await session->run();
      co_return;
    }
    if (!unread.empty() && begins_syslog(unread[0])) {
      const auto session = std::make_shared<SyslogSession>(shared_from_this());
      co_await session->run();
      co_return;
    }
    const std::string_view text = as_text(unread);
    const std::string_view start = text.substr(0, native_preface.size());
    if (start != native_preface.substr(0, start.size())) {
      append(unknown_protocol);
      wake_writer();
      refuse(peer_, "unknown protocol");
      co_return;
    }
    if (start.size() == native_preface.size()) {
      input_.consume(native_preface.size());
      const auto session = std::make_shared<NativeSession>(shared_from_this());
      co_await session->run();
      co_return;
    }
    const bool more = co_await fill();
    if (!more) {
      co_return;
    }
  }
}

// Closing with unread input makes the kernel send a reset, which can take the last answers from the
// peer. So the peer is first told that nothing more comes, and what it still sends is read over.
asio::awaitable<void> Connection::close_gently() {
  established();
  writer_may_end_ = true;
  wake_writer();
  while (!writer_ended_) {
    co_await pause();
  }
  if (cut_) {
    co_return;
  }
  const std::int64_t until = steady_ms() + linger.count();
  asio::steady_timer give_up(executor(), linger);
  give_up.async_wait([self = shared_from_this()](const error_code& cancelled) {
    if (!cancelled) {
      self->cut({});
    }
  });
  co_await socket_.end_sending();
  error_code error;
  input_.consume(input_.unread().size());
  const std::span<std::byte> room = input_.room();
  const auto buffer = asio::buffer(room.data(), room.size());
  while (!error && !cut_ && steady_ms() < until) {
    co_await socket_.socket().async_read_some(buffer,
                                              asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted) {
      error = {};
    }
  }
  give_up.cancel();
  cut({});
}

asio::awaitable<void> Connection::run() {
  asio::co_spawn(executor(), write_loop(shared_from_this()), asio::detached);
  co_await serve_protocol();
  co_await close_gently();
}

}  // namespace docket::ingest
