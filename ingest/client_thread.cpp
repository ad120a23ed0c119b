// The client's own thread: encoding, sending, answers, reconnecting.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "engine/assert.hpp"
#include "engine/timestamp.hpp"
#include "ingest/client_runner.hpp"

namespace docket::client {
namespace {

constexpr std::uint32_t first_backoff_ms = 50;
constexpr std::size_t batch_overhead_bytes = 512;
constexpr std::size_t spare_builders_max = 8;
constexpr std::chrono::microseconds busy_linger_max = std::chrono::milliseconds(100);

// Events that nobody waits for may be left for as long as they may gather. Where that is next to
// nothing the loop is not lent.
std::chrono::nanoseconds lent_for(const Options& options) {
  constexpr std::chrono::microseconds least = std::chrono::milliseconds(1);
  constexpr std::chrono::microseconds most = std::chrono::milliseconds(5);
  const std::chrono::microseconds linger(options.linger_us);
  return linger < least ? std::chrono::nanoseconds(0) : std::min(linger, most);
}

std::int64_t clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
      .count();
}

}  // namespace

RunningClient::RunningClient(const Options& options, BatchHandler on_batch, Disk& disk,
                             std::unique_ptr<Spool> spool)
    : options_(options),
      on_batch_(std::move(on_batch)),
      redactor_(options.redaction.is_empty()
                    ? std::nullopt
                    : std::optional<ingest::Redactor>(std::in_place, options.redaction)),
      spool_(std::move(spool)),
      work_(asio::make_work_guard(io_)),
      loop_(io_, mutex_, lent_for(options)),
      linger_timer_(io_),
      pause_timer_(io_),
      reconnect_timer_(io_),
      epoch_(options.epoch != 0 ? options.epoch : static_cast<std::uint64_t>(now_ns())),
      backoff_ms_(std::min(first_backoff_ms, options.reconnect_ms_max)),
      random_(std::random_device{}()),
      reader_(disk, options.spool.directory) {
  if (spool_) {
    adopt_spool();
  }
  asio::co_spawn(io_, connect_loop(), [](const std::exception_ptr& failure) {
    // Only memory can run out here, and a client that has stopped in silence would lose events.
    if (failure) {
      std::rethrow_exception(failure);
    }
  });
  thread_ = std::thread([this] { loop_.run(); });
}

RunningClient::~RunningClient() {
  asio::post(io_, [this] {
    closing_ = true;
    pause_timer_.cancel();
    linger_timer_.cancel();
    reconnect_timer_.cancel();
    if (link_) {
      link_->close("closed");
    }
    work_.reset();
  });
  {
    const std::scoped_lock lock(mutex_);
    loop_.hurry();
  }
  thread_.join();
}

std::vector<RunningClient::Lane*> RunningClient::lanes() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Lane*> lanes;
  for (const auto& lane : lanes_) {
    lanes.push_back(lane.get());
  }
  return lanes;
}

RunningClient::Lane* RunningClient::find_lane(std::string_view log) {
  const std::scoped_lock lock(mutex_);
  for (const auto& lane : lanes_) {
    if (lane->stream.log() == log) {
      return lane.get();
    }
  }
  return nullptr;
}

// How long events gather while batches of their log are under way. Where answers take long, for
// half as long as the last one took: there are many before them, and they come sooner in larger
// batches, which cost the server less.
std::chrono::microseconds RunningClient::linger_of(const Lane& lane) const {
  const std::chrono::microseconds asked(options_.linger_us);
  return std::max(asked, std::min(lane.last_answer_took / 2, busy_linger_max));
}

// Takes what is to be encoded now. With the mutex held.
void RunningClient::collect(Lane& lane, std::vector<std::pair<Lane*, Gathered>>& collected,
                            std::optional<Clock::time_point>& next_linger) {
  if (lane.flush_wanted && lane.gathering.builder) {
    close_batch(lane);
  }
  lane.flush_wanted = false;
  const bool can_send =
      link_ && welcome_came_ && !goodbye_came_ && outstanding_batches_ < welcome_.window_batches;
  if (lane.gathering.builder && lane.filled.empty() && options_.epoch == 0 && can_send &&
      !lane.stream.has_unsent()) {
    // While none is under way a batch goes at once if somebody waits to hear of it, or after a time
    // without any. Else a busy sender's would be of one event, while all others gather behind it.
    const bool is_idle = lane.stream.in_flight() == 0;
    const bool is_awaited = !lane.gathering.handlers.empty();
    const auto now = Clock::now();
    const auto due = (is_idle ? lane.last_closed : lane.gathering.first_emitted) + linger_of(lane);
    if ((is_idle && is_awaited) || now >= due) {
      close_batch(lane);
      lane.last_closed = now;
    } else {
      next_linger = next_linger ? std::min(*next_linger, due) : due;
    }
  }
  while (!lane.filled.empty()) {
    collected.emplace_back(&lane, std::move(lane.filled.front()));
    lane.filled.pop_front();
  }
}

void RunningClient::encode(std::vector<std::pair<Lane*, Gathered>>& collected) {
  for (auto& [lane, gathered] : collected) {
    EncodedBatch body = gathered.builder->finish();
    // Encoded, events are a fraction of what they were.
    const std::size_t charged =
        std::min(gathered.charged, body.bytes.size() + batch_overhead_bytes +
                                       gathered.handlers.size() * handler_overhead_bytes);
    OutBatch& batch = lane->stream.push(std::move(body), charged, std::move(gathered.handlers));
    batch.spool_end = gathered.spool_end;
    batch.is_recovered = batch.number <= lane->noted_number;
    {
      const std::scoped_lock lock(mutex_);
      used_ -= gathered.charged - charged;
      if (spare_.size() < spare_builders_max) {
        spare_.push_back(std::move(gathered.builder));
      }
    }
    room_came_.notify_all();
  }
}

bool RunningClient::may_send(const OutBatch& batch) const {
  return outstanding_batches_ < welcome_.window_batches &&
         (outstanding_batches_ == 0 ||
          outstanding_bytes_ + batch.wire_bytes() <= welcome_.window_bytes);
}

void RunningClient::send_what_fits() {
  if (!link_ || !welcome_came_ || goodbye_came_ || spool_has_failed_) {
    return;
  }
  const std::vector<Lane*> all = lanes();
  // While a new epoch is wanted, only what may be stored already is sent again, to be sure of it.
  const bool only_uncertain =
      wants_epoch_ ||
      std::any_of(all.begin(), all.end(), [](const Lane* lane) { return lane->stream.lost(); });
  std::uint64_t resent = 0;
  for (bool any = true; any;) {
    any = false;
    for (Lane* lane : all) {
      const OutBatchPtr batch = lane->stream.next_to_send();
      if (!batch || !may_send(*batch) ||
          (only_uncertain && batch->first_sent_ns == 0 && !batch->is_recovered) ||
          (spool_ && batch->number > lane->noted_number)) {
        continue;
      }
      resent += batch->first_sent_ns != 0 ? 1 : 0;
      lane->stream.sent(batch, clock_ns());
      ++outstanding_batches_;
      outstanding_bytes_ += batch->wire_bytes();
      link_->send(batch);
      any = true;
    }
  }
  if (resent > 0) {
    const std::scoped_lock lock(mutex_);
    counters_.resent += resent;
  }
}

void RunningClient::pump() {
  std::vector<std::pair<Lane*, Gathered>> collected;
  std::optional<Clock::time_point> next_linger;
  bool has_backlog = false;
  {
    const std::scoped_lock lock(mutex_);
    wake_pending_ = false;
    has_backlog = has_backlog_;
    for (const auto& lane : lanes_) {
      // K5: what is in memory comes before the backlog.
      lane->flush_wanted = lane->flush_wanted || has_backlog;
      collect(*lane, collected, next_linger);
    }
  }
  encode(collected);
  if (has_backlog) {
    refill();
  }
  if (const auto noted = note_batches(); !noted) {
    {
      const std::scoped_lock lock(mutex_);
      last_error_ = "spool: " + noted.error().message;
    }
    pause_then_resume();
  }
  send_what_fits();
  if (next_linger && !closing_) {
    linger_timer_.expires_at(*next_linger);
    linger_timer_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled) {
        pump();
      }
    });
  }
}

void RunningClient::settle(std::uint64_t durable, std::uint64_t rejected, std::size_t charged) {
  bool all_settled = false;
  {
    const std::scoped_lock lock(mutex_);
    DOCKET_ASSERT(counters_.pending >= durable + rejected);
    DOCKET_ASSERT(used_ >= charged);
    counters_.durable += durable;
    counters_.rejected += rejected;
    counters_.pending -= durable + rejected;
    used_ -= charged;
    all_settled = counters_.pending == 0;
  }
  // Without the mutex: whoever is woken would only wait for it.
  room_came_.notify_all();
  if (all_settled) {
    loop_.changed();
  }
}

void RunningClient::on_welcome(const ingest::Welcome& welcome) {
  welcome_ = welcome;
  welcome_came_ = true;
  backoff_ms_ = std::min(first_backoff_ms, options_.reconnect_ms_max);
  {
    const std::scoped_lock lock(mutex_);
    last_error_.clear();
    counters_.reconnects += was_welcome_ ? 1 : 0;
  }
  was_welcome_ = true;
  pump();
  change_epoch_when_safe();
}

Result<void> RunningClient::on_ack(const ingest::Ack& ack) {
  Lane* lane = find_lane(ack.log);
  if (lane == nullptr) {
    return fail(ErrorCode::invalid_argument, "the server acks a log that was not sent to");
  }
  DOCKET_ASSIGN(const Settled settled, lane->stream.acknowledge(ack));
  const OutBatch& batch = *settled.batch;
  --outstanding_batches_;
  outstanding_bytes_ -= batch.wire_bytes();
  const std::int64_t took_ns = clock_ns() - batch.first_sent_ns;
  lane->last_answer_took = std::chrono::microseconds(took_ns / 1000);
  deliver(batch, ack);
  if (on_batch_ && batch.rows != 0) {
    on_batch_(ack.log, settled.first_seq, settled.durable, took_ns);
  }
  {
    const std::scoped_lock lock(mutex_);
    if (spool_) {
      spool_->settle(*lane->spool_log, ack.batch, batch.spool_end);
    }
    ++counters_.batches;
    counters_.known += settled.is_known ? settled.durable : 0;
  }
  settle(settled.durable, settled.rejected, batch.charged);
  pump();
  change_epoch_when_safe();
  return {};
}

Result<void> RunningClient::on_error(const ingest::ErrorFrame& error) {
  Lane* lane = find_lane(error.log);
  if (lane == nullptr) {
    return fail(ErrorCode::invalid_argument, "the server refuses a log that was not sent to");
  }
  DOCKET_ASSIGN(const ClientStream::Refused refused, lane->stream.refuse(error));
  --outstanding_batches_;
  outstanding_bytes_ -= refused.answered->wire_bytes();
  if (error.code != ingest::WireError::out_of_order) {
    const std::scoped_lock lock(mutex_);
    last_error_ = error.log + ": " + error.message;
  }
  if (refused.given_up) {
    const OutBatch& batch = *refused.given_up;
    if (spool_ && lane->stream.is_next(error.batch)) {
      // Its events need not be sent again by a later run; its number is still to come.
      const std::scoped_lock lock(mutex_);
      spool_->settle(*lane->spool_log, error.batch - 1, refused.answered->spool_end);
    }
    deliver_failure(batch, error.message);
    settle(0, batch.rows, batch.charged);
  }
  if (refused.is_dead || (refused.is_lost && options_.epoch != 0)) {
    give_up(*lane, refused.is_dead ? error.message
                                   : "the server cannot go on with this epoch: " + error.message);
    return fail(ErrorCode::closed, lane->dead);
  }
  if (refused.needs_pause) {
    pause_then_resume();
  }
  pump();
  change_epoch_when_safe();
  return {};
}

void RunningClient::give_up(Lane& lane, const std::string& why) {
  std::vector<std::pair<Lane*, Gathered>> rest;
  {
    const std::scoped_lock lock(mutex_);
    lane.dead = why;
    if (lane.gathering.builder) {
      close_batch(lane);
    }
    std::optional<Clock::time_point> unused;
    collect(lane, rest, unused);
    lane.known_ends.clear();
    if (lane.reading.builder) {
      lane.reading.spool_end = lane.read;
      rest.emplace_back(&lane, std::exchange(lane.reading, {}));
    }
  }
  encode(rest);
  for (const OutBatchPtr& batch : lane.stream.take_all()) {
    if (spool_) {
      const std::scoped_lock lock(mutex_);
      spool_->settle(*lane.spool_log, batch->number, batch->spool_end);
    }
    deliver_failure(*batch, why);
    settle(0, batch->rows, batch->charged);
  }
}

// A server that has lost what it acknowledged (its disk was replaced, an older copy restored)
// expects numbers again that are gone; one that has seen a later epoch of this sender (whose clock
// was set back since) takes none of this one. A new epoch starts at batch 1, but first every batch
// that may be stored under the old one must be known to be stored or not.
void RunningClient::change_epoch_when_safe() {
  const std::vector<Lane*> all = lanes();
  if (closing_ || (!wants_epoch_ && std::none_of(all.begin(), all.end(), [](const Lane* lane) {
        return lane->stream.lost();
      }))) {
    return;
  }
  for (const Lane* lane : all) {
    if (lane->stream.in_flight() != 0 || lane->stream.has_uncertain() ||
        !lane->known_ends.empty()) {
      return;
    }
  }
  // The step doubles, because how late the server's epoch is cannot be asked.
  const std::uint64_t epoch =
      std::max(epoch_ + epoch_step_ns_, static_cast<std::uint64_t>(now_ns()));
  if (spool_) {
    std::unique_lock lock(mutex_);
    if (const auto noted = spool_->note_epoch(epoch); !noted) {
      last_error_ = "spool: " + noted.error().message;
      lock.unlock();
      pause_then_resume();
      return;
    }
    for (Lane* lane : all) {
      lane->noted_number = lane->spool_log ? spool_->logs()[*lane->spool_log].next_number - 1 : 0;
    }
  }
  epoch_ = epoch;
  epoch_step_ns_ *= 2;
  wants_epoch_ = false;
  for (Lane* lane : all) {
    lane->stream.renumber();
  }
  if (link_) {
    link_->close("the server cannot go on with this epoch; starting a new one");
  }
}

void RunningClient::pause_then_resume() {
  if (pausing_) {
    return;
  }
  pausing_ = true;
  pause_timer_.expires_after(next_backoff());
  pause_timer_.async_wait([this](const boost::system::error_code&) {
    pausing_ = false;
    for (Lane* lane : lanes()) {
      lane->stream.resume();
    }
    if (!closing_) {
      pump();
      change_epoch_when_safe();
    }
  });
}

void RunningClient::on_goodbye() {
  goodbye_came_ = true;
}

void RunningClient::disconnected(const std::string& why) {
  link_.reset();
  welcome_came_ = false;
  goodbye_came_ = false;
  outstanding_batches_ = 0;
  outstanding_bytes_ = 0;
  for (Lane* lane : lanes()) {
    static_cast<void>(lane->stream.disconnected());
  }
  // What was in flight had the last answers to be waited for, perhaps.
  change_epoch_when_safe();
  const std::scoped_lock lock(mutex_);
  last_error_ = why;
}

std::chrono::milliseconds RunningClient::next_backoff() {
  // Between half and all of it, so that many clients do not come back in step.
  std::uniform_int_distribution<std::uint32_t> jitter(backoff_ms_ - backoff_ms_ / 2, backoff_ms_);
  const std::chrono::milliseconds backoff(jitter(random_));
  backoff_ms_ = std::min(2 * backoff_ms_, options_.reconnect_ms_max);
  return backoff;
}

// The same one again for as long as it leads to the server.
Address RunningClient::current_address() const {
  const std::size_t index = failed_attempts_ % (1 + options_.others.size());
  return index == 0 ? Address{options_.address, options_.port} : options_.others[index - 1];
}

asio::awaitable<void> RunningClient::connect_loop() {
  while (!closing_) {
    LinkEvents& events = *this;
    link_ = std::make_shared<ClientLink>(io_, events);
    ingest::Hello hello;
    hello.epoch = epoch_;
    hello.node = options_.node;
    hello.token = options_.token;
    const Address to = current_address();
    ServerPlace place;
    place.address = to.host;
    place.port = to.port;
    place.tls = options_.tls;
    place.host = options_.server_name.empty() ? to.host : options_.server_name;
    const std::string why = co_await link_->run(place, hello);
    failed_attempts_ += welcome_came_ ? 0 : 1;
    disconnected(why);
    if (closing_) {
      co_return;
    }
    boost::system::error_code ignored;
    reconnect_timer_.expires_after(next_backoff());
    co_await reconnect_timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

}  // namespace docket::client
