#include "ingest/client_link.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

namespace docket::client {
namespace {

using boost::system::error_code;

constexpr std::int64_t connect_ms_max = 10'000;     // from the start to the welcome
constexpr std::int64_t ping_after_ms_max = 10'000;  // of silence
constexpr std::int64_t silence_ms_max = 30'000;     // then the server counts as gone
constexpr auto watch_tick = std::chrono::milliseconds(500);
constexpr std::size_t input_bytes = std::size_t{16} << 10;
// One gathered write; more is queued behind it.
constexpr std::size_t batches_per_write = 16;

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

ClientLink::ClientLink(asio::io_context& io, LinkEvents& events)
    : events_(events),
      resolver_(io),
      socket_(ingest::StreamSocket(io)),
      writer_signal_(io),
      watch_timer_(io),
      input_(input_bytes),
      last_received_ms_(steady_ms()),
      last_pinged_ms_(last_received_ms_) {}

void ClientLink::send(OutBatchPtr batch) {
  batches_.push_back(std::move(batch));
  wake_writer();
}

void ClientLink::close(const std::string& why) {
  if (closed_) {
    return;
  }
  closed_ = true;
  why_ = why;
  resolver_.cancel();
  if (is_safe_) {
    socket_.leave();
  } else {
    socket_.close();
  }
  watch_timer_.cancel();
  wake_writer();
}

asio::awaitable<error_code> ClientLink::connect_local(std::string path) {
  const auto endpoint = ingest::local_endpoint(path);
  error_code error = asio::error::invalid_argument;
  if (endpoint) {
    co_await socket_.socket().async_connect(*endpoint,
                                            asio::redirect_error(asio::use_awaitable, error));
  }
  co_return error;
}

// To the first address of the name that answers.
asio::awaitable<error_code> ClientLink::connect_tcp(std::string address, std::string service) {
  error_code error;
  const tcp::resolver::results_type found = co_await resolver_.async_resolve(
      address, service, asio::redirect_error(asio::use_awaitable, error));
  for (const auto& entry : found) {
    socket_.close();
    if (closed_) {
      break;
    }
    const ingest::StreamEndpoint endpoint(entry.endpoint());
    co_await socket_.socket().async_connect(endpoint,
                                            asio::redirect_error(asio::use_awaitable, error));
    if (!error) {
      error_code ignored;
      socket_.socket().set_option(tcp::no_delay(true), ignored);
      break;
    }
  }
  co_return error;
}

asio::awaitable<bool> ClientLink::connect(const ServerPlace& place) {
  error_code error;
  std::string name = place.address;
  if (place.address.starts_with(ingest::local_prefix)) {
    error = co_await connect_local(place.address.substr(ingest::local_prefix.size()));
  } else {
    const std::string service = std::to_string(place.port);
    name += ':' + service;
    error = co_await connect_tcp(place.address, service);
  }
  if (error) {
    close("cannot connect to " + name + ": " + error.message());
  } else if (place.tls && !closed_) {
    const bool is_safe = co_await begin_tls(place);
    if (!is_safe) {
      close("cannot speak TLS with " + name + ": " + why_not_safe_);
    }
  }
  is_safe_ = !closed_;
  co_return is_safe_;
}

asio::awaitable<bool> ClientLink::begin_tls(const ServerPlace& place) {
  auto context = ingest::client_tls(*place.tls);
  if (!context) {
    why_not_safe_ = context.error().message;
    co_return false;
  }
  error_code error;
  co_await socket_.connect_tls(std::move(*context), place.host, error);
  why_not_safe_ = socket_.fault();
  co_return !error;
}

void ClientLink::lost(const error_code& error) {
  if (error == asio::error::eof) {
    close("the server closed the connection");
  } else {
    const std::string fault = socket_.fault();
    close("connection lost: " + (fault.empty() ? error.message() : fault));
  }
}

asio::awaitable<bool> ClientLink::read_exactly(std::span<std::byte> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    if (input_begin_ == input_end_) {
      error_code error;
      const std::size_t bytes = co_await socket_.read_some(input_, error);
      if (closed_) {
        co_return false;
      }
      if (error) {
        lost(error);
        co_return false;
      }
      last_received_ms_ = steady_ms();
      input_begin_ = 0;
      input_end_ = bytes;
    }
    const std::size_t some = std::min(into.size() - done, input_end_ - input_begin_);
    std::copy_n(input_.begin() + static_cast<std::ptrdiff_t>(input_begin_), some,
                into.begin() + static_cast<std::ptrdiff_t>(done));
    input_begin_ += some;
    done += some;
  }
  co_return true;
}

asio::awaitable<bool> ClientLink::read_frame() {
  std::array<std::byte, ingest::frame_header_bytes> header{};
  const bool has_header = co_await read_exactly(header);
  if (!has_header) {
    co_return false;
  }
  const auto parsed = ingest::parse_frame_header(header);
  if (!parsed) {
    close("the server breaks the protocol: " + parsed.error().message);
    co_return false;
  }
  header_ = *parsed;
  body_.resize(header_.body_bytes);
  const bool has_body = co_await read_exactly(body_);
  if (!has_body) {
    co_return false;
  }
  if (!ingest::frame_is_intact(header, body_)) {
    close("the server breaks the protocol: a frame's checksum does not match");
    co_return false;
  }
  co_return true;
}

Result<void> ClientLink::take_frame() {
  using ingest::FrameType;
  if (header_.type == FrameType::error) {
    DOCKET_ASSIGN(const ingest::ErrorFrame error, ingest::parse_error(body_));
    if (error.batch == 0) {
      return fail(ErrorCode::closed, "the server refuses: " + error.message);
    }
    return events_.on_error(error);
  }
  if (!welcome_) {
    if (header_.type != FrameType::welcome) {
      return fail(ErrorCode::invalid_argument, "the server breaks the protocol: no welcome");
    }
    DOCKET_ASSIGN(const ingest::Welcome welcome, ingest::parse_welcome(body_));
    if (welcome.version != ingest::protocol_version) {
      return fail(
          ErrorCode::invalid_argument,
          "the server speaks version " + std::to_string(welcome.version) + " of the protocol");
    }
    welcome_ = true;
    ping_after_ms_ = std::min<std::int64_t>(ping_after_ms_max, welcome.idle_ms / 3);
    events_.on_welcome(welcome);
    return {};
  }
  switch (header_.type) {
    case FrameType::ack: {
      DOCKET_ASSIGN(const ingest::Ack ack, ingest::parse_ack(body_));
      return events_.on_ack(ack);
    }
    case FrameType::ping: {
      DOCKET_ASSIGN(const std::uint64_t opaque, ingest::parse_ping(body_));
      ingest::append_ping(control_, FrameType::pong, opaque);
      wake_writer();
      return {};
    }
    case FrameType::pong:
      return {};
    case FrameType::goodbye:
      events_.on_goodbye();
      return {};
    case FrameType::hello:
    case FrameType::welcome:
    case FrameType::batch:
    case FrameType::error:
      break;
  }
  return fail(ErrorCode::invalid_argument, "the server breaks the protocol: a frame of type " +
                                               std::to_string(static_cast<int>(header_.type)));
}

asio::awaitable<void> ClientLink::write_loop() {
  std::vector<asio::const_buffer> buffers;
  while (!closed_) {
    if (control_.empty() && batches_.empty()) {
      error_code ignored;
      writer_signal_.expires_at(asio::steady_timer::time_point::max());
      co_await writer_signal_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      continue;
    }
    const std::vector<std::byte> control = std::exchange(control_, {});
    std::vector<OutBatchPtr> writing;
    while (!batches_.empty() && writing.size() < batches_per_write) {
      writing.push_back(std::move(batches_.front()));
      batches_.pop_front();
    }
    buffers.clear();
    buffers.push_back(asio::buffer(control));
    for (const OutBatchPtr& batch : writing) {
      buffers.push_back(asio::buffer(batch->head));
      buffers.push_back(asio::buffer(batch->body.bytes));
    }
    error_code error;
    co_await socket_.write(buffers, error);
    if (error) {
      lost(error);
    }
  }
}

asio::awaitable<void> ClientLink::watch_loop() {
  const std::int64_t start = steady_ms();
  while (!closed_) {
    error_code ignored;
    watch_timer_.expires_after(watch_tick);
    co_await watch_timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    const std::int64_t now = steady_ms();
    if (!welcome_) {
      if (now - start > connect_ms_max) {
        close("the server does not answer");
      }
    } else if (now - last_received_ms_ > silence_ms_max) {
      close("the server has fallen silent");
    } else if (now - std::max(last_received_ms_, last_pinged_ms_) > ping_after_ms_) {
      last_pinged_ms_ = now;
      ingest::append_ping(control_, ingest::FrameType::ping, static_cast<std::uint64_t>(now));
      wake_writer();
    }
  }
}

asio::awaitable<std::string> ClientLink::run(ServerPlace place, ingest::Hello hello) {
  const auto self = shared_from_this();
  const auto on_end = [self](const std::exception_ptr& failure) {
    if (failure) {
      self->close("out of memory");
    }
  };
  asio::co_spawn(socket_.executor(), watch_loop(), on_end);
  const bool connected = co_await connect(place);
  if (connected) {
    for (const char c : ingest::native_preface) {
      control_.push_back(static_cast<std::byte>(c));
    }
    ingest::append_hello(control_, hello);
    asio::co_spawn(socket_.executor(), write_loop(), on_end);
    while (!closed_) {
      const bool came = co_await read_frame();
      if (!came) {
        break;
      }
      if (const auto taken = take_frame(); !taken) {
        close(taken.error().message);
        break;
      }
    }
  }
  co_return why_;
}

}  // namespace docket::client
