#include "ingest/record_session.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/assert.hpp"
#include "engine/bytes.hpp"
#include "engine/timestamp.hpp"

namespace docket::ingest {
namespace {

// A log with this many batches on their way gathers events until its builder is full; two keep the
// disk busy while the next one gathers.
constexpr std::uint32_t busy_batches = 2;
// Full builders wait, and with them the socket, when a connection has this many batches in flight.
constexpr std::size_t in_flight_max = 16;
// The input buffer starts at 4 KiB, so that an idle connection costs little, and grows with use.
constexpr std::size_t bulk_buffer_bytes = std::size_t{256} << 10;
constexpr std::size_t record_buffer_bytes = record_bytes_max + InputBuffer::bytes_min;
constexpr std::size_t growth = 8;
// What a batch and a row cost beside their strings, for the budget.
constexpr std::size_t batch_overhead_bytes = 1024;
constexpr std::size_t row_overhead_bytes = 64;

constexpr std::uint32_t retry_ms_min = 20;
constexpr std::uint32_t retry_ms_max = 1000;

}  // namespace

RecordSession::RecordSession(std::shared_ptr<Connection> connection)
    : connection_(std::move(connection)), retry_timer_(connection_->executor()) {}

RecordSession::Slot* RecordSession::slot_of(std::string_view log) {
  if (last_slot_ < slots_.size() && slots_[last_slot_].name == log) {
    return &slots_[last_slot_];
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].name == log) {
      last_slot_ = i;
      return &slots_[i];
    }
  }
  return nullptr;
}

void RecordSession::count_rejected(std::string_view error) {
  connection_->core().intake.rejected(way(), error);
  reject(records_ + 1, error);
  ++records_;
}

RecordSession::Pause RecordSession::add(EventDecoder::Decoded& decoded) {
  Slot* slot = slot_of(decoded.log);
  if (slot == nullptr) {
    if (!may_write(rights_.logs, decoded.log)) {
      count_rejected(log_forbidden(decoded.log));
      return Pause::starved;
    }
    if (!log_error_.empty()) {
      count_rejected(std::exchange(log_error_, {}));
      return Pause::starved;
    }
    new_log_ = decoded.log;
    return Pause::new_log;
  }
  if (slot->builder && slot->builder->full()) {
    if (in_flight_.size() >= in_flight_max || !refused_.empty()) {
      return Pause::window_full;
    }
    submit(last_slot_);
  }
  if (!slot->builder) {
    slot->builder = connection_->core().builders.borrow();
    slot->first_record = records_ + 1;
    slot->received = received_;
  }
  if (!decoded.has_ts) {
    // What comes in several reads is stored with one time of receipt.
    decoded.event.ts = slot->received;
  }
  if (redactor_) {
    redactor_->apply(decoded.event, connection_->core().options.rules.payload_bytes_max, redacted_);
  }
  slot->builder->add(decoded.event);
  ++records_;
  return Pause::starved;
}

bool RecordSession::admit(std::optional<std::string_view> token) {
  auto rights = connection_->rights_of(token.value_or(std::string_view()));
  if (!rights) {
    const std::string why = "token: " + rights.error().message;
    connection_->refuse(connection_->peer(), why);
    fail(token ? why : why + std::string(token_advice()));
    return false;
  }
  rights_ = std::move(*rights);
  presence_ = connection_->core().senders.connected(connection_->peer(), connection_->peer(), way(),
                                                    received_);
  is_admitted_ = true;
  return true;
}

RecordSession::Pause RecordSession::take_record(std::string_view text) {
  if (!is_admitted_) {
    const auto token = token_of(text);
    if (!admit(token)) {
      return Pause::ended;
    }
    if (token) {
      ++records_;
      return Pause::starved;
    }
  }
  auto decoded = decode(text, received_);
  if (decoded) {
    return add(*decoded);
  }
  count_rejected(decoded.error().message);
  return Pause::starved;
}

RecordSession::Pause RecordSession::take(const Piece& piece) {
  switch (piece.kind) {
    case Piece::Kind::blank:
      ++records_;
      break;
    case Piece::Kind::faulty:
      count_rejected(piece.fault);
      break;
    case Piece::Kind::unusable:
      connection_->refuse(connection_->peer(), std::string(piece.fault));
      return Pause::ended;
    case Piece::Kind::record:
      return take_record(piece.text);
    case Piece::Kind::part:
    case Piece::Kind::filler:
      break;
  }
  return Pause::starved;
}

RecordSession::Pause RecordSession::take_records(bool at_end) {
  const std::uint64_t records_before = records_;
  const std::size_t bytes_before = connection_->input().unread().size();
  const Pause why = take_pieces(at_end);
  if (rights_.quota) {
    rights_.quota->take(records_ - records_before,
                        bytes_before - connection_->input().unread().size(), steady_ns());
  }
  return why;
}

RecordSession::Pause RecordSession::take_pieces(bool at_end) {
  received_ = now_ns();
  if (const CurrentRedactor& current = connection_->core().options.redactor) {
    redactor_ = current();
  }
  InputBuffer& input = connection_->input();
  if (is_admitted_) {
    presence_.heard(received_);
  }
  if (rights_.hold && !rights_.hold()) {
    connection_->refuse(connection_->peer(), "token: may no longer send");
    fail("token: may no longer send");
  }
  for (;;) {
    if (failed_) {
      return Pause::ended;
    }
    if (connection_->outbox_full()) {
      return Pause::outbox_full;
    }
    const Piece piece = cut(as_text(input.unread()), at_end);
    if (const Pause why = take(piece); why != Pause::starved) {
      return why;
    }
    input.consume(piece.bytes);
    if (piece.kind == Piece::Kind::part) {
      return Pause::starved;
    }
  }
}

void RecordSession::charge_builders() {
  for (Slot& slot : slots_) {
    if (slot.builder) {
      const std::size_t bytes =
          slot.builder->raw_bytes() + slot.builder->rows() * row_overhead_bytes;
      if (bytes > slot.charged) {
        connection_->core().budget.force(connection_->account, bytes - slot.charged);
        slot.charged = bytes;
      }
    }
  }
}

asio::awaitable<void> RecordSession::open_new_log() {
  const Result<Log*> opened = co_await connection_->open_log(new_log_);
  if (opened) {
    Slot slot;
    slot.name = new_log_;
    slot.log = *opened;
    slots_.push_back(std::move(slot));
    co_return;
  }
  const Error& error = opened.error();
  if (error.code != ErrorCode::overloaded && error.code != ErrorCode::invalid_argument) {
    fail(error.message);
    co_return;
  }
  // There are as many logs as there may be: this record cannot be stored, others can.
  log_error_ = log_refusal(error);
}

// Waiting for memory while holding events back could wait for ever; so those go first.
asio::awaitable<bool> RecordSession::reserve(std::size_t bytes) {
  if (connection_->core().budget.try_take(connection_->account, bytes)) {
    co_return true;
  }
  submit_all();
  const bool reserved = co_await connection_->reserve(bytes);
  co_return reserved;
}

// Room for what comes next: much where much comes, a whole record where one is long.
asio::awaitable<void> RecordSession::fit_input() {
  InputBuffer& input = connection_->input();
  if (input.unread().size() == input.capacity()) {
    submit_all();
    const bool grown =
        co_await connection_->grow_input(std::min(input.capacity() * growth, record_buffer_bytes));
    if (!grown) {
      fail("no memory for so long a record");
    }
  } else if (connection_->core().buffers.longest_wait()) {
    connection_->shrink_input();
  } else if (connection_->last_read_was_full() && input.capacity() < bulk_buffer_bytes) {
    connection_->try_grow_input(bulk_buffer_bytes);
  }
}

asio::awaitable<void> RecordSession::read_more() {
  while (!refused_.empty() && !failed_ && !connection_->is_cut()) {
    co_await connection_->pause();  // L4
  }
  if (rights_.quota) {
    submit_all();  // what has come does not wait with its sender
    co_await connection_->keep_to(rights_.quota);
  }
  InputBuffer& input = connection_->input();
  co_await fit_input();
  connection_->set_partial(!input.unread().empty() && input.capacity() > InputBuffer::bytes_min);
  if (!connection_->more_is_ready()) {
    submit_idle();
    waits_for_input_ = true;
    co_await connection_->wait_readable();
    waits_for_input_ = false;
  }
  // What the bytes to come may turn into is reserved before they are read.
  const std::size_t allowance = input.capacity();
  const bool reserved = co_await reserve(allowance);
  if (reserved) {
    co_await connection_->fill();
    connection_->core().budget.give_back(connection_->account, allowance);
  }
}

bool RecordSession::must_wait(Pause why) const {
  if (failed_ || connection_->is_cut()) {
    return false;
  }
  if (why == Pause::window_full) {
    return in_flight_.size() >= in_flight_max || !refused_.empty();
  }
  return why == Pause::outbox_full && connection_->outbox_full();
}

asio::awaitable<void> RecordSession::run() {
  connection_->set_composer([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->compose();
    }
  });
  for (;;) {
    // The last record needs no end when the sender closed its half; one cut short by stop() is
    // left to be sent again, and so is one whose connection was cut: who knows what it lacks.
    const bool is_over = connection_->input_ended();
    const Pause why = take_records(is_over && !connection_->stopping() && !connection_->is_cut());
    charge_builders();
    connection_->wake_writer();
    if (records_ > 0) {
      connection_->established();
    }
    if (why == Pause::ended || connection_->is_cut() || (why == Pause::starved && is_over)) {
      break;
    }
    if (why == Pause::starved && !connection_->input_ended()) {
      co_await read_more();
    } else if (why == Pause::new_log) {
      co_await open_new_log();
    }
    while (must_wait(why)) {
      co_await connection_->pause();
    }
  }
  co_await finish();
}

asio::awaitable<void> RecordSession::finish() {
  connection_->set_partial(false);
  if (!failed_) {
    submit_all();
  }
  while (!connection_->is_cut() && !failed_ && settled_records() < records_) {
    co_await connection_->pause();
  }
  compose();  // the writer may find this session gone
  connection_->wake_writer();
}

void RecordSession::submit(std::size_t index) {
  Slot& slot = slots_[index];
  const auto pending = std::make_shared<Pending>();
  pending->slot = index;
  pending->first_record = slot.first_record;
  pending->received = slot.received;
  pending->batch = slot.builder->finish();
  presence_.sent(pending->batch.ts_max, received_);
  pending->charged = slot.charged + batch_overhead_bytes;
  connection_->core().budget.force(connection_->account, batch_overhead_bytes);
  slot.charged = 0;
  connection_->core().builders.put_back(std::move(slot.builder));
  if (refused_.empty()) {
    give_to_store(pending);
  } else {
    refused_.push_back(pending);  // behind what is older
    std::sort(refused_.begin(), refused_.end(), [](const PendingPtr& a, const PendingPtr& b) {
      return a->first_record < b->first_record;
    });
  }
}

void RecordSession::submit_idle() {
  if (!refused_.empty() || failed_) {
    return;
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].builder && slots_[i].in_flight < busy_batches) {
      submit(i);
    }
  }
}

void RecordSession::submit_all() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].builder) {
      submit(i);
    }
  }
}

void RecordSession::give_to_store(const PendingPtr& pending) {
  Slot& slot = slots_[pending->slot];
  ++slot.in_flight;
  in_flight_.push_back(pending);
  Completion done = connection_->core().completion(
      connection_->executor(), [self = shared_from_this(), pending](Result<Receipt> result) {
        self->connection_->attempt([&] { self->completed(pending, std::move(result)); });
      });
  EncodedBatch copy = pending->batch;
  slot.log->submit(std::move(copy), ProducerStamp{connection_->peer(), 0, 0}, pending->received,
                   std::move(done));
}

void RecordSession::forget(const PendingPtr& pending) {
  connection_->core().budget.give_back(connection_->account, pending->charged);
}

void RecordSession::completed(const PendingPtr& pending, Result<Receipt> result) {
  const bool is_refused = !result && (result.error().code == ErrorCode::overloaded ||
                                      result.error().code == ErrorCode::no_space);
  if (!result && !is_refused) {
    // While the batch still counts as open, so that its records are not taken for settled.
    fail(result.error().message);
  }
  --slots_[pending->slot].in_flight;
  std::erase(in_flight_, pending);
  if (is_refused) {
    refused(pending, result.error());
  } else {
    forget(pending);
  }
  if (result) {
    connection_->core().intake.accepted(way(), result->rows);
    refused_since_ = refused_.empty() ? 0 : steady_ms();
    retry_ms_ = retry_ms_min;
    if (waits_for_input_) {
      submit_idle();
    }
    connection_->wake_writer();
  }
  connection_->changed();
}

void RecordSession::refused(const PendingPtr& pending, const Error& error) {
  const std::int64_t now = steady_ms();
  if (refused_since_ == 0) {
    refused_since_ = now;
    retry_ms_ = retry_ms_min;
  }
  if (failed_ || connection_->is_cut()) {
    forget(pending);
    return;
  }
  const auto older = [](const PendingPtr& a, const PendingPtr& b) {
    return a->first_record < b->first_record;
  };
  refused_.insert(std::upper_bound(refused_.begin(), refused_.end(), pending, older), pending);
  if (now - refused_since_ > static_cast<std::int64_t>(connection_->core().options.write_ms)) {
    fail(error.message);
  } else {
    retry_later();
  }
}

void RecordSession::retry_later() {
  if (retry_scheduled_) {
    return;
  }
  retry_scheduled_ = true;
  retry_timer_.expires_after(std::chrono::milliseconds(retry_ms_));
  retry_ms_ = std::min(2 * retry_ms_, retry_ms_max);
  retry_timer_.async_wait([self = shared_from_this()](const boost::system::error_code&) {
    self->retry_scheduled_ = false;
    self->connection_->attempt([&] { self->retry(); });
  });
}

void RecordSession::retry() {
  std::vector<PendingPtr> again;
  std::swap(again, refused_);
  for (const PendingPtr& pending : again) {
    if (failed_ || connection_->is_cut()) {
      forget(pending);
    } else {
      give_to_store(pending);
    }
  }
  connection_->changed();
}

void RecordSession::fail(const std::string& why) {
  if (failed_) {
    return;
  }
  compose();
  failed_ = true;
  tell_failure(why);
  connection_->wake_writer();
  for (const PendingPtr& pending : refused_) {
    forget(pending);
  }
  refused_.clear();
  connection_->end_input();
}

std::uint64_t RecordSession::settled_records() const {
  std::uint64_t first_open = records_ + 1;
  for (const Slot& slot : slots_) {
    if (slot.builder) {
      first_open = std::min(first_open, slot.first_record);
    }
  }
  for (const auto* list : {&in_flight_, &refused_}) {
    for (const PendingPtr& pending : *list) {
      first_open = std::min(first_open, pending->first_record);
    }
  }
  return first_open - 1;
}

}  // namespace docket::ingest
