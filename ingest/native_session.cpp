#include "ingest/native_session.hpp"

#include <algorithm>
#include <utility>

#include "engine/bytes.hpp"
#include "engine/content_filter.hpp"
#include "engine/section.hpp"
#include "engine/timestamp.hpp"
#include "ingest/event_json.hpp"

namespace docket::ingest {
namespace {

constexpr auto window_batches = static_cast<std::uint32_t>(limits::producer_receipts_max);
// A batch of up to so many bytes waits for others that are there already: together they cost one
// sync. A larger one is better on its way to the disk while the next is checked.
constexpr std::size_t held_bytes_max = std::size_t{16} << 10;
// Larger bodies get their memory as their bytes come, so that a header alone costs nothing.
constexpr std::size_t body_step_bytes = std::size_t{1} << 20;
// What an allocation costs beside its bytes, about.
constexpr std::size_t allocation_bytes = 16;

// In the frame of a session: however that goes on, what it holds is committed.
struct HeldCommit {
  Log* log = nullptr;
  ~HeldCommit() { start(); }
  void start() {
    if (Log* held = std::exchange(log, nullptr)) {
      held->start_commit();
    }
  }
};

std::size_t memory_of(const std::vector<RejectedRow>& rejected) {
  std::size_t bytes = rejected.capacity() * sizeof(RejectedRow);
  for (const RejectedRow& row : rejected) {
    bytes += row.error.capacity() + allocation_bytes;
  }
  return bytes;
}

// What an ack has for each rejected row.
std::size_t wire_bytes_of(const std::vector<RejectedRow>& rejected) {
  std::size_t bytes = 0;
  for (const RejectedRow& row : rejected) {
    bytes += sizeof(std::uint32_t) + sizeof(std::uint16_t) + row.error.size();
  }
  return bytes;
}

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
  if (const auto allowed = check_client_frame(header_, is_welcome_); !allowed) {
    violation(WireError::protocol, allowed.error().message);
    co_return false;
  }
  // The connection's own buffer is filled before memory is asked for: who announces a large frame
  // and then sends a byte a second holds nothing that others want.
  const bool has_begun = co_await need(
      std::min<std::size_t>(frame_header_bytes + header_.body_bytes, InputBuffer::bytes_min));
  if (!has_begun) {
    co_return false;
  }
  std::array<std::byte, frame_header_bytes> header{};
  std::copy_n(input.unread().begin(), frame_header_bytes, header.begin());

  std::size_t prefix_bytes = 0;
  if (header_.type == FrameType::batch) {
    prefix_bytes = batch_prefix_bytes;
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
  if (buffered == body_bytes) {
    body_.reserve(body_bytes + section_padding);  // that admission reads behind it
  }
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
  auto hello = parse_hello(body_);
  body_ = {};
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
  if (!admit(hello->token)) {
    co_return false;
  }
  Welcome welcome;
  welcome.window_batches = window_batches;
  welcome.payload_bytes_max = static_cast<std::uint32_t>(options.rules.payload_bytes_max);
  welcome.window_bytes = std::max<std::uint64_t>(options.memory_bytes / 4, frame_body_bytes_max);
  welcome.body_bytes_max = static_cast<std::uint32_t>(frame_body_bytes_max);
  welcome.idle_ms = options.idle_ms;
  append_welcome(connection_->outbox(), welcome);
  connection_->wake_writer();
  connection_->established();
  presence_ = connection_->core().senders.connected(node_, connection_->peer(), SenderWay::native,
                                                    now_ns());
  is_welcome_ = true;
  co_return true;
}

bool NativeSession::admit(std::string_view token) {
  auto rights = connection_->rights_of(token);
  if (!rights) {
    violation(WireError::unauthorized, "token: " + rights.error().message);
    return false;
  }
  rights_ = std::move(*rights);
  if (!rights_.nodes.empty() && std::ranges::find(rights_.nodes, node_) == rights_.nodes.end()) {
    violation(WireError::unauthorized, "node: the token may not send as '" + node_ + "'");
    return false;
  }
  return true;
}

asio::awaitable<void> NativeSession::run() {
  const bool welcome = co_await shake_hands();
  if (welcome) {
    for (;;) {
      while (connection_->outbox_full(owed_bytes_) && !connection_->is_cut()) {
        co_await connection_->pause();
      }
      co_await connection_->keep_to(rights_.quota);
      const bool came = co_await read_frame();
      if (!came) {
        break;
      }
      presence_.heard(now_ns());
      if (header_.type == FrameType::batch) {
        HeldCommit held;
        co_await take_batch();
        held.log = std::exchange(held_, nullptr);
        // Many small batches may stand in the buffer, and each may take a while to check.
        // Meanwhile all connections that have something add it to the group.
        co_await connection_->yield();
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
  while (!owed_.empty() && !connection_->is_cut()) {
    co_await connection_->pause();
  }
}

// read_frame() lets no other types through.
void NativeSession::take_control_frame() {
  if (header_.type == FrameType::goodbye) {
    connection_->end_input();
  } else if (header_.type == FrameType::ping) {
    append_frame(connection_->outbox(), FrameType::pong, body_);
    connection_->wake_writer();
  }
}

asio::awaitable<Result<Log*>> NativeSession::open_log(std::string name) {
  const auto known = std::find_if(logs_.begin(), logs_.end(),
                                  [&](const OpenLog& each) { return each.name == name; });
  if (known != logs_.end()) {
    co_return known->log;
  }
  const Result<Log*> opened = co_await connection_->open_log(name);
  if (opened) {
    logs_.push_back({name, *opened});
  }
  co_return opened;
}

asio::awaitable<void> NativeSession::take_batch() {
  ServerCore& core = connection_->core();
  const auto pending = std::make_shared<Pending>();
  pending->charged = std::exchange(charged_, 0);
  const auto prefix = parse_batch_prefix(prefix_);
  if (!prefix || owed_.size() >= window_batches) {
    charge(*pending, 0);
    violation(WireError::protocol, prefix ? "more than " + std::to_string(window_batches) +
                                                " batches wait for their answer"
                                          : prefix.error().message);
    co_return;
  }
  if (rights_.hold && !rights_.hold()) {
    charge(*pending, 0);
    violation(WireError::unauthorized, "token: may no longer send");
    co_return;
  }
  pending->batch = prefix->batch;
  pending->log = prefix->log;
  owed_.push_back(pending);
  ErrorFrame lasting;
  lasting.code = WireError::invalid_batch;
  lasting.batch = pending->batch;
  lasting.log = pending->log;
  if (!is_log_name(pending->log) || pending->log == "docket") {
    lasting.message = is_log_name(pending->log)
                          ? "log: docket is reserved for the system's own events"
                          : "log: must match [a-z][a-z0-9_-]{0,31}";
    refuse_batch(pending, lasting);
    co_return;
  }
  if (!may_write(rights_.logs, pending->log)) {
    lasting.message = log_forbidden(pending->log);
    refuse_batch(pending, lasting);
    co_return;
  }
  const Result<Log*> log = co_await open_log(pending->log);
  if (!log) {
    // "Overloaded" means here that there are as many logs as there may be, for good.
    lasting.message = log.error().message;
    const bool is_lasting = log.error().code == ErrorCode::overloaded;
    refuse_batch(pending,
                 is_lasting ? lasting : to_error_frame(log.error(), pending->log, pending->batch));
    co_return;
  }
  const Nanos received = now_ns();
  if (rights_.quota) {
    rights_.quota->take(0, body_.size(), steady_ns());
  }
  auto admitted = admit_body(received);
  body_ = {};
  if (!admitted) {
    core.rejected(node_, connection_->peer(), "malformed batch: " + admitted.error().message);
    lasting.message = admitted.error().message;
    refuse_batch(pending, lasting);
    co_return;
  }
  if (admitted->batch.rows != 0) {
    presence_.sent(admitted->batch.ts_max, received);
  }
  for (const RejectedRow& row : admitted->rejected) {
    core.intake.rejected(SenderWay::native, row.error);
  }
  pending->rejected = std::move(admitted->rejected);
  pending->rows = admitted->batch.rows + static_cast<std::uint32_t>(pending->rejected.size());
  pending->rejected_bytes = wire_bytes_of(pending->rejected);
  owed_bytes_ += pending->rejected_bytes;
  charge(*pending, pending->charged + memory_of(pending->rejected));
  if (rights_.quota) {
    rights_.quota->take(pending->rows, 0, steady_ns());
  }
  give_to_store(pending, **log, std::move(admitted->batch), received);
}

Result<AdmittedBatch> NativeSession::admit_body(Nanos received) {
  const ServerOptions& options = connection_->core().options;
  const auto redactor = options.redactor ? options.redactor() : std::shared_ptr<const Redactor>();
  if (!redactor) {
    return admit_batch(std::move(body_), options.rules, received, is_json_object);
  }
  const std::size_t bytes_max = options.rules.payload_bytes_max;
  const ContentFilter filter{
      [&](std::string_view payload, std::string& instead) {
        return redactor->payload(payload, bytes_max, instead);
      },
      [&](std::string_view text, std::string& instead) { return redactor->text(text, instead); }};
  return admit_filtered_batch(std::move(body_), options.rules, received, is_json_object, filter);
}

void NativeSession::give_to_store(const PendingPtr& pending, Log& log, EncodedBatch batch,
                                  Nanos received) {
  Completion done = connection_->core().completion(
      connection_->executor(), [self = shared_from_this(), pending](Result<Receipt> result) {
        self->connection_->attempt([&] { self->completed(pending, std::move(result)); });
      });
  ProducerStamp stamp{node_, epoch_, pending->batch};
  if (batch.bytes.size() <= held_bytes_max) {
    log.submit_held(std::move(batch), std::move(stamp), received, std::move(done));
    held_ = &log;
  } else {
    log.submit(std::move(batch), std::move(stamp), received, std::move(done));
  }
}

void NativeSession::completed(const PendingPtr& pending, Result<Receipt> result) {
  ServerCore& core = connection_->core();
  if (!result) {
    note_refusal(*pending, result.error());
    refuse_batch(pending, to_error_frame(result.error(), pending->log, pending->batch));
    return;
  }
  for (const MissingBatches& ended : presence_.stored(pending->log, epoch_, pending->batch)) {
    core.tell_observer(node_, connection_->peer(),
                       "a new epoch has begun without " + text_of(ended));
  }
  if (result->duplicate) {
    if (result->first_seq.value != 0 && result->rows == pending->rows) {
      pending->rejected = {};  // the clock may have been set back; the first judgement holds
    }
    core.batches_duplicate.fetch_add(1, std::memory_order_relaxed);
  } else {
    core.intake.accepted(SenderWay::native, result->rows);
  }
  Ack ack;
  ack.batch = pending->batch;
  ack.first_seq = result->first_seq.value;
  ack.rows = result->rows;
  ack.duplicate = result->duplicate;
  ack.log = pending->log;
  ack.rejected = std::exchange(pending->rejected, {});
  append_ack(pending->answer, ack);
  answer(pending);
}

// An answer that names a number above the batch's says that its epoch is over: the number means
// nothing any more.
void NativeSession::note_refusal(const Pending& pending, const Error& error) {
  const std::uint64_t expected = error.code == ErrorCode::out_of_order ? error.offset : 0;
  if (expected <= pending.batch) {
    presence_.refused(pending.log, epoch_, pending.batch, expected, now_ns());
  }
}

void NativeSession::refuse_batch(const PendingPtr& pending, const ErrorFrame& error) {
  pending->rejected = {};
  append_error(pending->answer, error);
  answer(pending);
}

// The batch has its answer: it goes out, and what it held up after it, unless an earlier one of its
// log has none yet (N4).
void NativeSession::answer(const PendingPtr& pending) {
  charge(*pending, pending->answer.size());
  for (auto each = owed_.begin(); each != owed_.end();) {
    if ((*each)->log != pending->log) {
      ++each;
      continue;
    }
    if ((*each)->answer.empty()) {
      break;
    }
    append_bytes(connection_->outbox(), (*each)->answer);
    charge(**each, 0);
    owed_bytes_ -= (*each)->rejected_bytes;
    each = owed_.erase(each);
  }
  // More answers are likely to follow at once where more are owed, and go together.
  if (owed_.empty()) {
    connection_->write_now();
  } else {
    connection_->wake_writer();
  }
  connection_->changed();
}

// From now on the batch holds so much of the budget.
void NativeSession::charge(Pending& pending, std::size_t bytes) {
  MemoryBudget& budget = connection_->core().budget;
  if (bytes > pending.charged) {
    budget.force(connection_->account, bytes - pending.charged);
  } else if (bytes < pending.charged) {
    budget.give_back(connection_->account, pending.charged - bytes);
  }
  pending.charged = bytes;
}

void NativeSession::violation(WireError code, const std::string& what) {
  ErrorFrame error;
  error.code = code;
  error.message = what;
  append_error(connection_->outbox(), error);
  connection_->wake_writer();
  connection_->refuse(node_.empty() ? connection_->peer() : node_, what);
}

}  // namespace docket::ingest
