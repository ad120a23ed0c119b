#include "ingest/sender_ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace docket::ingest {
namespace {

constexpr std::array<std::string_view, sender_way_count> way_names{"native", "ndjson", "syslog",
                                                                   "http", "otlp"};
// Of the clock: the most ahead in this window and in the one before counts.
constexpr Nanos window = 60LL * 1'000'000'000;
// Looking for the oldest takes a look at all, so many go at once.
constexpr std::size_t forgotten_at_once = ledger_senders_max / 8;

}  // namespace

std::string_view to_string(SenderWay way) {
  return way_names[static_cast<std::size_t>(way)];
}

std::string text_of(const MissingBatches& missing) {
  return missing.first == missing.last
             ? fmt::format("batch {} of log {}, epoch {}", missing.first, missing.log,
                           missing.epoch)
             : fmt::format("batches {} to {} of log {}, epoch {}", missing.first, missing.last,
                           missing.log, missing.epoch);
}

struct SenderLedger::Record {
  struct Window {
    Nanos begun = 0;
    std::optional<Nanos> ahead;
  };

  std::atomic<std::uint32_t> connections{0};
  std::atomic<Nanos> last_heard{0};
  std::atomic<std::size_t> missing_count{0};  // so that who misses nothing takes no lock

  mutable std::mutex mutex;  // of all below
  std::string address;
  SenderWay way = SenderWay::native;
  std::array<Window, 2> windows;  // the newer one first
  std::vector<MissingBatches> missing;

  void note_heard(Nanos now) {
    Nanos known = last_heard.load(std::memory_order_relaxed);
    while (known < now &&
           !last_heard.compare_exchange_weak(known, now, std::memory_order_relaxed)) {
    }
  }

  // With the mutex held: for another one. What is final goes first, then what is oldest.
  void make_room() {
    if (missing.size() < ledger_missing_max) {
      return;
    }
    missing.erase(std::ranges::min_element(missing, {}, [](const MissingBatches& each) {
      return std::pair(!each.is_final, each.since);
    }));
  }

  void refused(std::string_view log, std::uint64_t epoch, std::uint64_t batch,
               std::uint64_t expected, Nanos now) {
    const std::scoped_lock lock(mutex);
    const auto found = std::ranges::find_if(missing, [&](const MissingBatches& each) {
      return each.log == log && each.epoch == epoch && !each.is_final;
    });
    // Of what is known before, the lower number holds: stored() raises it.
    const std::uint64_t first = expected != 0 ? expected : batch;
    if (found != missing.end()) {
      found->first = std::min(found->first, first);
      found->last = std::max(found->last, batch);
      return;
    }
    make_room();
    missing.push_back({std::string(log), epoch, first, batch, now, false});
    missing_count.store(missing.size(), std::memory_order_relaxed);
  }

  std::vector<MissingBatches> stored(std::string_view log, std::uint64_t epoch,
                                     std::uint64_t batch) {
    std::vector<MissingBatches> ended;
    const std::scoped_lock lock(mutex);
    for (MissingBatches& each : missing) {
      if (each.log != log || each.is_final) {
        continue;
      }
      if (each.epoch == epoch) {
        each.first = std::max(each.first, batch + 1);
      } else if (each.epoch < epoch) {
        ended.push_back(each);
        each.is_final = true;
      }
    }
    std::erase_if(missing, [](const MissingBatches& each) { return each.first > each.last; });
    missing_count.store(missing.size(), std::memory_order_relaxed);
    return ended;
  }
};

SenderLedger::Presence::Presence(std::shared_ptr<Record> record) : record_(std::move(record)) {
  record_->connections.fetch_add(1, std::memory_order_relaxed);
}

SenderLedger::Presence& SenderLedger::Presence::operator=(Presence&& other) noexcept {
  std::swap(record_, other.record_);
  return *this;
}

SenderLedger::Presence::~Presence() {
  if (record_) {
    record_->connections.fetch_sub(1, std::memory_order_relaxed);
  }
}

void SenderLedger::Presence::heard(Nanos now) {
  record_->note_heard(now);
}

void SenderLedger::Presence::sent(Nanos newest, Nanos received) {
  const std::scoped_lock lock(record_->mutex);
  auto& [current, before] = record_->windows;
  if (received - current.begun >= window || received < current.begun) {
    before = received - current.begun < 2 * window ? current : Record::Window{};
    current = {received, std::nullopt};
  }
  const Nanos ahead = newest - received;
  current.ahead = current.ahead ? std::max(*current.ahead, ahead) : ahead;
}

void SenderLedger::Presence::refused(std::string_view log, std::uint64_t epoch, std::uint64_t batch,
                                     std::uint64_t expected, Nanos now) {
  record_->refused(log, epoch, batch, expected, now);
}

std::vector<MissingBatches> SenderLedger::Presence::stored(std::string_view log,
                                                           std::uint64_t epoch,
                                                           std::uint64_t batch) {
  if (record_->missing_count.load(std::memory_order_relaxed) == 0) {
    return {};
  }
  return record_->stored(log, epoch, batch);
}

void SenderLedger::make_room() {
  std::vector<std::pair<Nanos, decltype(records_)::iterator>> gone;
  for (auto each = records_.begin(); each != records_.end(); ++each) {
    if (each->second->connections.load(std::memory_order_relaxed) == 0) {
      gone.emplace_back(each->second->last_heard.load(std::memory_order_relaxed), each);
    }
  }
  const std::size_t count = std::min(gone.size(), forgotten_at_once);
  std::partial_sort(gone.begin(), gone.begin() + static_cast<std::ptrdiff_t>(count), gone.end(),
                    [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < count; ++i) {
    records_.erase(gone[i].second);
  }
}

std::shared_ptr<SenderLedger::Record> SenderLedger::record_of(const std::string& node,
                                                              const std::string& address,
                                                              SenderWay way, Nanos now) {
  const std::scoped_lock lock(mutex_);
  auto found = records_.find(node);
  std::shared_ptr<Record> record =
      found == records_.end() ? std::make_shared<Record>() : found->second;
  {
    const std::scoped_lock record_lock(record->mutex);
    record->address = address;
    record->way = way;
  }
  record->note_heard(now);
  if (found == records_.end()) {
    if (records_.size() >= ledger_senders_max) {
      make_room();
    }
    if (records_.size() < ledger_senders_max) {
      records_.emplace(node, record);
    }
  }
  return record;
}

SenderLedger::Presence SenderLedger::connected(const std::string& node, const std::string& address,
                                               SenderWay way, Nanos now) {
  return Presence(record_of(node, address, way, now));
}

void SenderLedger::heard(const std::string& node, const std::string& address, SenderWay way,
                         Nanos now) {
  static_cast<void>(record_of(node, address, way, now));
}

std::vector<SenderFacts> SenderLedger::all() const {
  std::vector<SenderFacts> all;
  const std::scoped_lock lock(mutex_);
  all.reserve(records_.size());
  for (const auto& [node, record] : records_) {
    SenderFacts facts;
    facts.node = node;
    facts.connections = record->connections.load(std::memory_order_relaxed);
    facts.last_heard = record->last_heard.load(std::memory_order_relaxed);
    const std::scoped_lock record_lock(record->mutex);
    facts.address = record->address;
    facts.way = record->way;
    for (const Record::Window& each : record->windows) {
      if (each.ahead) {
        facts.clock_ahead = std::max(facts.clock_ahead.value_or(*each.ahead), *each.ahead);
      }
    }
    facts.missing = record->missing;
    std::ranges::sort(facts.missing, {}, [](const MissingBatches& each) {
      return std::tie(each.log, each.epoch, each.first);
    });
    all.push_back(std::move(facts));
  }
  return all;
}

}  // namespace docket::ingest
