#include "ingest/wire_socket.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "engine/bytes.hpp"

namespace docket::ingest {

namespace asio = boost::asio;
using boost::system::error_code;
using Step = TlsSession::Step;

namespace {

// So many records are read at a time, before the other connections of the thread have their turn.
constexpr int records_at_a_time = 16;
// As much as TLS puts into one.
constexpr std::size_t record_bytes_max = std::size_t{16} << 10;

}  // namespace

asio::awaitable<void> WireSocket::wait_for(Step step, error_code& error) {
  if (step == Step::ended) {
    error = asio::error::eof;
  } else if (step == Step::wants_read) {
    co_await socket_.async_wait(StreamSocket::wait_read,
                                asio::redirect_error(asio::use_awaitable, error));
  } else if (step == Step::wants_write) {
    co_await socket_.async_wait(StreamSocket::wait_write,
                                asio::redirect_error(asio::use_awaitable, error));
  } else {
    error = asio::error::connection_reset;
  }
}

asio::awaitable<void> WireSocket::shake_hands(error_code& error) {
  for (;;) {
    const Step step = tls_->shake_hands();
    if (step == Step::done) {
      error = {};
      co_return;
    }
    co_await wait_for(step, error);
    if (error) {
      co_return;
    }
  }
}

asio::awaitable<void> WireSocket::accept_tls(TlsContext context, std::span<const std::byte> opening,
                                             error_code& error) {
  tls_ = std::make_unique<TlsSession>(std::move(context), socket_.native_handle(), opening);
  co_await shake_hands(error);
}

asio::awaitable<void> WireSocket::connect_tls(TlsContext context, std::string host,
                                              error_code& error) {
  tls_ = std::make_unique<TlsSession>(std::move(context), socket_.native_handle(), host);
  co_await shake_hands(error);
}

asio::awaitable<std::size_t> WireSocket::read_some(std::span<std::byte> into, error_code& error) {
  error = {};
  if (!tls_) {
    const auto buffer = asio::buffer(into.data(), into.size());
    co_return co_await socket_.async_read_some(buffer,
                                               asio::redirect_error(asio::use_awaitable, error));
  }
  for (;;) {
    std::size_t done = 0;
    Step step = Step::done;
    for (int i = 0; i < records_at_a_time && step == Step::done && done < into.size(); ++i) {
      const TlsSession::Moved moved = tls_->read(into.subspan(done));
      done += moved.bytes;
      step = moved.step;
    }
    if (done != 0) {
      // Whatever stopped it shows at the next read.
      co_await asio::post(executor(), asio::use_awaitable);
      co_return done;
    }
    co_await wait_for(step, error);
    if (error) {
      co_return 0;
    }
  }
}

asio::awaitable<std::size_t> WireSocket::write_some(std::span<const std::byte> from,
                                                    error_code& error) {
  error = {};
  if (!tls_) {
    const auto buffer = asio::buffer(from.data(), from.size());
    co_return co_await socket_.async_write_some(buffer,
                                                asio::redirect_error(asio::use_awaitable, error));
  }
  for (;;) {
    const TlsSession::Moved moved = tls_->write(from);
    if (moved.step == Step::done) {
      co_return moved.bytes;
    }
    co_await wait_for(moved.step, error);
    if (error) {
      co_return 0;
    }
  }
}

std::size_t WireSocket::write_at_once(std::span<const std::byte> from) {
  if (tls_) {
    return 0;
  }
  const ssize_t sent =
      ::send(socket_.native_handle(), from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

asio::awaitable<void> WireSocket::write(const std::vector<asio::const_buffer>& buffers,
                                        error_code& error) {
  error = {};
  if (!tls_) {
    co_await asio::async_write(socket_, buffers, asio::redirect_error(asio::use_awaitable, error));
    co_return;
  }
  // Small ones share a record.
  std::vector<std::byte> record;
  record.reserve(record_bytes_max);
  for (const asio::const_buffer& buffer : buffers) {
    std::span<const std::byte> rest(static_cast<const std::byte*>(buffer.data()), buffer.size());
    while (!rest.empty()) {
      const std::size_t some = std::min(rest.size(), record_bytes_max - record.size());
      append_bytes(record, rest.first(some));
      rest = rest.subspan(some);
      if (record.size() == record_bytes_max) {
        co_await write_record(record, error);
        if (error) {
          co_return;
        }
        record.clear();
      }
    }
  }
  co_await write_record(record, error);
}

asio::awaitable<void> WireSocket::write_record(std::span<const std::byte> record,
                                               error_code& error) {
  while (!record.empty()) {
    const std::size_t written = co_await write_some(record, error);
    if (error) {
      co_return;
    }
    record = record.subspan(written);
  }
}

asio::awaitable<void> WireSocket::wait_readable(error_code& error) {
  error = {};
  if (!tls_) {
    co_await socket_.async_wait(StreamSocket::wait_read,
                                asio::redirect_error(asio::use_awaitable, error));
    co_return;
  }
  for (;;) {
    const Step step = tls_->look();
    if (step != Step::wants_read && step != Step::wants_write) {
      co_return;  // bytes, or what ends them
    }
    co_await wait_for(step, error);
    if (error) {
      co_return;
    }
  }
}

bool WireSocket::is_ready() {
  if (tls_) {
    return tls_->look() == Step::done;
  }
  error_code ignored;
  return socket_.available(ignored) > 0;
}

asio::awaitable<void> WireSocket::end_sending() {
  error_code error;
  while (tls_ && !error) {
    const Step step = tls_->say_goodbye();
    if (step != Step::wants_read && step != Step::wants_write) {
      break;  // said; or TLS has failed, and the other side was told why
    }
    co_await wait_for(step, error);
  }
  socket_.shutdown(StreamSocket::shutdown_send, error);
}

void WireSocket::leave() {
  if (tls_ && tls_->fault().empty()) {
    static_cast<void>(tls_->say_goodbye());
  }
  close();
}

void WireSocket::cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void WireSocket::close() {
  if (tls_) {
    tls_->detach();
  }
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace docket::ingest
