// The client's spool, seen from its own thread: what an earlier run has left, reading back what is
// on the disk alone, noting batches before they are sent.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "engine/assert.hpp"
#include "ingest/client_runner.hpp"

namespace docket::client {
namespace {

// Between two looks at what else there is to do.
constexpr std::size_t refill_bytes_max = std::size_t{4} << 20;
constexpr std::size_t row_overhead_bytes = 96;
// It was checked when it was emitted, by rules that may have been wider.
constexpr EventRules rules{limits::payload_bytes_max};

}  // namespace

// In the constructor: nothing else runs.
void RunningClient::adopt_spool() {
  epoch_ = spool_->epoch();
  wants_epoch_ = spool_->needs_new_epoch();
  const auto& logs = spool_->logs();
  for (std::size_t i = 0; i < logs.size(); ++i) {
    const SpoolLog& log = logs[i];
    if (log.name.empty()) {
      continue;
    }
    auto lane = std::make_unique<Lane>(log.name, log.settled_number + 1);
    lane->spool_log = static_cast<std::uint8_t>(i);
    lane->noted_number = log.next_number - 1;
    lane->known_ends = log.ends;
    lane->backlog_from = log.settled;
    counters_.recovered += log.appended - log.settled;
    has_backlog_ = has_backlog_ || log.appended > log.settled || !log.ends.empty();
    lanes_.push_back(std::move(lane));
  }
  counters_.pending = counters_.recovered;
  backlog_is_new_ = has_backlog_;
  backlog_begin_ = spool_->begin();
}

bool RunningClient::has_known_batches() const {
  const std::vector<Lane*> all = lanes();
  return std::any_of(all.begin(), all.end(),
                     [](const Lane* lane) { return !lane->known_ends.empty(); });
}

// With the mutex held.
void RunningClient::update_refill(Refill& refill) {
  refill.files = spool_->files();
  refill.lanes.assign(spool_->logs().size(), nullptr);
  for (const auto& lane : lanes_) {
    if (lane->spool_log) {
      refill.lanes[*lane->spool_log] = lane.get();
    }
    for (auto& handler : lane->backlog_handlers) {
      lane->reading_handlers.push_back(std::move(handler));
    }
    lane->backlog_handlers.clear();
  }
}

bool RunningClient::begin_refill(Refill& refill) {
  const bool has_known = has_known_batches();
  const std::scoped_lock lock(mutex_);
  const std::size_t room = options_.memory_bytes - std::min(options_.memory_bytes, used_);
  // Not for every few events that were answered. What an earlier run may have sent is no more than
  // fitted its memory, and has to be in this one's before anything else can be decided.
  if (!has_known && used_ != 0 && room < options_.memory_bytes / 4) {
    return false;
  }
  refill.charged_max = std::min(room, refill_bytes_max);
  if (backlog_is_new_) {
    backlog_is_new_ = false;
    reader_.seek(backlog_begin_);
    for (const auto& lane : lanes_) {
      lane->read = lane->backlog_from;
    }
  }
  update_refill(refill);
  return true;
}

void RunningClient::refill() {
  Refill refill;
  if (!link_ || !welcome_came_ || goodbye_came_ || !begin_refill(refill)) {
    return;
  }
  ReadBack read = ReadBack::enough;
  do {
    read = read_back(refill);
  } while (read == ReadBack::all && !end_backlog(refill));
  end_refill(refill);
  if (read == ReadBack::enough) {
    asio::post(io_, [this] { pump(); });
  } else if (read == ReadBack::failed) {
    pause_then_resume();
  }
}

// Reads events into memory until there is enough, or no more in refill.files.
RunningClient::ReadBack RunningClient::read_back(Refill& refill) {
  // At least one, however small the memory.
  for (bool is_first = true; is_first || refill.charged < refill.charged_max || has_known_batches();
       is_first = false) {
    const auto record = reader_.next(refill.files);
    if (!record) {
      const std::scoped_lock lock(mutex_);
      last_error_ = "spool: " + record.error().message;
      return ReadBack::failed;
    }
    if (!*record) {
      return ReadBack::all;
    }
    if ((*record)->log < refill.lanes.size() && refill.lanes[(*record)->log] != nullptr) {
      take_read(refill, *refill.lanes[(*record)->log], **record);
    }
  }
  return ReadBack::enough;
}

void RunningClient::take_read(Refill& refill, Lane& lane, const SpoolRecord& record) {
  const std::uint64_t ordinal = record.value;
  if (ordinal < lane.read) {
    return;
  }
  const auto event = parse_spool_event(record.body, related_);
  if (!event || !check_event(*event, rules, INT64_MAX, false)) {
    return;  // it will be missing
  }
  skip_to(refill, lane, ordinal);
  DeliveryHandler handler = take_handler(refill, lane, ordinal);
  lane.read = ordinal + 1;
  if (!lane.dead.empty()) {
    ++refill.refused;
    if (handler) {
      handler({0, lane.dead});
    }
    return;
  }
  Gathered& reading = lane.reading;
  open_read(lane);
  DOCKET_ASSERT(!reading.builder->full());
  const std::size_t bytes =
      row_overhead_bytes + record.body.size() + (handler ? handler_overhead_bytes : 0);
  if (handler) {
    reading.handlers.emplace_back(reading.builder->rows(), std::move(handler));
  }
  reading.builder->add(*event);
  reading.charged += bytes;
  refill.charged += bytes;
  if (!lane.known_ends.empty()) {
    close_known(refill, lane, lane.read);
  } else if (reading.builder->rows() >= options_.batch_rows) {
    close_read(refill, lane, lane.read);
  }
  // A batch that an earlier run has noted fitted a builder then.
  if (reading.builder && reading.builder->full()) {
    close_read(refill, lane, lane.read);
  }
}

// The events below the ordinal that have not been read are not there.
void RunningClient::skip_to(Refill& refill, Lane& lane, std::uint64_t ordinal) {
  refill.lost += ordinal - lane.read;
  lane.read = ordinal;
  while (!lane.reading_handlers.empty() && lane.reading_handlers.front().first < ordinal) {
    const DeliveryHandler handler = take_handler(refill, lane, lane.reading_handlers.front().first);
    handler({0, "lost: the spool is damaged"});
  }
  close_known(refill, lane, ordinal);
}

DeliveryHandler RunningClient::take_handler(Refill& refill, Lane& lane, std::uint64_t ordinal) {
  DeliveryHandler handler;
  if (!lane.reading_handlers.empty() && lane.reading_handlers.front().first == ordinal) {
    handler = std::move(lane.reading_handlers.front().second);
    lane.reading_handlers.pop_front();
    refill.handler_bytes += handler_overhead_bytes;
  }
  return handler;
}

void RunningClient::open_read(Lane& lane) {
  if (!lane.reading.builder) {
    const std::scoped_lock lock(mutex_);
    lane.reading.builder = borrow_builder();
  }
}

void RunningClient::close_read(Refill& refill, Lane& lane, std::uint64_t end) {
  open_read(lane);
  lane.reading.spool_end = end;
  refill.collected.emplace_back(&lane, std::exchange(lane.reading, {}));
}

// The batches of an earlier run that end at the ordinal or before, with what there is of them.
void RunningClient::close_known(Refill& refill, Lane& lane, std::uint64_t ordinal) {
  while (!lane.known_ends.empty() && lane.known_ends.front() <= ordinal) {
    close_read(refill, lane, lane.known_ends.front());
    lane.known_ends.pop_front();
  }
}

// False: there are more events by now.
bool RunningClient::end_backlog(Refill& refill) {
  std::vector<std::uint64_t> ends;
  {
    const std::scoped_lock lock(mutex_);
    if (spool_->end() != SpoolPlace{refill.files.back().number, refill.files.back().bytes}) {
      update_refill(refill);
      return false;
    }
    has_backlog_ = false;
    for (const SpoolLog& log : spool_->logs()) {
      ends.push_back(log.appended);
    }
  }
  for (std::size_t i = 0; i < refill.lanes.size(); ++i) {
    if (refill.lanes[i] != nullptr && ends[i] > refill.lanes[i]->read) {
      skip_to(refill, *refill.lanes[i], ends[i]);
    } else if (refill.lanes[i] != nullptr) {
      close_known(refill, *refill.lanes[i], ends[i]);
    }
  }
  return true;
}

void RunningClient::end_refill(Refill& refill) {
  for (Lane* lane : refill.lanes) {
    if (lane != nullptr && lane->reading.builder && lane->known_ends.empty()) {
      close_read(refill, *lane, lane->read);
    }
  }
  {
    const std::scoped_lock lock(mutex_);
    used_ += refill.charged;
    backlog_handler_bytes_ -= refill.handler_bytes;
    counters_.lost += refill.lost;
    for (const Lane* lane : refill.lanes) {
      if (lane != nullptr && !lane->dead.empty()) {
        spool_->settle(*lane->spool_log, spool_->logs()[*lane->spool_log].settled_number,
                       lane->read);
      }
    }
  }
  encode(refill.collected);
  forget(refill.lost, refill.refused);
}

// Counts events as answered that are in no batch.
void RunningClient::forget(std::uint64_t lost, std::uint64_t refused) {
  bool all_settled = false;
  {
    const std::scoped_lock lock(mutex_);
    DOCKET_ASSERT(counters_.pending >= lost + refused);
    counters_.rejected += refused;
    counters_.pending -= lost + refused;
    all_settled = counters_.pending == 0;
  }
  if (all_settled) {
    loop_.changed();
  }
}

// K4. Errors: those of writing to the spool; nothing that is not noted will be sent.
Result<void> RunningClient::note_batches() {
  if (!spool_) {
    return {};
  }
  Spool::Written written;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& lane : lanes_) {
      while (lane->dead.empty() && lane->noted_number < lane->stream.last_number()) {
        const OutBatchPtr batch = lane->stream.find(lane->noted_number + 1);
        DOCKET_TRY(spool_->note_batch(*lane->spool_log, batch->number, batch->spool_end));
        ++lane->noted_number;
      }
    }
    written = spool_->written();
  }
  const auto synced = spool_->sync(written);
  spool_has_failed_ = !synced;
  return synced;
}

}  // namespace docket::client
