#include "ingest/native_session.hpp"

#include <algorithm>
#include <utility>

#include "engine/bytes.hpp"
#include "engine/timestamp.hpp"
#include "ingest/event_json.hpp"

namespace docket::ingest {
namespace {

constexpr auto window_batches = static_cast<std::uint32_t>(limits::producer_receipts_max);
// Larger bodies get their memory as their bytes come, so that a header alone costs nothing.
constexpr std::size_t body_step_bytes = std::size_t{1} << 20;

}  // namespace

asio::awaitable<bool> NativeSession::need(std::size_t bytes) {
  while (connection_->input().unread().size() < bytes) {
    const bool more = co_await connection_->fill();
    if (!more) {
      co_return false;
    }
  }
  co_return true;
}

asio::awaitable<bool> NativeSession::read_frame() {
  InputBuffer& input = connection_->input();
  const bool has_header = co_await need(frame_header_bytes);
  if (!has_header) {
    co_return false;
  }
  const auto parsed = parse_frame_header(input.unread().first<frame_header_bytes>());
  if (!parsed) {
    violation(WireError::protocol, parsed.error().message);
    co_return false;
  }
  header_ = *parsed;
  std::array<std::byte, frame_header_bytes> header{};
  std::copy_n(input.unread().begin(), frame_header_bytes, header.begin());

  std::size_t prefix_bytes = 0;
  if (header_.type == FrameType::batch) {
    prefix_bytes = batch_prefix_bytes;
    if (!is_welcome_ || header_.body_bytes < prefix_bytes) {
      violation(WireError::protocol,
                is_welcome_ ? "batch: shorter than its prefix" : "a batch came before the welcome");
      co_return false;
    }
    const bool has_prefix = co_await need(frame_header_bytes + prefix_bytes);
    if (!has_prefix) {
      co_return false;
    }
    std::copy_n(input.unread().begin() + frame_header_bytes, prefix_bytes, prefix_.begin());
  }
  input.consume(frame_header_bytes + prefix_bytes);

  const std::size_t body_bytes = header_.body_bytes - prefix_bytes;
  if (header_.type == FrameType::batch) {
    const bool has_memory = co_await connection_->reserve(body_bytes);
    if (!has_memory) {
      co_return false;
    }
    charged_ = body_bytes;
  }
  const std::size_t buffered = std::min(body_bytes, input.unread().size());
  body_.assign(input.unread().begin(),
               input.unread().begin() + static_cast<std::ptrdiff_t>(buffered));
  input.consume(buffered);
  connection_->set_partial(body_.size() < body_bytes);
  while (body_.size() < body_bytes) {
    const std::size_t have = body_.size();
    body_.resize(std::min(body_bytes, std::max(2 * have, body_step_bytes)));
    const std::span<std::byte> rest = std::span(body_).subspan(have);
    const bool complete = co_await connection_->read_exactly(rest);
    if (!complete) {
      co_return false;
    }
  }
  connection_->set_partial(false);
  if (!frame_is_intact(header, std::span(prefix_).first(prefix_bytes), body_)) {
    violation(WireError::protocol, "a frame's checksum does not match");
    co_return false;
  }
  co_return true;
}

asio::awaitable<bool> NativeSession::shake_hands() {
  const bool came = co_await read_frame();
  if (!came) {
    co_return false;
  }
  if (header_.type != FrameType::hello) {
    violation(WireError::protocol, "the first frame must be a hello");
    co_return false;
  }
  auto hello = parse_hello(body_);
  if (!hello) {
    violation(WireError::protocol, hello.error().message);
    co_return false;
  }
  node_ = hello->node;
  if (hello->version != protocol_version) {
    violation(WireError::version, "this server speaks version " + std::to_string(protocol_version) +
                                      " of the protocol");
    co_return false;
  }
  epoch_ = hello->epoch;
  const ServerOptions& options = connection_->core().options;
  Welcome welcome;
  welcome.window_batches = window_batches;
  welcome.payload_bytes_max = static_cast<std::uint32_t>(options.rules.payload_bytes_max);
  welcome.window_bytes = std::max<std::uint64_t>(options.memory_bytes / 4, frame_body_bytes_max);
  welcome.body_bytes_max = static_cast<std::uint32_t>(frame_body_bytes_max);
  welcome.idle_ms = options.idle_ms;
  append_welcome(connection_->outbox(), welcome);
  connection_->wake_writer();
  connection_->established();
  is_welcome_ = true;
  co_return true;
}

asio::awaitable<void> NativeSession::run() {
  const bool welcome = co_await shake_hands();
  if (welcome) {
    for (;;) {
      while (connection_->outbox_full() && !connection_->is_cut()) {
        co_await connection_->pause();
      }
      const bool came = co_await read_frame();
      if (!came) {
        break;
      }
      if (header_.type == FrameType::batch) {
        co_await take_batch();
      } else {
        take_control_frame();
      }
    }
  }
  if (charged_ != 0) {
    connection_->core().budget.give_back(connection_->account, charged_);
    charged_ = 0;
  }
  body_ = {};
  connection_->set_partial(false);
  if (is_welcome_ && connection_->stopping()) {
    append_frame(connection_->outbox(), FrameType::goodbye, {});
    connection_->wake_writer();
  }
  while (in_flight_ > 0 && !connection_->is_cut()) {
    co_await connection_->pause();
  }
}

void NativeSession::take_control_frame() {
  switch (header_.type) {
    case FrameType::ping: {
      const auto opaque = parse_ping(body_);
      if (!opaque) {
        violation(WireError::protocol, opaque.error().message);
        return;
      }
      append_ping(connection_->outbox(), FrameType::pong, *opaque);
      connection_->wake_writer();
      return;
    }
    case FrameType::pong:
      return;
    case FrameType::goodbye:
      connection_->end_input();
      return;
    case FrameType::hello:
    case FrameType::welcome:
    case FrameType::batch:
    case FrameType::ack:
    case FrameType::error:
      violation(WireError::protocol, "a frame of type " +
                                         std::to_string(static_cast<int>(header_.type)) +
                                         " is not the client's to send here");
      return;
  }
}

asio::awaitable<void> NativeSession::take_batch() {
  ServerCore& core = connection_->core();
  const auto pending = std::make_shared<Pending>();
  pending->charged = std::exchange(charged_, 0);
  const auto drop = [&core, &pending, this] {
    core.budget.give_back(connection_->account, pending->charged);
  };
  const auto prefix = parse_batch_prefix(prefix_);
  if (!prefix) {
    drop();
    violation(WireError::protocol, prefix.error().message);
    co_return;
  }
  pending->batch = prefix->batch;
  pending->log = prefix->log;
  if (in_flight_ >= window_batches) {
    drop();
    violation(WireError::protocol,
              "more than " + std::to_string(window_batches) + " batches wait for their answer");
    co_return;
  }
  if (!is_log_name(pending->log) || pending->log == "docket") {
    drop();
    ErrorFrame error;
    error.code = WireError::invalid_batch;
    error.batch = pending->batch;
    error.log = pending->log;
    error.message = is_log_name(pending->log)
                        ? "log: docket is reserved for the system's own events"
                        : "log: must match [a-z][a-z0-9_-]{0,31}";
    answer_error(error);
    co_return;
  }
  auto known = std::find_if(logs_.begin(), logs_.end(),
                            [&](const OpenLog& each) { return each.name == pending->log; });
  if (known == logs_.end()) {
    const Result<Log*> opened = co_await connection_->open_log(pending->log);
    if (!opened) {
      drop();
      ErrorFrame error = to_error_frame(opened.error(), pending->log, pending->batch);
      if (opened.error().code == ErrorCode::overloaded) {
        error.code = WireError::invalid_batch;  // as many logs as there may be, for good
        error.retryable = false;
      }
      answer_error(error);
      co_return;
    }
    logs_.push_back({pending->log, *opened});
    known = logs_.end() - 1;
  }
  const Nanos received = now_ns();
  auto admitted = admit_batch(std::move(body_), core.options.rules, received, is_json_object);
  body_ = {};
  if (!admitted) {
    drop();
    core.rejected(node_, connection_->peer(), "malformed batch: " + admitted.error().message);
    ErrorFrame error = to_error_frame(admitted.error(), pending->log, pending->batch);
    error.code = WireError::invalid_batch;
    error.retryable = false;
    answer_error(error);
    co_return;
  }
  pending->rejected = std::move(admitted->rejected);
  core.events_rejected.fetch_add(pending->rejected.size(), std::memory_order_relaxed);
  ++in_flight_;
  core.batches_in_flight.fetch_add(1);
  // See NdjsonSession::give_to_store() for the moves.
  Completion done = [self = shared_from_this(), pending, &core](Result<Receipt> result) mutable {
    const auto executor = self->connection_->executor();
    asio::post(executor, [self = std::move(self), pending = std::move(pending),
                          result = std::move(result)]() mutable {
      self->completed(pending, std::move(result));
    });
    core.batches_in_flight.fetch_sub(1);
  };
  ProducerStamp stamp;
  stamp.node = node_;
  stamp.epoch = epoch_;
  stamp.batch = pending->batch;
  known->log->submit(std::move(admitted->batch), std::move(stamp), received, std::move(done));
}

void NativeSession::completed(const std::shared_ptr<Pending>& pending, Result<Receipt> result) {
  --in_flight_;
  ServerCore& core = connection_->core();
  core.budget.give_back(connection_->account, pending->charged);
  if (result) {
    if (result->duplicate) {
      core.batches_duplicate.fetch_add(1, std::memory_order_relaxed);
    } else {
      core.events_accepted.fetch_add(result->rows, std::memory_order_relaxed);
    }
    Ack ack;
    ack.batch = pending->batch;
    ack.first_seq = result->first_seq.value;
    ack.rows = result->rows;
    ack.duplicate = result->duplicate;
    ack.log = std::move(pending->log);
    ack.rejected = std::move(pending->rejected);
    append_ack(connection_->outbox(), ack);
    connection_->wake_writer();
  } else {
    answer_error(to_error_frame(result.error(), pending->log, pending->batch));
  }
  connection_->changed();
}

void NativeSession::answer_error(const ErrorFrame& error) {
  append_error(connection_->outbox(), error);
  connection_->wake_writer();
}

void NativeSession::violation(WireError code, const std::string& what) {
  ErrorFrame error;
  error.code = code;
  error.message = what;
  answer_error(error);
  connection_->refuse(node_.empty() ? connection_->peer() : node_, what);
}

}  // namespace docket::ingest
