// The client as its users see it: checking, gathering, waiting. Runs on the emitting threads.
#include "ingest/client.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "engine/producers.hpp"
#include "engine/timestamp.hpp"
#include "ingest/client_runner.hpp"
#include "ingest/event_json.hpp"
#include "ingest/local_socket.hpp"

namespace docket::client {
namespace {

// What an event costs beside its strings.
constexpr std::size_t event_overhead_bytes = 96;
// A full batch of fewer events may be one of those that are flushed one by one.
constexpr std::uint32_t prompt_rows_min = 64;

std::size_t bytes_of(const TargetView& target) {
  return target.type.size() + target.id.size() + target.name.size();
}

std::size_t bytes_of(const EventView& event) {
  std::size_t bytes = event_overhead_bytes + event.actor.kind.size() + event.actor.id.size() +
                      event.actor.name.size() + event.actor.role.size() + event.verb.size() +
                      bytes_of(event.target) + event.reason.size() + event.session.size() +
                      event.request.size() + event.payload.size();
  for (const TargetView& target : event.related) {
    bytes += sizeof(TargetView) + bytes_of(target);
  }
  return bytes;
}

template <typename Word>
Word load(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof(word));
  return word;
}

// ORs the bytes of the text into `seen`, eight at a time and some of them twice: strings are short
// and of any length, so a loop over the last bytes would be guessed wrong each time.
void gather_bits(std::string_view text, std::uint64_t& seen) {
  const char* const p = text.data();
  const std::size_t size = text.size();
  if (size >= sizeof(std::uint64_t)) {
    for (std::size_t at = 0; at + sizeof(std::uint64_t) < size; at += sizeof(std::uint64_t)) {
      seen |= load<std::uint64_t>(p + at);
    }
    seen |= load<std::uint64_t>(p + size - sizeof(std::uint64_t));
  } else if (size >= sizeof(std::uint32_t)) {
    seen |= load<std::uint32_t>(p) | load<std::uint32_t>(p + size - sizeof(std::uint32_t));
  } else if (size > 0) {
    seen |= static_cast<std::uint64_t>(static_cast<unsigned char>(
        static_cast<unsigned char>(p[0]) | static_cast<unsigned char>(p[size / 2]) |
        static_cast<unsigned char>(p[size - 1])));
  }
}

// Nearly all strings are ASCII, which one pass over all of them shows; the payload is not looked
// at.
bool strings_are_ascii(const EventView& event) {
  std::uint64_t seen = 0;
  for (const std::string_view text :
       {event.actor.kind, event.actor.id, event.actor.name, event.actor.role, event.verb,
        event.target.type, event.target.id, event.target.name, event.reason, event.session,
        event.request}) {
    gather_bits(text, seen);
  }
  for (const TargetView& target : event.related) {
    gather_bits(target.type, seen);
    gather_bits(target.id, seen);
    gather_bits(target.name, seen);
  }
  return (seen & 0x8080'8080'8080'8080U) == 0;
}

}  // namespace

Result<void> RunningClient::emit(std::string_view log, const EventView& event,
                                 DeliveryHandler on_delivery) {
  std::string scratch;
  EventView checked = event;
  checked.verb = upper_verb(event.verb, scratch);
  DOCKET_TRY(check(log, checked));
  return add(log, checked, {}, std::move(on_delivery), std::nullopt);
}

Result<void> RunningClient::emit_waiting(std::string_view log, const EventView& event,
                                         std::uint32_t timeout_ms) {
  std::string scratch;
  EventView checked = event;
  checked.verb = upper_verb(event.verb, scratch);
  DOCKET_TRY(check(log, checked));
  return add(log, checked, {}, {}, std::chrono::milliseconds(timeout_ms));
}

Result<void> RunningClient::emit_marked(std::string_view log, const EventView& event,
                                        std::string_view mark, DeliveryHandler on_delivery) {
  if (!spool_ || mark.empty() || mark.size() > spool_mark_bytes_max) {
    return fail(ErrorCode::invalid_argument,
                spool_ ? "mark: must be 1 to 255 bytes" : "mark: there is no spool");
  }
  std::string scratch;
  EventView checked = event;
  checked.verb = upper_verb(event.verb, scratch);
  DOCKET_TRY(check(log, checked));
  return add(log, checked, mark, std::move(on_delivery), std::nullopt);
}

std::string RunningClient::mark() const {
  const std::scoped_lock lock(mutex_);
  return spool_ ? spool_->mark() : std::string();
}

Result<void> RunningClient::flush(std::uint32_t timeout_ms) {
  std::unique_lock lock(mutex_);
  bool any = false;
  for (const auto& lane : lanes_) {
    lane->flush_wanted = lane->gathering.builder != nullptr;
    any = any || lane->flush_wanted;
  }
  if (any) {
    wake();
  }
  const std::function<bool()> is_done = [this] { return counters_.pending == 0; };
  const bool done =
      loop_.wait_until(lock, Clock::now() + std::chrono::milliseconds(timeout_ms), is_done);
  if (!done) {
    return fail(ErrorCode::overloaded,
                std::to_string(counters_.pending) + " events are still pending" +
                    (last_error_.empty() ? std::string() : ": " + last_error_));
  }
  return {};
}

Counters RunningClient::counters() const {
  const std::scoped_lock lock(mutex_);
  return counters_;
}

std::string RunningClient::last_error() const {
  const std::scoped_lock lock(mutex_);
  return last_error_;
}

Result<void> RunningClient::check(std::string_view log, const EventView& event) const {
  if (!is_log_name(log) || log == "docket") {
    return fail(ErrorCode::invalid_argument,
                log == "docket" ? "log: docket is reserved for the system's own events"
                                : "log: must match [a-z][a-z0-9_-]{0,31}");
  }
  // A payload that is a JSON object is valid UTF-8 as well; one that is too long is told so below.
  if (!event.payload.empty() && event.payload.size() <= options_.rules.payload_bytes_max &&
      !ingest::is_json_object(event.payload)) {
    return fail(ErrorCode::invalid_argument, "payload: must be a JSON object");
  }
  // The clock only bounds the future: what keeps the rule at an earlier time keeps it now. In a
  // fixed epoch it must not decide what is in a batch.
  Nanos received = options_.epoch != 0 ? INT64_MAX : past_ns_.load(std::memory_order_relaxed);
  if (options_.epoch == 0 && event.ts > received + limits::future_ns_max) {
    received = now_ns();
    past_ns_.store(received, std::memory_order_relaxed);
  }
  return check_event(event, options_.rules, received, strings_are_ascii(event));
}

RunningClient::Lane& RunningClient::lane_of(std::string_view log) {
  if (last_lane_ == nullptr || last_lane_->stream.log() != log) {
    const auto found = std::find_if(lanes_.begin(), lanes_.end(),
                                    [log](const auto& lane) { return lane->stream.log() == log; });
    if (found == lanes_.end()) {
      lanes_.push_back(std::make_unique<Lane>(log));
      last_lane_ = lanes_.back().get();
    } else {
      last_lane_ = found->get();
    }
  }
  return *last_lane_;
}

std::unique_ptr<BatchBuilder> RunningClient::borrow_builder() {
  if (spare_.empty()) {
    return std::make_unique<BatchBuilder>();
  }
  auto builder = std::move(spare_.back());
  spare_.pop_back();
  return builder;
}

void RunningClient::close_batch(Lane& lane) {
  lane.filled.push_back(std::exchange(lane.gathering, {}));
}

void RunningClient::wake() {
  if (!wake_pending_) {
    wake_pending_ = true;
    asio::post(io_, [this] { pump(); });
  }
}

// One event always fits the memory, however small it is.
bool RunningClient::has_room(std::size_t bytes, bool has_handler) const {
  if (!spool_) {
    return used_ == 0 || used_ + bytes <= options_.memory_bytes;
  }
  const std::size_t handler_bytes = has_handler ? handler_overhead_bytes : 0;
  return spool_->has_room(spool_record_bytes + bytes) &&
         backlog_handler_bytes_ + handler_bytes <= options_.memory_bytes / 4 + handler_bytes;
}

void RunningClient::gather(Lane& lane, const EventView& event, DeliveryHandler on_delivery,
                           std::size_t bytes) {
  Gathered& gathering = lane.gathering;
  const bool is_first = !gathering.builder;
  if (is_first) {
    gathering.builder = borrow_builder();
    gathering.first_emitted = Clock::now();
  }
  const bool is_first_awaited = on_delivery && gathering.handlers.empty();
  if (on_delivery) {
    gathering.handlers.emplace_back(gathering.builder->rows(), std::move(on_delivery));
  }
  gathering.builder->add(event);
  gathering.charged += bytes;
  if (spool_) {
    gathering.spool_end = spool_->logs()[*lane.spool_log].appended;
  }
  used_ += bytes;
  const std::uint32_t rows = gathering.builder->rows();
  const bool is_full = rows >= options_.batch_rows || gathering.builder->full();
  if (is_full) {
    close_batch(lane);
  }
  if (is_full || is_first || is_first_awaited) {
    wake();
    // What nobody waits for may be flushed next, mostly: then nobody need be called.
    if (is_first_awaited || (is_full && rows >= prompt_rows_min)) {
      loop_.hurry();
    } else {
      loop_.posted();
    }
  }
}

// To the disk, and to memory where there is room and nothing older is on the disk alone.
Result<void> RunningClient::spool_event(Lane& lane, const EventView& event, std::string_view mark,
                                        DeliveryHandler on_delivery, std::size_t bytes) {
  if (!lane.spool_log) {
    DOCKET_ASSIGN(lane.spool_log, spool_->index_of(lane.stream.log()));
  }
  const std::uint64_t ordinal = spool_->logs()[*lane.spool_log].appended;
  DOCKET_ASSIGN(const SpoolPlace place, spool_->append(*lane.spool_log, event, mark));
  if (!has_backlog_ && (used_ == 0 || used_ + bytes <= options_.memory_bytes)) {
    gather(lane, event, std::move(on_delivery), bytes);
    return {};
  }
  if (!has_backlog_) {
    // K5
    has_backlog_ = true;
    backlog_is_new_ = true;
    backlog_begin_ = place;
    for (const auto& other : lanes_) {
      if (other->spool_log) {
        other->backlog_from = spool_->logs()[*other->spool_log].appended;
      }
    }
    lane.backlog_from = ordinal;
    wake();
    loop_.hurry();
  }
  if (on_delivery) {
    lane.backlog_handlers.emplace_back(ordinal, std::move(on_delivery));
    backlog_handler_bytes_ += handler_overhead_bytes;
  }
  return {};
}

Result<void> RunningClient::add(std::string_view log, EventView& event, std::string_view mark,
                                DeliveryHandler on_delivery,
                                std::optional<std::chrono::milliseconds> wait_at_most) {
  if (redactor_) {
    thread_local ingest::Redactor::Scratch scratch;
    redactor_->apply(event, options_.rules.payload_bytes_max, scratch);
  }
  std::size_t bytes = bytes_of(event);
  if (on_delivery) {
    bytes += handler_overhead_bytes;
  }
  const bool has_handler = static_cast<bool>(on_delivery);
  std::unique_lock lock(mutex_);
  const auto fits = [&] { return has_room(bytes, has_handler); };
  if (!fits()) {
    loop_.hurry();
  }
  if (!fits() && (!wait_at_most || !room_came_.wait_for(lock, *wait_at_most, fits))) {
    ++counters_.refused;
    return fail(ErrorCode::overloaded, spool_ ? "the spool is full"
                                              : "the client's memory is full of unacknowledged "
                                                "events");
  }
  Lane& lane = lane_of(log);
  if (!lane.dead.empty()) {
    return fail(ErrorCode::closed, lane.dead);
  }
  if (!spool_) {
    gather(lane, event, std::move(on_delivery), bytes);
  } else {
    DOCKET_TRY(spool_event(lane, event, mark, std::move(on_delivery), bytes));
  }
  ++counters_.emitted;
  ++counters_.pending;
  if (spool_ && options_.spool.sync) {
    const Spool::Written written = spool_->written();
    lock.unlock();
    return spool_->sync(written);
  }
  return {};
}

Result<std::future<Delivery>> Client::emit_durable(std::string_view log, const EventView& event) {
  // Shared, because a handler can be copied and a promise cannot.
  const auto promise = std::make_shared<std::promise<Delivery>>();
  std::future<Delivery> future = promise->get_future();
  DOCKET_TRY(
      emit(log, event, [promise](const Delivery& delivery) { promise->set_value(delivery); }));
  return future;
}

Result<std::unique_ptr<Client>> Client::start(const Options& options, BatchHandler on_batch) {
  if (options.node.empty() || options.node.size() > limits::node_bytes_max ||
      !is_utf8(options.node)) {
    return fail(ErrorCode::invalid_argument, "node: must be 1 to 128 bytes of UTF-8");
  }
  if (options.node.starts_with(one_off_prefix)) {
    return fail(ErrorCode::invalid_argument,
                "node: must not begin with " + std::string(one_off_prefix));
  }
  if (options.batch_rows == 0 || options.batch_rows > limits::block_rows_max) {
    return fail(ErrorCode::invalid_argument, "batch_rows: must be 1 to 8192");
  }
  if (options.reconnect_ms_max == 0) {
    return fail(ErrorCode::invalid_argument, "reconnect_ms_max: must not be 0");
  }
  if (options.port == 0 && !options.address.starts_with(ingest::local_prefix)) {
    return fail(ErrorCode::invalid_argument, "port: must not be 0");
  }
  if (options.tls && options.address.starts_with(ingest::local_prefix)) {
    return fail(ErrorCode::invalid_argument, "tls: a Unix socket is in the clear");
  }
  if (options.tls && options.tls->certificate.empty() != options.tls->key.empty()) {
    return fail(ErrorCode::invalid_argument, "tls: certificate and key go together");
  }
  if (options.tls) {
    DOCKET_TRY(ingest::client_tls(*options.tls));
  }
  if (const auto checked = ingest::check_redaction(options.redaction); !checked) {
    return fail(ErrorCode::invalid_argument, "redaction." + checked.error().message);
  }
  for (const Address& other : options.others) {
    if (other.port == 0 && !other.host.starts_with(ingest::local_prefix)) {
      return fail(ErrorCode::invalid_argument, "others: a port must not be 0");
    }
  }
  Disk& disk = posix_disk();
  std::unique_ptr<Spool> spool;
  if (!options.spool.directory.empty()) {
    if (options.epoch != 0) {
      return fail(ErrorCode::invalid_argument, "epoch: a spool has its own");
    }
    SpoolOwner owner;
    owner.node = options.node;
    owner.new_epoch = static_cast<std::uint64_t>(now_ns());
    owner.boot = current_boot();
    DOCKET_ASSIGN(spool, Spool::open(disk, options.spool, owner));
  }
  return std::unique_ptr<Client>(
      std::make_unique<RunningClient>(options, std::move(on_batch), disk, std::move(spool)));
}

}  // namespace docket::client
